"""The command that runs the API: `python -m api`; settings come from the environment (schemas/settings.py)."""

import sys

import uvicorn

from api.front import Front
from schemas.settings import Settings


def main() -> None:
    """Serve until a signal comes."""
    settings = Settings()
    uvicorn.run(
        Front(settings),
        host=settings.api_host,
        port=settings.api_port,
        loop="auto" if sys.platform == "win32" else "uvloop",
        access_log=False,
        log_level="warning",
        server_header=False,
        proxy_headers=False,  # api/quota.py knows which proxies are believed
        timeout_graceful_shutdown=2,
    )


if __name__ == "__main__":
    main()
