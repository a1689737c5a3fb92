"""PrintOpenapi writes what the gateway says to clients into schemas/openapi.json: `python -m api.print_openapi`."""

import json
from pathlib import Path
from typing import Any

from api.front import Front
from schemas.settings import Settings

FILE = Path(__file__).parent.parent / "schemas/openapi.json"


def document() -> dict[str, Any]:
    """The OpenAPI document of /api/; its version is that of the API, and not of the code."""
    said = Front(Settings()).document.document
    return {**said, "info": {**said["info"], "version": "1"}}


def text() -> str:
    """As a file."""
    return json.dumps(document(), indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    FILE.write_text(text(), encoding="utf-8", newline="\n")
