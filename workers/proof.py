"""Proof is what speaks for a new version before readers see it: it agrees with the live one, or with a second fold.

Where the code has not changed, every row must be the same as the live one's at the same positions. Where it has, a
second, independent fold of some keys, event by event in memory, must lead to the same rows; and the columns that both
have are compared with the live ones, for a person to judge.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from msgspec import Struct, json, structs

from events.log import Log
from projections.digest import Difference, Side, differences, digest, rows_in, spoken
from projections.postgres import Connection
from projections.versions import Version, Versions, fences
from projections.view import Model, Projection, totals_table
from workers.fold import Fold
from workers.rebuild import Rebuild

MOST = 1000
"""Rows that differ, after which no more are looked for."""
SAMPLE = 200
"""Keys that are folded a second time."""


class Proof(Struct, frozen=True):
    """What was found.

    positions: where both stand, by partition. columns: those compared with the live version. differing: the rows that
    are not the same, at most MOST. folded, misfolded: keys folded a second time, and those with another row. sums,
    live_sums: rows of the new and the live one's totals that are not the sum of what they are made of.
    """

    live: str
    new: str
    same_code: bool
    positions: dict[int, int]
    columns: tuple[str, ...] = ()
    live_rows: int = 0
    new_rows: int = 0
    live_digest: str = ""
    new_digest: str = ""
    differing: tuple[Difference, ...] = ()
    folded: int = 0
    misfolded: tuple[Difference, ...] = ()
    sums: int = 0
    live_sums: int = 0
    note: str = ""

    @property
    def sound(self) -> bool:
        """The rows are what the code makes of the log."""
        return not self.misfolded and not self.sums and not (self.same_code and self.differing)

    @property
    def same(self) -> bool:
        """Readers will see no difference in what both versions have."""
        return self.sound and not self.differing and not self.live_sums

    def fields(self) -> dict[str, int]:
        """How many rows differ, by field."""
        return dict(Counter(name for row in self.differing for name in (row.live or row.new or {})).most_common())


async def prove(log: Log, rebuild: Rebuild, versions: Versions, sample: int = SAMPLE) -> Proof:
    """Hold a version that is close against the live one, and against the log.

    The live one is seen as it was at one moment, while it goes on; the new one is brought to the same positions.
    """
    model = versions.models[rebuild.version.name, rebuild.version.code]
    live = next((v for v in await versions.all() if v.name == model.name and v.live), None)
    found = await _compared(rebuild, versions, model, live)
    sums = await _sums(versions, model, rebuild.version)
    if live is not None and found.same_code:
        found = structs.replace(found, live_sums=await _sums(versions, model, live))
    if found.same_code or not isinstance(model, Projection):
        return structs.replace(found, sums=sums)
    folded, misfolded = await _second_fold(log, rebuild, versions, model, sample)
    return structs.replace(found, sums=sums, folded=folded, misfolded=tuple(misfolded))


async def _compared(rebuild: Rebuild, versions: Versions, model: Model, live: Version | None) -> Proof:
    new, at = rebuild.version, {p: fence.next for p, fence in rebuild.positions.items()}
    if live is None:
        return Proof("", new.table, False, at, note="there is no live version yet")
    async with versions.database.snapshot() as seen:
        ends = await _positions(seen, live)
        if any(at[p] > ends.get(p, 0) for p in at):
            return Proof(
                live.table, new.table, False, at, note=f"{live.table} stands still at {ends}, which is earlier"
            )
        await rebuild.advance(ends)
        there = {row["attname"] for row in await (await seen.execute(_COLUMNS, [live.table])).fetchall()}
        columns = tuple(name for name in model.columns if name in there)
        async with versions.database.snapshot() as ours:
            sides = Side(seen, live.table), Side(ours, new.table)
            one, two = [await digest(side, columns, model.keys) for side in sides]
            parts = [part for part in one.keys() | two.keys() if one.get(part) != two.get(part)]
            rows = await differences(*sides, columns, model.keys, parts, MOST)
    return Proof(
        live.table, new.table, live.code == new.code, ends, columns, rows_in(one), rows_in(two), spoken(one),
        spoken(two), tuple(rows),
    )  # fmt: skip


_COLUMNS = "SELECT attname FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped"


async def _positions(seen: Connection, live: Version) -> dict[int, int]:
    if live.joined:
        found = await seen.execute("SELECT * FROM checkpoints")
    else:
        found = await seen.execute(
            "SELECT * FROM view_positions WHERE (name, number) = (%s, %s)", [live.name, live.number]
        )
    return {partition: fence.next for partition, fence in fences(await found.fetchall()).items()}


async def _sums(versions: Versions, model: Model, version: Version) -> int:
    """Rows of the totals that are not the sum of the rows that they are of."""
    if model.totals is None:
        return 0
    keys = ", ".join(("partition", *model.totals.keys))
    both = ", ".join((keys, *model.totals.sums))
    kept = (
        f"SELECT {both} FROM {totals_table(version.table)} WHERE {' OR '.join(f'{s} <> 0' for s in model.totals.sums)}"  # noqa: S608
    )
    summed = ", ".join(f"sum({name}) AS {name}" for name in model.totals.sums)
    made = f"SELECT {keys}, {summed} FROM ({model.totals.query.format(rows=version.table)}) AS r GROUP BY {keys}"  # noqa: S608
    made += f" HAVING {' OR '.join(f'sum({name}) <> 0' for name in model.totals.sums)}"
    rows = await versions.database.fetch(
        f"SELECT count(*) AS n FROM (({kept} EXCEPT {made}) UNION ALL ({made} EXCEPT {kept})) AS d"  # noqa: S608
    )
    return int(rows[0]["n"])


async def _second_fold(
    log: Log, rebuild: Rebuild, versions: Versions, model: Projection, sample: int
) -> tuple[int, list[Difference]]:
    """Fold some keys again, one event after the other and in memory, and hold the rows against what was written."""
    names = ", ".join(model.columns)
    rows = await versions.database.fetch(
        f"SELECT {names} FROM {rebuild.version.table} ORDER BY hashtextextended({model.key}, 7) LIMIT %(n)s",  # noqa: S608
        {"n": sample},
    )
    wrong: list[Difference] = []
    for partition, fence in rebuild.positions.items():
        kept = {row[model.key]: row for row in rows if row["partition"] == partition}
        if kept:
            fold = Fold(log, model, partition, set(kept))
            await fold.upto(fence.next)
            made = fold.rows()
            wrong += [found for key in sorted(kept) if (found := _misfolded(key, partition, made.get(key), kept[key]))]
    return len(rows), wrong


def _misfolded(key: str, partition: int, made: Mapping[str, Any] | None, kept: Mapping[str, Any]) -> Difference | None:
    """The row as the log makes it (on the live one's side) and as it was written, where they are not the same."""
    if made is None:
        return Difference(key, partition, None, dict(kept))
    fields = [name for name in kept if _plain(made[name]) != _plain(kept[name])]
    if not fields:
        return None
    return Difference(key, partition, {name: made[name] for name in fields}, {name: kept[name] for name in fields})


def _plain(value: Any) -> Any:
    """A value as JSON has it, in one time zone: what a database gives back is not what it got."""
    if isinstance(value, datetime):
        value = value.astimezone(UTC)
    return json.decode(json.encode(value))


def shown(rows: Sequence[Difference], most: int) -> list[dict[str, Any]]:
    """The first differing rows, a line for each field."""
    lines: list[dict[str, Any]] = []
    for row in rows[:most]:
        if row.live is None or row.new is None:
            lines.append({"key": row.key, "field": "(row)", "live": _there(row.live), "new": _there(row.new)})
        else:
            lines += [
                {"key": row.key, "field": name, "live": str(row.live[name])[:60], "new": str(row.new.get(name))[:60]}
                for name in row.live
            ]
    return lines


def _there(row: Mapping[str, Any] | None) -> str:
    return "missing" if row is None else "there"
