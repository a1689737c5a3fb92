"""Order lines are what is still ordered: so many at a price, with their tax, and what is left when some are not."""

from collections.abc import Iterable, Mapping

from msgspec import Struct
from msgspec.structs import replace

from schemas.values import Line as Told


class Line(Struct, frozen=True, array_like=True):
    """So many of one SKU at a unit price, with the tax on all of them, in minor units."""

    sku: str
    quantity: int
    unit_price: int
    tax: int = 0

    @property
    def cost(self) -> int:
        """What the line comes to, tax included."""
        return self.quantity * self.unit_price + self.tax

    def less(self, quantity: int) -> "Line":
        """The line with so many fewer; the tax shrinks with them, so that all parts together are the whole."""
        left = self.quantity - quantity
        return replace(self, quantity=left, tax=self.tax * left // self.quantity)


def recorded(lines: Iterable[Told]) -> tuple[Line, ...]:
    """Lines as they were told."""
    return tuple(Line(line.sku, line.quantity, line.unit_price, line.tax_cents) for line in lines)


def quantity_of(lines: Iterable[Line], sku: str) -> int:
    """How many of one SKU."""
    return sum(line.quantity for line in lines if line.sku == sku)


def cost_of(lines: Iterable[Line]) -> int:
    """What the lines come to, tax included."""
    return sum(line.cost for line in lines)


def tax_of(lines: Iterable[Line]) -> int:
    """The tax in what the lines come to."""
    return sum(line.tax for line in lines)


def only(lines: tuple[Line, ...], quantities: Mapping[str, int]) -> tuple[Line, ...]:
    """The lines with no more than so many of each SKU."""
    for sku in dict.fromkeys(line.sku for line in lines):
        lines = without(lines, sku, quantity_of(lines, sku) - quantities.get(sku, 0))
    return lines


def amended(lines: Iterable[Line], news: Iterable[Line]) -> tuple[Line, ...]:
    """The lines that are left, each SKU that is told anew in its place, and new ones at the end."""
    told: dict[str, list[Line]] = {}
    for line in news:
        told.setdefault(line.sku, []).append(line)
    renewed = set(told)
    kept: list[Line] = []
    for line in lines:
        if line.sku in renewed:
            kept += told.pop(line.sku, ())
        elif line.quantity:
            kept.append(line)
    return (*kept, *(line for news in told.values() for line in news))


def without(lines: tuple[Line, ...], sku: str, quantity: int) -> tuple[Line, ...]:
    """The lines with so many fewer of a SKU; of several lines with it, the last gives first."""
    kept: list[Line] = []
    for line in reversed(lines):
        taken = min(quantity, line.quantity) if line.sku == sku else 0
        quantity -= taken
        kept.append(line.less(taken) if taken else line)
    return tuple(reversed(kept))
