"""FirstVersions says that every read model has its first version, joined: for stores on databases that are none."""

from collections.abc import Sequence

from projections.journals import journals
from projections.table import Table, table_of
from projections.versions import Versions
from projections.view import Model, Projection


def tables(context: str, projections: Sequence[Projection]) -> list[Table]:
    """The first version's table of each read model of a context."""
    models: list[Model] = [*projections, *journals(context)]
    return [table_of(model, f"{model.name}_v1", []) for model in models]


class FirstVersions(Versions):
    """As Versions, without a database."""

    def __init__(self, context: str, projections: Sequence[Projection]) -> None:
        self._context, self._projections = context, projections

    async def install(self) -> None:
        """They are there."""

    async def joined(self) -> list[Table]:
        """All of them."""
        return tables(self._context, self._projections)
