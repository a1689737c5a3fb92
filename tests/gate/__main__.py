"""python -m tests.gate: does what the code says now keep what schemas/ promised? Exit 1 with every field that does not.

A promise that nobody relies on yet can be taken back: delete its file in schemas/json, or its operation in
schemas/openapi.json, and say why in the commit.
"""

import argparse
import json
import sys
from pathlib import Path

from api.print_openapi import document
from tests.gate.promises import broken_api, broken_messages, promised
from workers.print_docs import ROOT
from workers.printing.shapes import files


def main() -> None:
    """Compare, and say what is broken."""
    parser = argparse.ArgumentParser(prog="python -m tests.gate", description=__doc__)
    parser.add_argument("--root", type=Path, default=ROOT, help="folder whose schemas/ hold what was promised")
    given = parser.parse_args()
    messages, api = promised(given.root)
    printed = {Path(path).stem: json.loads(text) for path, text in files().items()}
    broken = [*broken_messages(messages, printed), *broken_api(api, document())]
    for each in broken:
        sys.stdout.write(f"broken: {each}\n")
    if broken:
        sys.stdout.write("See `python -m tests.gate --help` for how a promise is taken back.\n")
        sys.exit(1)


if __name__ == "__main__":
    main()
