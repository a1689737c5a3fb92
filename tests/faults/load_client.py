"""The client sends requests and writes the history: a line before each send, a line after each answer."""

import asyncio
import time
from collections import Counter
from typing import Any

import httpx2
from msgspec import Struct

from tests.faults.lines import Lines
from tests.faults.load_script import Ask

PATIENCE = 6.0
"""Seconds that a client waits for an answer."""
PAUSES = (0.4, 0.8, 1.5, 3.0, 6.0, 9.0)
"""Seconds before each further attempt, while nobody knows."""


class Answer(Struct, frozen=True):
    """How a request ended: ok, refused (a clear no), or unknown; `status` is None if there was no answer at all."""

    outcome: str
    status: int | None = None
    said: dict[str, Any] = {}


class Client:
    """All customers together, over HTTP at `url`."""

    def __init__(self, url: str, history: Lines) -> None:
        limits = httpx2.Limits(max_connections=300, max_keepalive_connections=60)
        self._http = httpx2.AsyncClient(base_url=url, timeout=PATIENCE, limits=limits, trust_env=False)
        self._history = history
        self._sends = 0
        self._first: dict[str, int] = {}
        self.outcomes: Counter[str] = Counter()
        self.placed: dict[str, float] = {}
        """When each order was first asked for, in seconds since 1970."""
        self.newest_ok = 0.0
        """When the latest request was sent that has been answered with a yes."""

    async def close(self) -> None:
        """Let connections go."""
        await self._http.aclose()

    async def insist(self, ask: Ask) -> Answer:
        """Ask, and ask again under the same key for as long as nobody knows; at most a few times."""
        answer = await self.ask(ask)
        for pause in PAUSES:
            if answer.outcome != "unknown":
                break
            await asyncio.sleep(pause)
            answer = await self.ask(ask)
        return answer

    async def ask(self, ask: Ask) -> Answer:
        """Send once."""
        number, at = self._note_send(ask)
        answer = await self._exchange(ask)
        self.outcomes[f"{ask.kind} {answer.outcome}"] += 1
        if answer.outcome == "ok":
            self.newest_ok = max(self.newest_ok, at)
        said = answer.said
        self._history.write(
            {
                "n": number,
                "at": time.time(),
                "phase": "answer",
                "outcome": answer.outcome,
                "status": answer.status,
                "code": str(said.get("code", "")) if answer.outcome != "ok" else "",
                "command_id": said.get("command_id"),
                "answer": said,
            }
        )
        return answer

    def _note_send(self, ask: Ask) -> tuple[int, float]:
        self._sends += 1
        number, at = self._sends, time.time()
        first = self._first.setdefault(ask.key, number)
        if ask.kind == "place":
            self.placed.setdefault(ask.target, at)
        self._history.write(
            {
                "n": number,
                "at": at,
                "phase": "send",
                "kind": ask.kind,
                "key": ask.key,
                "target": ask.target,
                "path": ask.path,
                "body": ask.body,
                "repeat_of": None if first == number else first,
            }
        )
        return number, at

    async def _exchange(self, ask: Ask) -> Answer:
        try:
            response = await self._http.post(ask.path, json=ask.body, headers={"Idempotency-Key": ask.key})
            said = response.json()
        except (httpx2.HTTPError, ValueError) as error:
            return Answer("unknown", None, {"error": f"{type(error).__name__} {error}"})
        if response.status_code < 300:
            return Answer("ok", response.status_code, said)
        final = response.status_code < 500 and said.get("code") != "KeyRunning"
        return Answer("refused" if final else "unknown", response.status_code, said)
