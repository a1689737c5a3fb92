"""An order's reservation on a shelf: all or none, never more than there is, until committed, released or lapsed."""

from aggregates.reservation import decider
from events.product import ProductEvent, ReservationEvent
from schemas.product import (
    CommitReservation,
    ExtendReservation,
    LapseReservation,
    ReleaseItems,
    ReleaseReservation,
    ReserveStock,
    ShipItems,
    ShipReservation,
)
from tests.builders.order import K1, K2
from tests.builders.product import (
    SHELF,
    committed,
    extended,
    items,
    lapsed,
    listed,
    made,
    received,
    reduced,
    refused,
    released,
    shipped,
    stock_released,
    stock_reserved,
    stock_shipped,
    withdrawn,
)
from tests.builders.values import FIGS, HOLD, MILK, NOON, WATER, A, B
from tests.spec import Life, Spec

Past = tuple[ProductEvent | ReservationEvent, ...]
shelf = Spec(decider(HOLD))
STREAM = f"reservation-{SHELF}-{A}"
STOCKED: Past = (listed(FIGS), received(5, FIGS), listed(MILK), received(1, MILK))
HELD: Past = (*STOCKED, stock_reserved(2, FIGS), stock_reserved(1, MILK), made())
COMMITTED: Past = (*HELD, committed())
LET_GO: Past = (stock_released(2, FIGS), stock_released(1, MILK))
COMMIT = CommitReservation(order_id=A, partition=SHELF)
RELEASE = ReleaseReservation(order_id=A, partition=SHELF)
LAPSE = LapseReservation(order_id=A, partition=SHELF)
SHIP = ShipReservation(order_id=A, partition=SHELF)


def reserve(*wanted: tuple[str, int], order_id: str = A) -> ReserveStock:
    return ReserveStock(order_id=order_id, partition=SHELF, items=items(*wanted))


def stock(life: Life, sku: str = FIGS) -> tuple[int, int]:
    product = life.state(f"product-{sku}")
    return product.on_hand, product.held


def test_every_item_of_the_order_is_held_until_the_hold_ends() -> None:
    shelf.given(*STOCKED).when(reserve()).then(stock_reserved(2, FIGS), stock_reserved(1, MILK), made())
    assert made().expires_at == NOON + HOLD


def test_one_short_item_refuses_all_of_them_and_holds_nothing() -> None:
    shelf.given(*STOCKED).when(reserve((FIGS, 2), (MILK, 2))).then(refused(MILK))


def test_what_one_order_holds_another_cannot_have() -> None:
    life = shelf.given(*STOCKED)
    life.ask(reserve((FIGS, 3)))
    life.when(reserve((FIGS, 3), order_id=B)).then(refused(FIGS, order_id=B))
    life.when(reserve((FIGS, 2), order_id=B)).then(stock_reserved(2, FIGS, order_id=B), made((FIGS, 2), order_id=B))


def test_two_lines_of_one_sku_count_together() -> None:
    shelf.given(*STOCKED).when(reserve((FIGS, 3), (FIGS, 3))).then(refused(FIGS))
    shelf.given(*STOCKED).when(reserve((FIGS, 2), (FIGS, 3))).then(stock_reserved(5, FIGS), made((FIGS, 5)))


def test_a_withdrawn_product_is_refused_though_there_is_stock() -> None:
    shelf.given(*STOCKED, withdrawn(FIGS)).when(reserve((FIGS, 1))).then(refused(FIGS, reason="not on sale"))


def test_a_product_withdrawn_while_held_can_still_be_shipped() -> None:
    shelf.given(*COMMITTED, withdrawn(FIGS)).when(SHIP).then(stock_shipped(2, FIGS), stock_shipped(1, MILK), shipped())


def test_a_product_that_is_not_listed_is_refused() -> None:
    assert shelf.given(*STOCKED).when(reserve((WATER, 1))).events[0].model_dump()["skus"] == (WATER,)


