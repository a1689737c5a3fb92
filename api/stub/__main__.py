"""The command that runs the stub: `python -m api.stub --port 8090 --ledger provider.jsonl`."""

import argparse
import logging
import sys
from datetime import timedelta
from pathlib import Path

import uvicorn

from api.stub.app import create


def main() -> None:
    """Serve until a signal comes."""
    parser = argparse.ArgumentParser(prog="python -m api.stub", description="A payment provider to play with.")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--ledger", type=Path, required=True, help="file of JSON lines; made if missing")
    parser.add_argument("--webhook", help="URL that is told of every entry")
    parser.add_argument("--webhook-secret", default="whsec_development")
    parser.add_argument("--hold-seconds", type=float, help="how long money is held; for ever, if not said")
    parser.add_argument("--sms", type=Path, help="file of JSON lines; with it, SMS are taken as Twilio does")
    parser.add_argument("--push", type=Path, help="folder of keys; with it, pushes are taken as FCM and browsers do")
    given = parser.parse_args()
    lasting = timedelta(seconds=given.hold_seconds) if given.hold_seconds else None
    app = create(given.ledger, given.webhook, given.webhook_secret, lasting, given.sms, given.push)
    # An answer that is lost on purpose is no error of the server.
    logging.getLogger("uvicorn.error").addFilter(lambda line: "without completing" not in line.getMessage())
    uvicorn.run(
        app,
        host=given.host,
        port=given.port,
        loop="auto" if sys.platform == "win32" else "uvloop",
        access_log=False,
        log_level="warning",
        timeout_graceful_shutdown=1,
    )


if __name__ == "__main__":
    main()
