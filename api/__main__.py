"""The command that runs the API: `python -m api`; settings come from the environment (schemas/settings.py)."""

import socket
import sys
from contextlib import suppress

import uvicorn

from api.front import Front
from api.heads import Heads
from schemas.settings import Settings


class Server(uvicorn.Server):
    """A server that lets go of live streams before it waits for requests to end; they never would."""

    def __init__(self, config: uvicorn.Config, front: Front) -> None:
        super().__init__(config)
        self._front = front

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._front.end_streams()
        await super().shutdown(sockets)


def main() -> None:
    """Serve until a signal comes."""
    settings = Settings()
    front = Front(settings)
    config = uvicorn.Config(
        front,
        host=settings.api_host,
        port=settings.api_port,
        http=Heads,
        loop="auto" if sys.platform == "win32" else "uvloop",
        access_log=False,
        log_level="warning",
        server_header=False,
        proxy_headers=False,  # api/quota.py knows which proxies are believed
        timeout_graceful_shutdown=2,
    )
    server = Server(config, front)
    with suppress(KeyboardInterrupt):
        server.run()
    if not server.started:
        sys.exit(3)


if __name__ == "__main__":
    main()
