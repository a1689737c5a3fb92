"""Read models, held against the fold of the log at the position that their checkpoints state.

The fold begins at offset 0, so what equals it equals a read model that is built anew. Compared are all columns of all
rows; which those are is told in tables.py.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from tests.faults.checker.contexts import CLIENT, PARKED
from tests.faults.checker.evidence import Evidence
from tests.faults.checker.fence import Fence
from tests.faults.checker.findings import Fact, Findings, Violation
from tests.faults.checker.invariants.tables import MOMENTS, TABLE
from tests.faults.checker.wire import lines

STATUS = {"command.rejected.v1": "rejected", "command.unchanged.v1": "unchanged", **dict.fromkeys(PARKED, "parked")}


AGAIN = ("letter.retried.v1", "letter.discarded.v1")
"""Records that tell the client of a command that was set aside what became of it."""


class Views:
    """The tables of one context, compared partition by partition while the log is read."""

    def __init__(self, evidence: Evidence, context: str, fold: Any, findings: Findings) -> None:
        self._folder = evidence.dump / "tables" / context
        self._context, self._fold, self._findings = context, fold, findings
        self._name, self._key = TABLE[context]
        self._rows = {row[self._key]: row for row in self._table(self._name)}
        self._checkpoints = {row["partition"]: row for row in self._table("checkpoints")}
        self._resume = {row["partition"]: row for row in self._table("resume_points")}
        self._snapshots = _by_partition(self._table("snapshots"))
        self._history = iter(self._table("history"))
        self._next_row = next(self._history, None)
        self._outcomes: dict[str, list[Fact]] = {}
        self._again: dict[str, Fact] = {}
        self._spoiled = bool(evidence.faults_of("snapshots"))
        # Set back by force, and not to the start, a checkpoint counts some of them again.
        self._reset = any(fault.detail.get("how") != "delete" for fault in evidence.faults_of("checkpoint"))
        self.stops: set[int] = set()
        self.upto: dict[int, int] = {}
        self.ahead: dict[int, Fact] = {}

    def begin(self, partition: int) -> None:
        """Read this partition next."""
        self._partition = partition
        checkpoint, resume = self._checkpoints.get(partition), self._resume.get(partition)
        self._until = checkpoint["next"] if checkpoint else 0
        self._resume_at = resume["next"] if resume else -1
        self.stops = {self._until, self._resume_at}
        self.upto[partition] = self._until

    def took(self, fact: Fact) -> None:
        """A record that counts: it must stand in the history, if the read models have come so far."""
        if fact.offset >= self._until:
            self.ahead.setdefault(self._partition, fact)
            return
        row = self._next_row
        while row is not None and (row["partition"], row["position"]) < (fact.partition, fact.offset):
            self._violate("views.history", row["stream"], f"a row too many: {row['type']}", _place(self._context, row))
            row = next(self._history, None)
        if row is None or (row["partition"], row["position"]) > (fact.partition, fact.offset):
            self._next_row = row
            self._say("views.history", fact, f"no row for {fact.kind} of {fact.stream}")
        else:
            self._next_row = next(self._history, None)
            for column, (ours, theirs) in _differences(_history_of(fact), row):
                self._say("views.history", fact, f"{fact.kind}: {column} is {theirs!r}, not {ours!r}")
        if again := fact.body.get("command") if fact.kind in AGAIN else "":
            self._again[again] = fact
        if fact.origin == CLIENT:
            known = self._outcomes.setdefault(fact.causation, [])
            if not any(other.partition == fact.partition for other in known):
                known.append(fact)

    def stop(self, offset: int, fence: Fence, versions: Mapping[str, int]) -> None:
        """All before this offset has been read: compare what says that it has come exactly so far."""
        if offset == self._until:
            self._until_here(fence)
        if offset == self._resume_at:
            self._resumes_here(fence, versions)
            self._resume_at = -1
        self.stops.discard(offset)

    def finish(self, end: int) -> None:
        """The partition has been read to its end."""
        if end and self._partition not in self._checkpoints:
            self._violate("views.checkpoint", self._context, "there is no checkpoint", self._here)
        if self._until > end:
            said = f"the checkpoint is at {self._until}, the log ends at {end}"
            self._violate("views.checkpoint", self._context, said, self._here)
        if self._resume_at > end:
            said = f"the resume point is at {self._resume_at}, the log ends at {end}"
            self._violate("views.snapshots", self._context, said, self._here)

    def end(self) -> None:
        """All partitions have been read; what was loaded is let go."""
        row = self._next_row
        while row is not None:
            self._violate("views.history", row["stream"], f"a row too many: {row['type']}", _place(self._context, row))
            row = next(self._history, None)
        for key, left in self._rows.items():
            self._violate(
                f"views.{self._name}", key, "a row that the log knows nothing of", _place(self._context, left)
            )
        self._compare_outcomes()
        self._rows, self._outcomes, self._snapshots = {}, {}, {}

    def _until_here(self, fence: Fence) -> None:
        checkpoint = self._checkpoints.get(self._partition)
        if checkpoint is not None:
            ours: dict[str, Any] = {"epoch": fence.epoch, "writer": fence.writer}
            if not self._reset:
                ours["ignored"] = fence.ignored
            for column, (right, found) in _differences(ours, checkpoint):
                said = f"at {fence.next} the checkpoint's {column} is {found!r}, not {right!r}"
                self._violate("views.checkpoint", self._context, said, self._here)
        promise = f"views.{self._name}"
        for key, expected in _rows_of(self._fold, self._partition):
            row, newest = self._rows.pop(key, None), f"{self._here}/{expected['position']}"
            if row is None:
                self._violate(promise, key, "there is no row", newest)
                continue
            for column, (ours, theirs) in _differences(expected, row):
                said = f"{column} is {_short(theirs)}, and {_short(ours)} after the last event"
                self._violate(promise, key, said, newest)

    def _resumes_here(self, fence: Fence, versions: Mapping[str, int]) -> None:
        resume, found = self._resume[self._partition], self._snapshots.get(self._partition, {})
        if resume["aggregates"] != len(found):
            return  # the owner would not use them either
        for column, (ours, theirs) in _differences({"epoch": fence.epoch, "writer": fence.writer}, resume):
            said = f"at {fence.next} the resume point's {column} is {theirs!r}, not {ours!r}"
            self._violate("views.snapshots", self._context, said, self._here)
        for stream in {*versions, *found}:
            theirs, ours = found.get(stream), versions.get(stream, 0)
            if theirs != str(ours) and not (self._spoiled and theirs is None):
                said = f"its snapshot has version {theirs}, the log at {fence.next} has {ours}"
                self._violate("views.snapshots", stream, said, self._here)

    def _compare_outcomes(self) -> None:
        for row in self._table("outcomes"):
            again = row.get("again", False)
            facts = [self._again.pop(row["command_id"])] if again else self._outcomes.pop(row["command_id"], [])
            place, outcome_of = _place(self._context, row), _again_of if again else _outcome_of
            differences = [dict(_differences(outcome_of(fact), row)) for fact in facts]
            if not differences:
                self._violate("views.outcomes", row["stream"], f"an outcome of nothing: {row['command_id']}", place)
            elif all(differences):
                said = f"{row['command_id']}: " + "; ".join(
                    f"{c} {t!r}, not {o!r}" for c, (o, t) in differences[0].items()
                )
                self._violate("views.outcomes", row["stream"], said, place)
        for command_id, facts in self._outcomes.items():
            self._say("views.outcomes", facts[0], f"the outcome of {command_id} is missing")
        for command_id, fact in self._again.items():
            if fact.body.get("became") != "parked":
                self._say("views.outcomes", fact, f"the second outcome of {command_id} is missing")

    def _table(self, name: str) -> Iterator[dict[str, Any]]:
        return lines(self._folder / f"{name}.jsonl")

    @property
    def _here(self) -> str:
        return f"{self._context}.events/{self._partition}"

    def _say(self, promise: str, fact: Fact, said: str) -> None:
        self._findings.report(promise, str(fact.body.get("order_id") or fact.stream), said, fact)

    def _violate(self, promise: str, subject: str, said: str, place: str) -> None:
        self._findings.add(Violation(promise, subject, said, place=place))


def _rows_of(fold: Any, partition: int) -> Iterator[tuple[str, dict[str, Any]]]:
    """What a fold says that the rows of one partition must be."""
    for key, state in fold.all.items():
        if isinstance(state, dict):
            if state["partition"] == partition:
                yield key, state
        elif state.partition == partition and getattr(state, "known", True):
            yield key, state.row()


def _differences(ours: Mapping[str, Any], theirs: Mapping[str, Any]) -> Iterator[tuple[str, tuple[Any, Any]]]:
    """The columns in which a row is not what it must be; moments are compared as moments."""
    for column, right in ours.items():
        found = theirs.get(column)
        if found == right or (column in MOMENTS and _moment(found) == _moment(right)):
            continue
        yield column, (right, found)


def _moment(text: Any) -> Any:
    return datetime.fromisoformat(text) if isinstance(text, str) else text


def _history_of(fact: Fact) -> dict[str, Any]:
    return {
        "stream": fact.stream,
        "version": fact.version,
        "id": fact.id,
        "type": fact.kind,
        "at": fact.time,
        "correlation": fact.correlation,
        "causation": fact.causation,
        "data": fact.body,
    }


def _outcome_of(fact: Fact) -> dict[str, Any]:
    if fact.body.get("became") == "parked":
        return {"status": "rejected", "code": "LetterFailedAgain", **_where(fact)}
    status = STATUS.get(fact.kind, "accepted")
    code = {"rejected": fact.body.get("code"), "parked": "Parked"}.get(status, "")
    return {"status": status, "code": code, **_where(fact)}


def _again_of(fact: Fact) -> dict[str, Any]:
    """What a client is told whose command was set aside first."""
    if fact.kind == "letter.discarded.v1":
        return {"status": "rejected", "code": "LetterDiscarded", **_where(fact)}
    return {"status": fact.body["became"], "code": fact.body["code"], **_where(fact)}


def _where(fact: Fact) -> dict[str, Any]:
    return {"stream": fact.stream, "partition": fact.partition, "position": fact.offset, "at": fact.time}


def _by_partition(rows: Iterator[dict[str, Any]]) -> dict[int, dict[str, Any]]:
    found: dict[int, dict[str, Any]] = {}
    for row in rows:
        found.setdefault(row["partition"], {})[row["stream"]] = row["version"]
    return found


def _place(context: str, row: Mapping[str, Any]) -> str:
    return f"{context}.events/{row['partition']}/{row['position']}"


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) < 80 else f"{text[:77]}…"
