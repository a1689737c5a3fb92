"""Starting, killing and asking a stub that runs as a process of its own."""

import socket
import subprocess
import sys
import time
from datetime import timedelta
from pathlib import Path
from typing import Any, Self

import httpx2


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


class StubProcess:
    """A stub, its ledger's file, and a client to look behind its counter."""

    def __init__(self, ledger: Path, *arguments: str) -> None:
        self.ledger, self.port, self._arguments = ledger, free_port(), arguments
        self.url = f"http://127.0.0.1:{self.port}"
        self.client = httpx2.Client(base_url=self.url, timeout=5, trust_env=False)
        self.start()

    def start(self) -> None:
        command = [sys.executable, "-m", "api.stub", "--port", str(self.port), "--ledger", str(self.ledger)]
        self.process = subprocess.Popen([*command, *self._arguments])
        deadline = time.monotonic() + 20
        while not self._answers():
            assert self.process.poll() is None, "the stub has ended"
            assert time.monotonic() < deadline, "the stub does not answer"
            time.sleep(0.02)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()
        self.client.close()

    def post(self, path: str, key: str, body: dict[str, Any]) -> httpx2.Response:
        return self.client.post(path, json=body, headers={"Idempotency-Key": key})

    def authorize(self, key: str, amount: int = 1000, *, reference: str = "p", token: str = "tok") -> httpx2.Response:
        body = {"amount": amount, "currency": "EUR", "token": token, "reference": reference}
        return self.post("/v1/authorizations", key, body)

    def mode(self, mode: str, **more: Any) -> None:
        self.client.put("/v1/mode", json={"mode": mode, **more}).raise_for_status()

    def ahead(self, time: timedelta) -> None:
        self.client.put("/v1/clock", json={"ahead_seconds": time.total_seconds()}).raise_for_status()

    def entries(self, reference: str | None = None) -> list[dict[str, Any]]:
        found = self.client.get("/v1/ledger", params={"reference": reference} if reference else None)
        entries: list[dict[str, Any]] = found.json()["entries"]
        return entries

    def operations(self, reference: str) -> list[str]:
        return [entry["operation"] for entry in self.entries(reference)]

    def _answers(self) -> bool:
        try:
            return self.client.get("/health").is_success
        except httpx2.TransportError:
            return False
