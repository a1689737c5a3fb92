"""Catalogue knows which SKUs are on sale: an order for others is refused at the door, naming its lines.

What was on sale a moment ago is not asked for again. Should it be withdrawn in between, the product context refuses.
"""

import time
from collections.abc import Sequence

from api.problems import Problem, field_error
from api.watch import Ask
from schemas.order import OrderLine

FRESH = 5.0
"""Seconds that an answer is trusted."""


class Catalogue:
    """The SKUs that were on sale when last asked for; `missing` says which of some are not."""

    def __init__(self, missing: Ask) -> None:
        self._ask = missing
        self._until: dict[str, float] = {}

    async def refuse_unknown(self, lines: Sequence[OrderLine]) -> None:
        """Check an order's lines.

        Raises:
            Problem: 422, naming the lines.
        """
        missing = await self._missing({line.sku for line in lines})
        errors = [
            field_error(("lines", index, "sku"), f"{line.sku} is not on sale", "sku_unknown")
            for index, line in enumerate(lines)
            if line.sku in missing
        ]
        if errors:
            raise Problem("SkuUnknown", f"{', '.join(sorted(missing)[:10])}: not on sale", errors[:20])

    async def _missing(self, skus: set[str]) -> set[str]:
        now = time.monotonic()
        unsure = [sku for sku in skus if self._until.get(sku, 0) < now]
        if not unsure:
            return set()
        missing = {row["asked"] for row in await self._ask(unsure)}
        self._until.update(dict.fromkeys((sku for sku in unsure if sku not in missing), now + FRESH))
        return missing