def test_an_order_is_answered_once_per_shelf() -> None:
    shelf.given(*HELD).when(reserve()).then_nothing()
    shelf.given(*STOCKED, refused(MILK)).when(reserve()).then_nothing()
    shelf.given(*COMMITTED).when(reserve()).then_nothing()


def test_a_committed_hold_lapses_no_more() -> None:
    shelf.given(*HELD).when(COMMIT).then(committed())
    shelf.given(*COMMITTED).when(LAPSE).then_nothing()
    shelf.given(*COMMITTED).leaves(STREAM)


def test_a_hold_lapses_when_its_time_is_over_and_gives_everything_back() -> None:
    life = shelf.given(*HELD)
    life.leaves(STREAM, "lapse")
    assert shelf.decider.todos(life.state(STREAM))[0].due == NOON + HOLD
    life.when(LAPSE).then(*LET_GO, lapsed())
    life.ask(LAPSE)
    life.leaves(STREAM)
    assert stock(life) == (5, 0)


def test_a_lapsed_hold_can_be_neither_committed_nor_released_nor_shipped() -> None:
    for command in (COMMIT, RELEASE, LAPSE, SHIP, reserve()):
        shelf.given(*HELD, *LET_GO, lapsed()).when(command).then_nothing()


def test_a_release_gives_back_what_is_held_committed_or_not() -> None:
    shelf.given(*HELD).when(RELEASE).then(*LET_GO, released())
    shelf.given(*COMMITTED).when(RELEASE).then(*LET_GO, released())


def test_a_release_gives_back_once() -> None:
    shelf.given(*HELD, *LET_GO, released()).when(RELEASE).then_nothing()


def test_a_release_that_overtakes_its_reservation_leaves_nothing_held() -> None:
    life = shelf.given(*STOCKED)
    life.when(RELEASE).then(released())
    life.ask(RELEASE)
    life.when(reserve()).then_nothing()
    assert stock(life) == (5, 0)


def test_a_release_after_a_refusal_has_nothing_to_give_back() -> None:
    shelf.given(*STOCKED, refused(MILK)).when(RELEASE).then_nothing()


def test_shipped_goods_leave_the_shelf_once() -> None:
    life = shelf.given(*COMMITTED)
    life.when(SHIP).then(stock_shipped(2, FIGS), stock_shipped(1, MILK), shipped())
    life.ask(SHIP)
    assert (stock(life, FIGS), stock(life, MILK)) == ((3, 0), (0, 0))
    life.when(SHIP).then_nothing()
    life.when(RELEASE).then_nothing()


def test_what_is_not_committed_is_not_shipped() -> None:
    shelf.given(*STOCKED).when(SHIP).then_nothing()
    shelf.given(*HELD).when(SHIP).then_nothing()


def test_what_was_never_reserved_is_neither_committed_nor_lapsed() -> None:
    shelf.given(*STOCKED).when(COMMIT).then_nothing()
    shelf.given(*STOCKED).when(LAPSE).then_nothing()


def test_a_part_of_what_is_held_is_given_back_once() -> None:
    one = ReleaseItems(order_id=A, partition=SHELF, part_id=K1, items=items((FIGS, 1)))
    for past in (HELD, COMMITTED):
        shelf.given(*past).when(one).then(stock_released(1, FIGS), reduced((FIGS, 1)))
        shelf.given(*past, stock_released(1, FIGS), reduced((FIGS, 1))).when(one).then_nothing()


def test_no_more_is_given_back_than_is_held_and_the_last_part_ends_the_reservation() -> None:
    many = ReleaseItems(order_id=A, partition=SHELF, part_id=K1, items=items((FIGS, 9)))
    rest = ReleaseItems(order_id=A, partition=SHELF, part_id=K2, items=items((FIGS, 1), (MILK, 1)))
    fewer: Past = (*COMMITTED, stock_released(2, FIGS), reduced((FIGS, 2)))
    shelf.given(*COMMITTED).when(many).then(stock_released(2, FIGS), reduced((FIGS, 2)))
    shelf.given(*fewer).when(rest).then(stock_released(1, MILK), released())
    shelf.given(*STOCKED).when(many).then_nothing()


