"""Timeline is everything about one subject in order of time: records, requests, ledger, mails, faults."""

import json
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Any, NamedTuple

from tests.faults.checker.contexts import CLAIM, CONTEXTS
from tests.faults.checker.fence import CLAIMED, COUNTS, Fence
from tests.faults.checker.findings import Violation
from tests.faults.checker.reading import World
from tests.faults.checker.wire import Record, lines, records

LONGEST = 160
"""Lines of a timeline; of a longer one the middle is left out."""

AROUND = 10.0
"""Seconds of faults shown before the first and after the last line."""

NEARBY = 4
"""Records shown before and after a place."""

SHOWN = 150
"""Characters of a body."""


class Line(NamedTuple):
    """One line: when (seconds since 1970), where, what."""

    at: float
    where: str
    what: str


def timelines(world: World, violations: Iterable[Violation]) -> dict[str, list[str]]:
    """The timeline of each violation's subject, by promise."""
    violations = list(violations)
    words = {violation.promise: _words(world, violation) for violation in violations}
    found: dict[str, list[Line]] = {violation.promise: [] for violation in violations}
    for line, text in _everything(world):
        for promise, wanted in words.items():
            if any(word in text for word in wanted):
                found[promise].append(line)
    told = {}
    for violation in violations:
        own = sorted(found[violation.promise])
        if own:
            begin, end = own[0].at - AROUND, own[-1].at + AROUND
            own = sorted(own + [fault for fault in _faults(world) if begin <= fault.at <= end])
        told[violation.promise] = [_text(line, violation) for line in _cut(own, violation)]
    return told


def _words(world: World, violation: Violation) -> set[str]:
    """What a line about the subject contains: the subject, its messages' ids, the place itself.

    Where the subject is a place, what lies around it tells the story.
    """
    partition, _, offset = (violation.place or violation.subject).rpartition("/")
    words = {f" {violation.place} "} if violation.place else set()
    if "/" in violation.subject:
        return words | {f" {partition}/{int(offset) + n} " for n in range(-NEARBY, NEARBY + 1) if offset.isdigit()}
    about = f"order-{violation.subject}"
    words |= {message.notification_id for message in world.messages.all.values() if message.about == about}
    return words | {violation.subject}


def _everything(world: World) -> Iterator[tuple[Line, str]]:
    """Every line with the text that is searched."""
    for context in CONTEXTS:
        for topic in (f"{context}.commands", f"{context}.events"):
            for partition in range(world.evidence.partitions):
                yield from _partition(world, topic, partition)
    for row in lines(world.evidence.run / "history.jsonl"):
        yield Line(row["at"], f"request {row['n']}", _request(row)), f"request {row['n']} {json.dumps(row)}"
    for row in lines(world.evidence.dump / "ledger.jsonl"):
        at = datetime.fromisoformat(row["at"]).timestamp()
        done = f"declined: {row['declined']}" if row.get("declined") else "done"
        what = f"provider: {row['operation']} {row['amount']} {row['currency']} {done} for {row['reference']}"
        yield Line(at, f"ledger {row['seq']}", f"{what}, key {row['key']}"), json.dumps(row)
    for mail in world.evidence.mails:
        again = f", came again {mail.repeats} times" if mail.repeats else ""
        yield (
            Line(mail.at, "mailbox", f"mail {mail.id} to {mail.to}: {mail.subject}{again}"),
            f"{mail.id} {mail.subject}",
        )


def _partition(world: World, topic: str, partition: int) -> Iterator[tuple[Line, str]]:
    fence = Fence() if topic.endswith(".events") else None
    for record in records(world.evidence.dump, topic, partition):
        verdict = fence.judge(record) if fence else ""
        headers = record.headers
        text = f" {record.place} {record.key!s} {headers.get('ce_subject')!s} {headers.get('ce_id')!s} "
        text += f"{headers.get('causation')!s} {record.value!s}"
        yield Line(record.timestamp / 1000, record.place, _record(record, verdict)), text


def _record(record: Record, verdict: str) -> str:
    headers = record.headers
    kind = headers.get("ce_type")
    if kind == CLAIM:
        effect = "takes effect" if verdict == CLAIMED else "too late"
        return f"claim, epoch {headers.get('epoch')!s}, writer {headers.get('writer')!s}: {effect}"
    said = f"{kind!s}"
    if verdict:
        counts = "" if verdict == COUNTS else ", DOES NOT COUNT"
        said += f" v{headers.get('version')!s}, epoch {headers.get('epoch')!s}{counts}, of {headers.get('origin')!s}"
        said += f" at {headers.get('position')!s}"
    else:
        said += f" {headers.get('ce_id')!s}, of {headers.get('origin')!s}"
    body = str(record.value)
    return f"{said}  {body if len(body) <= SHOWN else body[:SHOWN] + '…'}"


def _request(row: dict[str, Any]) -> str:
    if row["phase"] == "send":
        again = "" if row.get("repeat_of") is None else f", again as {row['repeat_of']}"
        return f"{row['kind']} {row['target']} sent, key {row['key']}{again}"
    return f"answer {row['outcome']} {row.get('status')} {row.get('code') or ''} {row.get('command_id') or ''}".rstrip()


def _faults(world: World) -> list[Line]:
    return [
        Line(
            fault.at, "nemesis", f"{fault.kind} {fault.target} for {fault.until - fault.at:.1f} s {fault.detail or ''}"
        )
        for fault in world.evidence.faults
    ]


def _cut(own: list[Line], violation: Violation) -> list[Line]:
    """As many lines as can be read: the beginning, the violation and what is around it, the end."""
    if len(own) <= LONGEST:
        return own
    third = LONGEST // 3
    middle = next((i for i, line in enumerate(own) if line.where == violation.place), len(own) // 2)
    middle = min(max(middle - third // 2, third), len(own) - 2 * third)
    gap = Line(own[third].at, "…", f"{len(own) - 3 * third} lines are left out here and below")
    return [*own[:third], gap, *own[middle : middle + third], *own[-third:]]


def _text(line: Line, violation: Violation) -> str:
    mark = "▶" if line.where == violation.place else " "
    return f"{mark} {datetime.fromtimestamp(line.at, UTC):%H:%M:%S.%f}"[:-3] + f"  {line.where:<28} {line.what}"
