"""Paper is a run's evidence in memory: lines that a test may change before they are written."""

import json
from collections.abc import Sequence
from copy import deepcopy
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple
from uuid import NAMESPACE_URL, uuid5

from tests.faults.checker.contexts import CONTEXTS, home_of
from tests.faults.checker.evidence import start_of

BEGAN = 1_764_000_000.0
PARTITIONS = 2

Line = dict[str, Any]
Body = dict[str, Any]
New = tuple[str, str, Body]
"""An event to be recorded: its tag, its stream, its body."""


class Event(NamedTuple):
    """An event as it was recorded; `line` is what lies in the log."""

    context: str
    partition: int
    line: Line

    @property
    def offset(self) -> int:
        return int(self.line["offset"])

    @property
    def time(self) -> str:
        return str(self.line["headers"]["ce_time"])

    @property
    def stamp(self) -> dict[str, int]:
        """As a row of a read model names its last event."""
        version = int(self.line["headers"]["version"])
        return {"version": version, "partition": self.partition, "position": self.offset}


class Command(NamedTuple):
    """A command as the writer sees it."""

    id: str
    origin: str
    position: int
    correlation: str


def uuid(name: str) -> str:
    """An id that follows from a name."""
    return str(uuid5(NAMESPACE_URL, name))


def command_id(key: str, path: str) -> str:
    """The id of the command that was sent under a key."""
    return f"{start_of(key, path)}{uuid(key)[-8:]}"


