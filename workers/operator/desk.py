"""Desk is what a command on a read model works with; one command builds a read model at a time."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

from msgspec import Struct

from projections.postgres import Database, Lacking
from projections.registry import CHECKPOINTS, models
from projections.store import Moved
from projections.versions import Refusal, Version, Versions
from projections.view import Model
from schemas.settings import CONTEXTS
from workers.hands import Hands
from workers.operator.bars import Bars
from workers.operator.ground import Ground, standing
from workers.operator.terms import Exit, Refused, screen, show_json, unknown
from workers.rebuild import Busy, Pace, Rebuild, Stopped, Tell, building


class Desk(Struct, frozen=True):
    """What a command works with: the read model as this code has it, and its versions."""

    ground: Ground
    model: Model
    versions: Versions

    @property
    def name(self) -> str:
        return f"{self.model.context}.{self.model.name}"

    async def live(self) -> Version:
        """The version that readers see.

        Raises:
            Refused: none yet.
        """
        for version in await self.versions.all():
            if version.name == self.model.name and version.live:
                return version
        raise Refused(f"{self.name} has no live version yet: `orders projections rebuild {self.model.name}`")

    async def version(self, number: int) -> Version:
        """One version.

        Raises:
            Refused: there is none of that number.
        """
        ours = [version for version in await self.versions.all() if version.name == self.model.name]
        for version in ours:
            if version.number == number:
                return version
        raise unknown("version", str(number), [str(version.number) for version in ours])

    async def marks(self) -> dict[int, int]:
        """The context's checkpoint, by partition."""
        rows = await self.versions.database.fetch(CHECKPOINTS)
        return {row["partition"]: row["next"] for row in rows}

    async def filled(self, version: Version, rate: float | None, resumed: bool, as_json: bool) -> Rebuild:
        """A version brought close to the live checkpoint, with bars."""
        with Bars(version.table, as_json) as bars:
            bars.say(f"{'Going on with' if resumed else 'Filling'} {version.table} from the log")
            rebuild = self.rebuild(version, rate, bars.tell)
            await rebuild.open()
            await rebuild.fill()
        return rebuild

    def rebuild(self, version: Version, rate: float | None, tell: Tell) -> Rebuild:
        """The filling of a version, by all cores unless there is a rate to keep to."""
        helped = Hands(self.ground.settings, self.model.context) if rate is None else None
        return Rebuild(self.ground.log, self.versions, version, Pace(rate), tell, helped)


@asynccontextmanager
async def at_desk(name: str) -> AsyncIterator[Desk]:
    """The desk for a read model; what may go wrong on the way is said as a refusal."""
    async with standing() as ground:
        model = model_of(name)
        database = Database(ground.settings.postgres, model.context, wait=3.0, size=12)
        await database.open()
        try:
            with refusing(model.name):
                yield Desk(ground, model, Versions(database, models(model.context)))
        finally:
            await database.close()


@contextmanager
def refusing(name: str) -> Iterator[None]:
    """What may go wrong while something of this name is built is said as a refusal."""
    try:
        yield
    except Stopped as stop:
        raise Refused(f"{stop}. What it had is kept; the same command goes on from there", Exit.STOPPED) from stop
    except Moved:
        raise Refused("somebody else has built on it, or dropped it, in the meantime") from None
    except Lacking as no:
        raise Refused(f"{name} cannot be built: {no}") from no
    except (Busy, Refusal) as no:
        raise Refused(str(no)) from no


@asynccontextmanager
async def alone_at_desk(name: str, patience: float = 0) -> AsyncIterator[Desk]:
    """The desk, with the right to build the read model, for one at a time; as rebuild.building()."""
    async with at_desk(name) as desk, building(desk.versions, desk.model, patience):
        yield desk


def model_of(name: str) -> Model:
    """The read model of this name as this code has it, newest version.

    Raises:
        Refused: none has it, or several contexts have.
    """
    context, _, bare = name.rpartition(".")
    known = [model for each in CONTEXTS for model in models(each)]
    found = [model for model in known if model.name == bare and context in ("", model.context)]
    if len({model.context for model in found}) > 1:
        raise Refused(
            f"several contexts have {bare}: say {', '.join(f'{m.context}.{bare}' for m in found)}", Exit.UNKNOWN
        )
    if not found:
        raise unknown("read model", name, sorted({f"{model.context}.{model.name}" for model in known}))
    return max(found, key=lambda model: model.version)


def say(as_json: bool, **said: Any) -> None:
    """The end of a command, in words or as JSON."""
    if as_json:
        show_json(said)
    else:
        screen().print("; ".join(f"{name} {value}" for name, value in said.items() if value != ""))
