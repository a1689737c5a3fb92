"""Doctor looks at everything that could lose data or stop the work, and says the way out."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence

from msgspec import structs
from rich.text import Text

from events.errors import LogError
from projections.postgres import DatabaseUnavailable
from workers.operator import checks, checks_log, checks_servers
from workers.operator.checks import Check
from workers.operator.ground import Ground, find_settings, kept, quieten, standing
from workers.operator.terms import Exit, Json, Refused, run, screen, show_json

PATIENCE = 20.0
"""Seconds that one group of checks may take."""

GROUPS: dict[str, Callable[[Ground], AsyncIterator[Check]]] = {
    "kafka": checks_servers.of_brokers,
    "topics": checks_log.of_topics,
    "schemas: records": checks_log.of_records,
    "schemas: commands": checks_log.of_commands,
    "positions": checks_log.of_positions,
    "caches": checks_log.of_caches,
    "clock": checks_servers.of_clocks,
}
OF_DATABASES = ("caches", "clock")
"""Groups that have nothing to look at where a database is silent."""
COLORS = {"ok": "green", "warn": "yellow", "fail": "red"}


def doctor(json: Json = False) -> None:
    """Check settings, connections, schemas, topics, positions, clocks and disk; exits with 1 if anything fails."""
    run(_doctor(json))


async def _doctor(as_json: bool) -> None:
    quieten()
    settings = find_settings()
    found = [*checks.of_settings(settings), checks.of_schemas(), checks.of_disk(settings)]
    async with kept(settings) as (_, databases):
        found += await checks_servers.of_databases(databases)
    try:
        async with standing(whole=False, settings=settings) as ground:
            silent = any(check.silent for check in found)
            for name, group in GROUPS.items():
                if not (silent and name in OF_DATABASES):
                    found += await _asked(name, group, ground)
    except LogError as fault:
        out = "is it up, and is ORDERLOG_KAFKA its address?"
        found.append(Check("kafka", "fail", f"no answer: {fault}", out, silent=True))
    _say(found, as_json)
    if any(check.silent for check in found):
        raise Refused("a server gives no answer", Exit.UNAVAILABLE)
    if fails := sum(check.level == "fail" for check in found):
        raise Refused(f"{fails} checks fail")


async def _asked(name: str, group: Callable[[Ground], AsyncIterator[Check]], ground: Ground) -> list[Check]:
    """What a group found, up to where a server gave no answer."""
    found: list[Check] = []
    try:
        async with asyncio.timeout(PATIENCE):
            async for check in group(ground):
                found += [check]
    except (LogError, DatabaseUnavailable, TimeoutError) as fault:
        said = f"could not be looked at: {fault or 'no answer in time'}"
        found.append(Check(name, "fail", said, "see what else fails"))
    return found


def _say(found: Sequence[Check], as_json: bool) -> None:
    if as_json:
        good = not any(check.level == "fail" for check in found)
        show_json({"ok": good, "checks": [structs.asdict(check) for check in found]})
        return
    out = screen()
    for check in found:
        out.print(Text(f"{check.level:4} ", style=COLORS[check.level]) + Text(f"{check.name}: {check.said}"))
        if check.level != "ok" and check.way_out:
            out.print(Text(f"     → {check.way_out}"))
