"""Evidence is what the client, the nemesis, the provider and the mail server have noted, beside the log itself."""

import json
from collections import Counter
from collections.abc import Iterable
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple
from uuid import UUID

from tests.faults.checker.wire import lines

OK, REFUSED, UNKNOWN = "ok", "refused", "unknown"

Place = tuple[str, int, int]
"""Topic, partition, offset."""


class Attempt:
    """One request as it was sent, and its answer; without one, `outcome` stays unknown. Moments are seconds."""

    __slots__ = ("answer", "answered", "at", "code", "command_id", "n", "outcome", "status")

    def __init__(self, n: int, at: float) -> None:
        self.n, self.at = n, at
        self.outcome, self.status, self.code = UNKNOWN, 0, ""
        self.command_id: str | None = None
        self.answered: float | None = None
        self.answer: dict[str, Any] = {}


class Request:
    """What a client wanted once: all attempts under one key."""

    __slots__ = ("attempts", "body", "key", "kind", "path", "target")

    def __init__(self, sent: dict[str, Any]) -> None:
        self.kind: str = sent["kind"]
        self.key: str = sent["key"] or ""
        self.target: str = sent["target"] or ""
        self.path: str = sent["path"]
        self.body: dict[str, Any] = sent["body"] or {}
        self.attempts: list[Attempt] = []

    @property
    def command_id(self) -> str:
        """What the ids of its commands begin with, as the answers say; where none does, as it follows from the key."""
        told = next((attempt.command_id for attempt in self.attempts if attempt.command_id), None)
        return key_of(told) if told else start_of(self.key, self.path)

    @property
    def accepted(self) -> bool:
        """Whether any answer was a clear yes."""
        return any(attempt.outcome == OK for attempt in self.attempts)

    @property
    def unclear(self) -> bool:
        """Whether any attempt had no clear answer."""
        return any(attempt.outcome == UNKNOWN for attempt in self.attempts)


class Fault(NamedTuple):
    """What the nemesis did, from when until when (seconds; a moment where there is no end)."""

    at: float
    until: float
    kind: str
    target: str
    detail: dict[str, Any]


class Mail(NamedTuple):
    """One mail that the server holds; `id` is the local part of its Message-ID, `repeats` the times it came again."""

    id: str
    to: str
    subject: str
    at: float
    repeats: int


class Evidence:
    """All of it; what is missing is told in `problems`."""

    def __init__(self, run: Path) -> None:
        self.run, self.dump = run, run / "dump"
        self.problems: list[str] = []
        self.said: dict[str, Any] = self._object(run / "evidence.json")
        self.layout: dict[str, Any] = self._object(self.dump / "layout.json")
        self.requests = _requests(self._lines(run / "history.jsonl"))
        self.faults = sorted(_fault(line) for line in lines(run / "faults.jsonl"))
        self.poison = {_place(line): line for line in lines(run / "poison.jsonl")}
        self.ledger = self._lines(self.dump / "ledger.jsonl")
        self.mails = [Mail(**line) for line in self._lines(self.dump / "mails.jsonl")]
        if not self.healed_at:
            self.problems.append("evidence.json does not say when all was healed")

    @property
    def healed_at(self) -> float:
        """When the last fault was over; 0 if nobody knows."""
        return float(self.said.get("healed_at") or 0)

    @property
    def settled_at(self) -> float:
        """When the run took all for settled; 0 if it never did."""
        return float(self.said.get("settled_at") or 0)

    @property
    def partitions(self) -> int:
        """Of every topic."""
        return int(self.layout.get("partitions") or 1)

    def faults_of(self, *kinds: str) -> list[Fault]:
        """Those of some kinds."""
        return [fault for fault in self.faults if fault.kind in kinds]

    def _object(self, path: Path) -> dict[str, Any]:
        if not path.exists():
            self.problems.append(f"{path.name} is missing")
            return {}
        found: dict[str, Any] = json.loads(path.read_text())
        return found

    def _lines(self, path: Path) -> list[dict[str, Any]]:
        if not path.exists():
            self.problems.append(f"{path.name} is missing")
        return list(lines(path))


def start_of(key: str, path: str) -> str:
    """What ids of commands sent under a key begin with, as documented: it follows from nobody, path and key."""
    with suppress(ValueError):
        key = key.lower() if str(UUID(key)) == key.lower() else key
    nobody, under = (sha256(said.encode()).digest() for said in ("", f"\nPOST {path}\n{key}"))
    version, variant = bytes((under[2] & 0x0F | 0x80,)), bytes((under[4] & 0x3F | 0x80,))
    return key_of(str(UUID(bytes=nobody[:4] + under[:2] + version + under[3:4] + variant + under[5:8] + bytes(4))))


def key_of(command_id: str) -> str:
    """What of a command's id all that was sent under its key have; of one without a key, all of it."""
    return command_id[:28] if command_id[14:15] == "8" else command_id


def _requests(history: Iterable[dict[str, Any]]) -> list[Request]:
    """Attempts gathered by the first of their key, in order of the first send."""
    found: dict[int, Request] = {}
    attempts: dict[int, Attempt] = {}
    for line in history:
        n = line["n"]
        if line["phase"] == "send":
            first = n if line.get("repeat_of") is None else line["repeat_of"]
            request = found.get(first) or found.setdefault(first, Request(line))
            attempts[n] = Attempt(n, line["at"])
            request.attempts.append(attempts[n])
        elif attempt := attempts.get(n):
            attempt.answered, attempt.outcome = line["at"], line["outcome"]
            attempt.status, attempt.code = line.get("status") or 0, line.get("code") or ""
            attempt.command_id = line.get("command_id")
            attempt.answer = _kept(line.get("answer"))
    return list(found.values())


def _kept(answer: Any) -> dict[str, Any]:
    """Of a row that was answered, what is compared later; the whole of it for fifty thousand orders would be much."""
    if not isinstance(answer, dict):
        return {}
    return {name: answer[name] for name in ("order_id", "total", "currency") if name in answer}


def _fault(line: dict[str, Any]) -> Fault:
    at = line["at"]
    detail = line.get("detail")
    return Fault(
        at,
        line.get("until") or at,
        line["fault"],
        line.get("target") or "",
        detail if isinstance(detail, dict) else {"said": detail},
    )


def _place(line: dict[str, Any]) -> Place:
    return line["topic"], line["partition"], line["offset"]


class Ledger:
    """The provider's entries by order: what was done, and what was declined."""

    def __init__(self, entries: Iterable[dict[str, Any]]) -> None:
        self.of: dict[str, list[dict[str, Any]]] = {}
        self.totals: Counter[str] = Counter()
        for entry in entries:
            self.of.setdefault(entry["reference"], []).append(entry)

    def done(self, order_id: str, operation: str) -> list[dict[str, Any]]:
        """Entries that moved or held money."""
        return [e for e in self.of.get(order_id, ()) if e["operation"] == operation and not e.get("declined")]

    def declined(self, order_id: str, operation: str) -> list[dict[str, Any]]:
        """Entries that the provider said no to."""
        return [e for e in self.of.get(order_id, ()) if e["operation"] == operation and e.get("declined")]

    def amount(self, order_id: str, operation: str) -> int:
        """What was moved, in minor units."""
        return sum(entry["amount"] for entry in self.done(order_id, operation))