def test_what_is_left_of_a_reservation_ships_lapses_or_is_released() -> None:
    fewer: Past = (*HELD, stock_released(1, FIGS), reduced((FIGS, 1)))
    left: Past = (stock_released(1, FIGS), stock_released(1, MILK))
    shelf.given(*fewer).when(RELEASE).then(*left, released())
    shelf.given(*fewer).when(LAPSE).then(*left, lapsed())
    shelf.given(*fewer, committed()).when(ShipReservation(order_id=A, partition=SHELF)).then(
        stock_shipped(1, FIGS), stock_shipped(1, MILK), shipped()
    )


def test_a_part_leaves_the_shelf_once_and_only_what_is_committed() -> None:
    one = ShipItems(order_id=A, partition=SHELF, part_id=K1, items=items((FIGS, 1)))
    rest = ShipItems(order_id=A, partition=SHELF, part_id=K2, items=items((MILK, 1), (FIGS, 5)))
    part: Past = (*COMMITTED, stock_shipped(1, FIGS), reduced((FIGS, 1)))
    shelf.given(*HELD).when(one).then_nothing()
    shelf.given(*COMMITTED).when(one).then(stock_shipped(1, FIGS), reduced((FIGS, 1)))
    shelf.given(*part).when(one).then_nothing()
    shelf.given(*part).when(rest).then(stock_shipped(1, MILK), stock_shipped(1, FIGS), shipped())


def more(*wanted: tuple[str, int], part_id: str = K1) -> ExtendReservation:
    return ExtendReservation(order_id=A, partition=SHELF, part_id=part_id, items=items(*wanted))


def test_what_an_amendment_adds_is_held_for_as_long_as_the_rest() -> None:
    later = NOON + HOLD / 2
    life = shelf.given(*HELD)
    life.when(more((FIGS, 3)), later).then(stock_reserved(3, FIGS), extended((FIGS, 3)))
    life.ask(more((FIGS, 3)), later)
    assert dict(life.state(STREAM).items) == {FIGS: 5, MILK: 1}
    life.when(more((FIGS, 3)), later).then_nothing()
    life.when(RELEASE).then(stock_released(5, FIGS), stock_released(1, MILK), released())
    life.when(COMMIT).then(committed(FIGS, MILK))


def test_what_an_amendment_adds_may_be_the_first_of_this_shelf() -> None:
    life = shelf.given(*STOCKED)
    life.when(more((FIGS, 1))).then(stock_reserved(1, FIGS), extended((FIGS, 1)))
    life.ask(more((FIGS, 1)))
    life.leaves(STREAM, "lapse")


def test_an_order_that_cannot_be_amended_in_full_holds_nothing_here() -> None:
    life = shelf.given(*HELD)
    life.when(more((FIGS, 4))).then(*LET_GO, refused(FIGS))
    life.ask(more((FIGS, 4)))
    life.when(RELEASE).then_nothing()
    life.when(more((FIGS, 1), part_id=K2)).then_nothing()


def test_nothing_is_added_to_what_is_over_or_committed() -> None:
    for past in (COMMITTED, (*HELD, *LET_GO, released()), (*STOCKED, refused(FIGS))):
        shelf.given(*past).when(more((FIGS, 1))).then_nothing()


def test_a_reservation_whose_last_part_was_called_off_may_be_amended_and_an_order_that_is_off_leaves_nothing() -> None:
    emptied = shelf.given(*HELD, *LET_GO, released(part_id=K2))
    emptied.leaves(STREAM)
    emptied.when(more((FIGS, 1))).then(stock_reserved(1, FIGS), extended((FIGS, 1)))
    emptied.when(RELEASE).then_nothing()
    emptied.when(COMMIT).then_nothing()
