"""Verdict is valid, invalid or unknown, with its numbers and the first counterexample of each broken promise."""

import json
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from tests.faults.checker.evidence import Evidence
from tests.faults.checker.findings import Violation
from tests.faults.checker.invariants import clients, figures, letters, liveness, money, notifications, stock
from tests.faults.checker.invariants.log import reactions_once
from tests.faults.checker.invariants.tables import COMPARED
from tests.faults.checker.promises import PROMISES
from tests.faults.checker.reading import World, read
from tests.faults.checker.timeline import timelines
from tests.faults.checker.windows import windows

VALID, INVALID, UNKNOWN = "valid", "invalid", "unknown"
CODES = {VALID: 0, INVALID: 1, UNKNOWN: 2}
"""Exit codes."""

Check = Callable[[World], Iterable[Violation]]

CHECKS: tuple[Check, ...] = (
    *clients.CHECKS,
    reactions_once,
    *stock.CHECKS,
    *money.CHECKS,
    *notifications.CHECKS,
    *liveness.CHECKS,
    *letters.CHECKS,
    *figures.CHECKS,
)


def check(run: Path) -> dict[str, Any]:
    """Judge a run by its folder alone, and write RUN/verdict.json."""
    began = time.monotonic()
    evidence = Evidence(run)
    world = read(evidence)
    for one in CHECKS:
        for violation in one(world):
            world.findings.add(violation)
    hits = windows(world)
    minimum: dict[str, int] = evidence.said.get("minimum") or {}
    short = {name: {"found": hits[name], "demanded": least} for name, least in minimum.items() if hits[name] < least}
    verdict: dict[str, Any] = {
        "verdict": INVALID if world.findings.counts else UNKNOWN if short or evidence.problems else VALID,
        "seed": evidence.said.get("seed"),
        "violations": _violations(world),
        "inconclusive": short,
        "problems": evidence.problems,
        "windows": dict(sorted(hits.items())),
        "numbers": _numbers(world),
        "promises": PROMISES,
        "compared": {table: columns.split() for table, columns in COMPARED.items()},
        "seconds": round(time.monotonic() - began, 1),
    }
    (run / "verdict.json").write_text(json.dumps(verdict, indent=1, ensure_ascii=False) + "\n")
    return verdict


def account(verdict: dict[str, Any]) -> Iterator[str]:
    """The verdict as lines for people."""
    yield "Checked: " + ", ".join(f"{count:,} {what}" for what, count in verdict["numbers"].items())
    yield "Windows hit:"
    demanded = verdict["inconclusive"]
    for name, count in verdict["windows"].items():
        yield f"  {count or 'never':>8}  {name}"
    for name, numbers in demanded.items():
        yield f"  too few: {name}: {numbers['found']} of {numbers['demanded']}"
    for problem in verdict["problems"]:
        yield f"  evidence: {problem}"
    for promise, broken in verdict["violations"].items():
        yield ""
        yield f"✗ {promise}: {PROMISES[promise]} — {broken['count']:,} violations; the first:"
        first = broken["first"][0]
        yield f"  {first['subject']}  {first['place']}  {first['said']}"
        yield from (f"  {line}" for line in broken["timeline"])
    yield ""
    why = ""
    if verdict["verdict"] == UNKNOWN:
        why = " (inconclusive)" if demanded else " (evidence is missing)"
    broken = f"{len(verdict['violations'])} of {len(PROMISES)} promises broken"
    yield f"{verdict['verdict'].upper()}{why}: {broken}; seed {verdict['seed']}, checked in {verdict['seconds']} s"


def _violations(world: World) -> dict[str, Any]:
    findings = world.findings
    told = timelines(world, findings.firsts())
    return {
        promise: {
            "count": findings.counts[promise],
            "first": [violation._asdict() for violation in findings.of(promise)],
            "timeline": told[promise],
        }
        for promise in PROMISES
        if findings.counts[promise]
    }


def _numbers(world: World) -> dict[str, int]:
    evidence = world.evidence
    return {
        "orders": len(world.orders.all),
        "requests": len(evidence.requests),
        "attempts": sum(len(request.attempts) for request in evidence.requests),
        "commands": world.counts["commands"],
        "effective records": world.counts["effective"],
        "reactions": sum(len(due) for sources in world.expected.values() for due in sources.values()),
        "payments": len(world.payments.all),
        "ledger entries": len(evidence.ledger),
        "messages": len(world.messages.all),
        "mails": len(evidence.mails),
        "products": len(world.products.all),
        "poison records": len(evidence.poison),
        "faults": len(evidence.faults),
    }
