"""The report tells a run from its folder alone: what was done, how often it hit, how long recovery took, what held.

It can be told at any time, also of a run that is under way or was cut; what is not known yet is left out.
"""

import os
import platform
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from msgspec import json
from rich.console import Console
from rich.table import Table

from tests.faults import recovery
from tests.faults.lines import read

FOUND = "## Found and fixed"
"""The heading of the part that people write: it is kept when the rest is written anew."""

INTRODUCTION = """\
# Reliability

Written by `make soak` (`tests/faults/report.py`), except for the part "Found and fixed". One run of the whole system
on one machine: customers place, cancel, ship, deliver and refund over HTTP, while a nemesis kills and stops processes
and servers, cuts and delays links, loses answers, writes poison, and spoils what is kept beside the log. Then all is
healed, and a program that imports nothing of the application reads the log, the databases, the payment provider's
ledger, the mailbox and the customers' own history, and says whether every promise was kept.
"""

PROCESSES = {"kill": "kill -9", "stop": "SIGSTOP, SIGCONT", "failpoint": "killed or stopped at a named moment"}


def tell(folder: Path) -> str:
    """All there is to say of a run, as Markdown."""
    said, verdict = _object(folder / "evidence.json"), _object(folder / "verdict.json")
    faults = read(folder / "faults.jsonl")
    parts = [INTRODUCTION, "\n".join(_run(said, verdict, faults)), "\n".join(_done(faults))]
    parts += ["\n".join(_recovery(folder)), "\n".join(_windows(verdict, said)), "\n".join(_checked(verdict))]
    parts += ["\n".join(_beside(folder))]
    return "\n\n".join(part for part in parts if part) + "\n"


def write(folder: Path, document: Path) -> None:
    """Write the report into a document, whose hand-written part stays."""
    kept = document.read_text().partition(FOUND)[2] if document.exists() else "\n\nNothing yet.\n"
    document.write_text(f"{tell(folder)}\n{FOUND}{kept}")


def show(folder: Path, console: Console) -> None:
    """The recovery times, as a table on the console."""
    columns = ("back at work, seconds", "times", "p50", "p95", "worst", "limit", "over it", "never")
    table = Table(*columns, title="Recovery", title_justify="left", box=None)
    for row in _rows(folder):
        name = row.kind if row.alone else f"{row.kind}, other faults beside it"
        times = (f"{row.p50:.1f}", f"{row.p95:.1f}", f"{row.worst:.1f}", f"{row.limit:.0f}")
        table.add_row(name, str(row.count), *times, str(row.over), str(row.never))
    console.print(table)


def _rows(folder: Path) -> list[recovery.Row]:
    lines = read(folder / "recovery.jsonl")
    said = _object(folder / "evidence.json")
    if "settled_s" in said:
        lines.append({"kind": "lag", "beside": "", "seconds": said["settled_s"], "limit": 60.0})
    return recovery.rows(lines)


def _run(said: dict[str, Any], verdict: dict[str, Any], faults: list[dict[str, Any]]) -> Iterator[str]:
    minutes = (said.get("healed_at") or time.time()) - said["began"]
    kills = Counter(fault["fault"] for fault in faults)
    yield "## The run\n"
    yield "| | |"
    yield "|---|---|"
    broken = len(verdict.get("violations") or ())
    words = {"valid": "**valid**: no promise was broken", "invalid": f"**invalid**: {broken} promises were broken"}
    yield f"| verdict | {words.get(verdict.get('verdict', ''), '**unknown**')} |"
    yield f"| seed, command | {said['seed']}, `{said['command']}` |"
    yield f"| began, lasted | {_day(said['began'])}, {minutes / 60:.0f} minutes until all was healed |"
    yield f"| orders placed | {said.get('orders', 0):,} at {said['asked']['rate']:g} a second |"
    deadly = kills["kill"] + kills["stop"] + kills["failpoint"] + kills["broker-kill"] + kills["postgres-immediate"]
    yield f"| kills and stops | {deadly:,} of {sum(kills.values()):,} faults |"
    if (seconds := said.get("settled_s")) is not None:
        yield f"| settled | {seconds:.1f} s after all was healed (60 s are allowed) |"
    yield f"| processes that ended by themselves | {len(said.get('deaths') or ())} |"
    yield f"| machine | {_machine()} |"


def _done(faults: list[dict[str, Any]]) -> Iterator[str]:
    yield "## What was done\n"
    yield "| fault | times | to whom |"
    yield "|---|---|---|"
    whom: dict[str, Counter[str]] = {}
    for fault in faults:
        whom.setdefault(fault["fault"], Counter())[str(fault["target"]) or "any topic"] += 1
    for name, targets in sorted(whom.items(), key=lambda item: -item[1].total()):
        named = ", ".join(f"{target} {count}" for target, count in sorted(targets.items()))
        meaning = f" ({PROCESSES[name]})" if name in PROCESSES else ""
        yield f"| {name}{meaning} | {targets.total()} | {named} |"


def _recovery(folder: Path) -> Iterator[str]:
    if not (found := _rows(folder)):
        return
    yield "## Recovery\n"
    yield "Seconds until work goes on: first where nothing else was wrong, then with other faults beside it.\n"
    yield "| what | times | p50 s | p95 s | worst s | limit s | over the limit | never back |"
    yield "|---|---|---|---|---|---|---|---|"
    for row in found:
        name = recovery.MEANING[row.kind] if row.alone else f"{row.kind}, other faults beside it"
        times = f"{row.p50:.2f} | {row.p95:.2f} | {row.worst:.2f} | {row.limit:.0f}"
        yield f"| {name} | {row.count} | {times} | {row.over} | {row.never} |"


def _windows(verdict: dict[str, Any], said: dict[str, Any]) -> Iterator[str]:
    if not (windows := verdict.get("windows")):
        return
    minimum = said.get("minimum") or {}
    yield "## How often a fault hit where it matters\n"
    yield "Below the demanded number the run would be inconclusive, not green.\n"
    yield "| window | hits | demanded |"
    yield "|---|---|---|"
    for name, count in windows.items():
        if not name.startswith(("fault:", "kills:", "stops:")):
            yield f"| {name.replace('_', ' ')} | {count:,} | {minimum.get(name, '')} |"


def _checked(verdict: dict[str, Any]) -> Iterator[str]:
    if not verdict:
        return
    yield "## What the checker held against what\n"
    yield f"{', '.join(f'{count:,} {what}' for what, count in verdict['numbers'].items())}.\n"
    yield "| promise | broken |"
    yield "|---|---|"
    for name, sentence in verdict["promises"].items():
        yield f"| {sentence} | {(verdict['violations'].get(name) or {}).get('count', 0)} |"
    yield "\nRead models, compared field by field with the checker's own fold of the log:\n"
    for table, columns in verdict["compared"].items():
        yield f"- {table}: {', '.join(columns)}"


def _beside(folder: Path) -> Iterator[str]:
    for file, title in (("simulation.txt", "Simulated seeds"), ("bugs.md", "Seeded bugs")):
        path = folder / file
        if path.exists():
            yield f"## {title}\n"
            text = path.read_text().strip()
            yield text if file.endswith(".md") else f"```\n{text}\n```"


def _object(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.decode(path.read_bytes()) if path.exists() else {}
    return found


def _day(seconds: float) -> str:
    return time.strftime("%d %B %Y %H:%M UTC", time.gmtime(seconds))


def _machine() -> str:
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return f"{os.cpu_count()} cores, {memory:.0f} GB, {platform.system()}, Python {platform.python_version()}"