class Paper:
    """All that a run leaves behind."""

    def __init__(self) -> None:
        self.now = BEGAN
        self.topics: dict[tuple[str, int], list[Line]] = {
            (f"{context}.{kind}", p): []
            for context in CONTEXTS
            for kind in ("commands", "events")
            for p in range(PARTITIONS)
        }
        self.tables: dict[tuple[str, str], list[Body]] = {}
        self.history: list[Line] = []
        self.faults: list[Line] = []
        self.poison: list[Line] = []
        self.ledger: list[Line] = []
        self.mails: list[Line] = []
        self.said: Body = {"seed": 7, "minimum": {}}
        self._owners: dict[tuple[str, int], tuple[int, str]] = {}
        self._versions: dict[str, int] = {}
        self._sent = 0
        for context in CONTEXTS:
            for partition in range(PARTITIONS):
                self.claim(context, partition)

    def events(self, context: str, tag: str = "", word: str = "") -> list[Line]:
        """A context's records with this tag, and with this word in the body."""
        return [
            line
            for p in range(PARTITIONS)
            for line in self.topics[f"{context}.events", p]
            if tag in ("", line["headers"].get("ce_type")) and word in json.dumps(line["value"])
        ]

    def claim(self, context: str, partition: int) -> Line:
        """A new owner; returns its claim."""
        epoch = self._owners.get((context, partition), (0, ""))[0] + 1
        owner = self._owners[context, partition] = epoch, uuid(f"{context}/{partition}/{epoch}")
        headers = {"ce_type": "log.claimed.v1", "epoch": str(epoch), "writer": owner[1]}
        return self.put(f"{context}.events", partition, "claim", headers, {})

    def put(self, topic: str, partition: int, key: str, headers: dict[str, Any], value: Any) -> Line:
        """Append any record."""
        self.now += 0.01
        lines = self.topics[topic, partition]
        line = {"offset": len(lines), "timestamp": int(self.now * 1000), "key": key, "headers": headers, "value": value}
        lines.append(line)
        return line

    def command(self, context: str, partition: int, tag: str, stream: str, body: Body, given: Command) -> Command:
        """Append a command; returned with its position."""
        headers = self._headers(context, tag, stream, given.id, given.correlation, given.correlation, given.origin)
        line = self.put(f"{context}.commands", partition, stream, headers, body)
        return given._replace(position=line["offset"])

    def record(self, context: str, partition: int, command: Command, news: Sequence[New]) -> list[Event]:
        """What the owner records upon a command, as one commit."""
        epoch, writer = self._owners[context, partition]
        time = self.time()
        recorded = []
        for index, (tag, stream, body) in enumerate(news):
            counted = not tag.startswith(("command.", "record."))
            version = self._versions.get(stream, 0) + 1 if counted else 0
            if counted:
                self._versions[stream] = version
            event_id = uuid(f"{command.id}/{index}")
            headers = self._headers(context, tag, stream, event_id, command.correlation, command.id, command.origin)
            headers |= {"ce_time": time, "version": str(version), "epoch": str(epoch), "writer": writer}
            headers["position"] = str(command.position)
            recorded.append(Event(context, partition, self.put(f"{context}.events", partition, stream, headers, body)))
        return recorded

    def time(self) -> str:
        """Now, as headers and rows have it."""
        return datetime.fromtimestamp(self.now, UTC).isoformat()

    def send(self, kind: str, target: str, path: str, body: Body, key: str, repeat_of: int | None = None) -> int:
        """A request goes out; its number."""
        self._sent += 1
        said = {
            "kind": kind,
            "key": key,
            "target": target,
            "path": path,
            "body": deepcopy(body),
            "repeat_of": repeat_of,
        }
        self.history.append({"n": self._sent, "at": self.now, "phase": "send", **said})
        return self._sent

    def answer(self, n: int, outcome: str, status: int | None, command_id: str | None = None, code: str = "") -> None:
        """Its answer."""
        said: Line = {"outcome": outcome, "status": status, "code": code, "command_id": command_id, "answer": {}}
        self.history.append({"n": n, "at": self.now, "phase": "answer", **said})

    def write(self, run: Path) -> Path:
        """Write all of it as collect would have left it."""
        dump = run / "dump"
        (dump / "tables").mkdir(parents=True)
        for (topic, partition), lines in self.topics.items():
            _write(dump / f"{topic}-{partition}.jsonl", [{**line, "value": _text(line["value"])} for line in lines])
        for context in CONTEXTS:
            (dump / "tables" / context).mkdir()
        for (context, table), rows in self.tables.items():
            _write(dump / "tables" / context / f"{table}.jsonl", rows)
        bounds = {f"{topic}/{p}": [0, len(lines)] for (topic, p), lines in self.topics.items()}
        layout = {"at": self.now + 30, "partitions": PARTITIONS, "bounds": bounds}
        (dump / "layout.json").write_text(json.dumps(layout))
        said = {"healed_at": self.now, "settled_at": self.now + 1, **self.said}
        (run / "evidence.json").write_text(json.dumps(said))
        for name in ("history", "faults", "poison"):
            _write(run / f"{name}.jsonl", getattr(self, name))
        _write(dump / "ledger.jsonl", self.ledger)
        _write(dump / "mails.jsonl", self.mails)
        return run

    def common_tables(self) -> None:
        """The tables that every context has, as they follow from the log."""
        for context in CONTEXTS:
            for name in ("checkpoints", "history", "outcomes", "dead_letters", "resume_points", "snapshots"):
                self.tables[context, name] = []
            for p in range(PARTITIONS):
                self._common(context, p)

    def _common(self, context: str, p: int) -> None:
        epoch, writer = self._owners[context, p]
        lines, versions, ignored = self.topics[f"{context}.events", p], dict[str, int](), 0
        claimed = ("", "")
        for line in lines:
            headers = line["headers"]
            mine = (headers.get("epoch"), headers.get("writer"))
            if headers.get("ce_type") == "log.claimed.v1":
                claimed = mine
            elif mine != claimed:
                ignored += 1
                if "ce_subject" not in headers:
                    letter = {"topic": f"{context}.events", "partition": p, "position": line["offset"]}
                    letter |= {"id": "unread", "home": p, "recorded": line["offset"]}
                    self.tables[context, "dead_letters"].append({**letter, "reason": "no message", "stream": ""})
            else:
                self._history_of(context, p, line)
                if int(headers["version"]):
                    versions[headers["ce_subject"]] = int(headers["version"])
        at = {"partition": p, "next": len(lines), "epoch": epoch, "writer": writer}
        self.tables[context, "checkpoints"].append({**at, "ignored": ignored})
        self.tables[context, "resume_points"].append({**at, "aggregates": len(versions)})
        rows = [{"stream": stream, "partition": p, "version": str(version)} for stream, version in versions.items()]
        self.tables[context, "snapshots"] += rows

    def _history_of(self, context: str, p: int, line: Line) -> None:
        headers, body = line["headers"], line["value"]
        at = {"partition": p, "position": line["offset"], "stream": headers["ce_subject"], "at": headers["ce_time"]}
        kind, ids = headers["ce_type"], {name: headers[name] for name in ("correlation", "causation")}
        row = {**at, **ids, "version": int(headers["version"]), "id": headers["ce_id"], "type": kind, "data": body}
        self.tables[context, "history"].append(row)
        known = {row["command_id"] for row in self.tables[context, "outcomes"]}
        if headers["origin"] == "client" and headers["causation"] not in known:
            status = {"command.rejected.v1": "rejected", "record.parked.v1": "parked"}.get(kind, "accepted")
            said = {"command_id": headers["causation"], "status": status, "code": body.get("code", "")}
            self.tables[context, "outcomes"].append({**at, **said})
        if kind == "record.parked.v1":
            letter = {"topic": body["topic"], "partition": body["partition"], "position": body["offset"]}
            letter |= {"id": headers["ce_id"], "home": p, "recorded": line["offset"]}
            about = {"reason": body["reason"], "stream": headers["ce_subject"]}
            self.tables[context, "dead_letters"].append({**letter, **about})

    def _headers(
        self, context: str, tag: str, stream: str, name: str, correlation: str, causation: str, origin: str
    ) -> dict[str, str]:
        said = {"ce_id": name, "ce_type": tag, "ce_source": context, "ce_time": self.time(), "ce_subject": stream}
        return said | {"correlation": correlation, "causation": causation, "origin": origin}


def home(stream: str) -> int:
    """The partition of a stream."""
    return home_of(stream, PARTITIONS)


def _text(value: Any) -> Any:
    return json.dumps(value) if isinstance(value, dict) and "base64" not in value else value


def _write(path: Path, lines: Sequence[Line]) -> None:
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
