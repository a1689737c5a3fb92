"""Stock is ample and cards are good, but for the shares that a demonstration asks to go wrong."""

from collections import Counter

import pytest

from workers.baskets import DEFAULT_DAY, Baskets, Loaded, Window

DAY = Window.of(DEFAULT_DAY)


@pytest.fixture(scope="module")
def baskets() -> Baskets:
    return Baskets.from_wheel()


def demand_of(loaded: Loaded) -> Counter[str]:
    demand: Counter[str] = Counter()
    for order in loaded.orders:
        for line in order.lines:
            demand[line.sku] += line.quantity
    return demand


def test_there_is_stock_for_every_order(baskets: Baskets) -> None:
    loaded = baskets.load(DAY)
    demand = demand_of(loaded)

    assert all(item.stock >= 2 * demand[item.sku] for item in loaded.products)
    assert {order.payment_token for order in loaded.orders} == {"tok_visa"}


def test_about_the_share_asked_for_is_scarce(baskets: Baskets) -> None:
    loaded = baskets.load(DAY, scarcity=0.1)
    demand = demand_of(loaded)

    scarce = [item.sku for item in loaded.products if item.stock < demand[item.sku]]

    assert len(scarce) / len(loaded.products) == pytest.approx(0.1, abs=0.02)


def test_about_the_share_asked_for_is_declined(baskets: Baskets) -> None:
    tokens = Counter(order.payment_token for order in baskets.load(DAY, declined=0.2).orders)

    assert tokens["tok_declined"] / tokens.total() == pytest.approx(0.2, abs=0.06)


def test_a_higher_share_adds_misfortunes_and_takes_none_back(baskets: Baskets) -> None:
    few, many = (declined_in(baskets, share) for share in (0.05, 0.5))

    assert few < many


def test_another_seed_strikes_others(baskets: Baskets) -> None:
    other = Baskets(baskets.folder, seed=1)

    assert declined_in(baskets, 0.2) != declined_in(other, 0.2)
    assert baskets.products(DAY, scarcity=0.2) != other.products(DAY, scarcity=0.2)


def test_all_or_none_can_be_asked_for(baskets: Baskets) -> None:
    assert declined_in(baskets, 0.0) == set()
    assert len(declined_in(baskets, 1.0)) == 418


def declined_in(baskets: Baskets, share: float) -> set[str]:
    return {order.order_id for order in baskets.orders(DAY, share) if order.payment_token == "tok_declined"}
