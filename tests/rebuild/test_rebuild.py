"""A version is filled beside the live one, proved at the same positions, and switched to, while the shop goes on."""

import asyncio

import pytest
from msgspec.structs import replace

from projections.order import ORDERS, project
from projections.versions import Refusal
from tests.rebuild.workshop import Raises, Workshop, changed, forgetful, until
from workers.rebuild import CHUNK, Busy, Pace, Rebuild, Stopped, begun, building, nothing, rejoin, stand_apart

pytestmark = [pytest.mark.infra, pytest.mark.anyio]
NEXT = ORDERS.version + 1


async def test_a_rebuilt_version_has_the_same_rows_and_readers_notice_nothing(shop: Workshop) -> None:
    await shop.sold(20, cancelled=3)
    counts: list[int] = []
    customers = asyncio.create_task(shop.sold(30))
    readers = asyncio.create_task(_counting(shop, counts))
    rebuild = await shop.filled()
    proof = await shop.proved(rebuild)
    former = await shop.switched(rebuild)
    await customers
    readers.cancel()
    await asyncio.gather(readers, return_exceptions=True)

    assert proof.same, proof
    assert (proof.live_digest, proof.live_rows) == (proof.new_digest, proof.new_rows)
    assert counts == sorted(counts), "a reader saw fewer orders than before"
    assert former is not None
    assert (await shop.live()).number != former.number
    assert (await shop.proved(await shop.filled())).same, "the switched one did not go on with the others"


async def _counting(shop: Workshop, counts: list[int]) -> None:
    while True:
        counts.append((await shop.database.fetch("SELECT count(*) AS n FROM orders"))[0]["n"])
        await asyncio.sleep(0.002)


async def test_a_row_that_is_wrong_is_shown_field_by_field(shop: Workshop) -> None:
    ids = await shop.sold(3)
    live = (await shop.live()).table
    async with shop.database.transaction() as connection:
        await connection.execute(f"UPDATE {live} SET status = 'lost', total = 7 WHERE order_id = %s", [ids[0]])
        await connection.execute(f"DELETE FROM {live} WHERE order_id = %s", [ids[1]])
    proof = await shop.proved(await shop.filled())

    differing = {row.key: row for row in proof.differing}
    assert differing.keys() == {ids[0], ids[1]}
    assert (differing[ids[0]].live, differing[ids[0]].new) == (
        {"status": "lost", "total": 7},
        {"status": "confirmed", "total": 250},
    )
    assert differing[ids[1]].live is None
    assert not proof.sound


async def test_a_bug_in_code_that_says_it_is_the_same_is_caught_before_the_switch(shop: Workshop) -> None:
    ids = await shop.sold(4, cancelled=2)
    buggy = changed(forgetful)
    proof = await shop.proved(await shop.filled(buggy), buggy)
    assert not proof.sound
    assert proof.fields()["status"] >= 2
    assert set(ids[2:]) <= {row.key for row in proof.differing}


async def test_a_bug_in_new_code_is_seen_in_the_columns_that_both_have(shop: Workshop) -> None:
    ids = await shop.sold(4, cancelled=2)
    buggy = changed(forgetful, version=NEXT)
    proof = await shop.proved(await shop.filled(buggy, ORDERS), buggy, ORDERS)
    assert proof.folded > 0
    assert proof.sound, "it is what its code makes of the log"
    assert not proof.same
    assert set(ids[2:]) <= {row.key for row in proof.differing}


async def test_rows_that_new_code_does_not_make_of_the_log_are_found_by_the_second_fold(shop: Workshop) -> None:
    ids = await shop.sold(3)
    second = changed(project, version=NEXT)
    rebuild = await shop.filled(second, ORDERS)
    async with shop.database.transaction() as connection:
        await connection.execute(f"UPDATE {rebuild.version.table} SET total = 1 WHERE order_id = %s", [ids[0]])
    proof = await shop.proved(rebuild, second, ORDERS)
    assert [row.key for row in proof.misfolded] == [ids[0]]
    assert not proof.sound


async def test_new_code_is_switched_to_and_back_while_old_code_keeps_its_own(shop: Workshop) -> None:
    await shop.sold(3)
    second = changed(project, version=NEXT)
    first = await shop.live()
    rebuild = await shop.filled(second, ORDERS)
    await shop.switched(rebuild, second, ORDERS)
    assert (await shop.live()).code == NEXT
    [late] = await shop.sold_unseen()  # the workers run the old code
    assert await shop.row(late) == {}, "nobody keeps the new one"
    await until(lambda: shop.row(late, first.table))

    versions = shop.versions(second, ORDERS)
    again = Rebuild(shop.log, versions, rebuild.version, Pace(None), nothing)
    await again.open()
    await rejoin(again, versions)  # as a worker with the new code has it done when it starts
    assert (await shop.row(late))["total"] == 250

    back = Rebuild(shop.log, shop.versions(), first, Pace(None), nothing)
    await back.open()
    await shop.switched(back)
    assert (await shop.live()).number == first.number


async def test_an_event_that_cannot_be_taken_in_stops_the_rebuild_which_goes_on_after_a_fix(shop: Workshop) -> None:
    ids = await shop.sold(3)
    bug = Raises(ids[1])
    broken = changed(bug, version=NEXT)
    with pytest.raises(Stopped, match=rf"order.confirmed.v1 at \d:\d+, key {ids[1]}: ZeroDivisionError"):
        await shop.filled(broken, ORDERS)
    [stopped] = [v for v in await shop.versions().all() if v.name == "orders" and v.code == NEXT]
    assert (stopped.state, ids[1] in stopped.said) == ("stopped", True)
    assert (await shop.row(ids[1], stopped.table))["status"] == "secured", "what came before is kept"

    bug.order_id = "nobody"
    rebuild = await shop.filled(broken, ORDERS)
    assert rebuild.version.number == stopped.number, "it went on with the same one"
    assert (await shop.row(ids[1], stopped.table))["status"] == "confirmed"
    assert (await shop.proved(rebuild, broken, ORDERS)).same


async def test_what_was_committed_is_not_read_again(shop: Workshop) -> None:
    await shop.sold(10)
    versions = shop.versions()
    version, resumed = await begun(versions, ORDERS, again=False)
    assert not resumed
    cut = Rebuild(shop.log, versions, version, Pace(None), nothing)
    await cut.open()
    goals = {p: at // 2 for p, at in (await cut.live()).items()}
    await cut.advance(goals)  # and then it is killed

    version, resumed = await begun(versions, ORDERS, again=False)
    again = Rebuild(shop.log, versions, version, Pace(None), nothing)
    await again.open()
    assert resumed
    assert {p: fence.next for p, fence in again.positions.items()} == goals
    await again.fill()
    assert (await shop.proved(again)).same


async def test_only_one_builds_a_read_model_at_a_time(shop: Workshop) -> None:
    versions = shop.versions()
    async with building(versions, ORDERS):
        with pytest.raises(Busy):
            async with building(versions, ORDERS):
                pass


async def test_who_is_patient_gets_the_right_to_build_when_the_other_has_ended(shop: Workshop) -> None:
    ended = False

    async def another() -> None:
        nonlocal ended
        async with building(shop.versions(), ORDERS):
            await asyncio.sleep(0.5)
            ended = True

    other = asyncio.create_task(another())
    await asyncio.sleep(0.2)
    async with building(shop.versions(), ORDERS, patience=20):
        assert ended
    await other


async def test_a_live_version_cannot_be_dropped(shop: Workshop) -> None:
    with pytest.raises(Refusal, match="is live"):
        await shop.versions().drop(await shop.live())


async def test_a_read_model_that_stands_still_shows_the_past_and_comes_back(shop: Workshop) -> None:
    versions, live = shop.versions(), await shop.live()
    await stand_apart(versions, live)
    [late] = await shop.sold_unseen()
    assert await shop.row(late) == {}
    rebuild = Rebuild(shop.log, versions, live, Pace(None), nothing)
    await rebuild.open()
    await rejoin(rebuild, versions)
    await until(lambda: shop.row(late))
    assert (await shop.proved(await shop.filled())).same


async def test_columns_may_change_under_readers_who_have_asked_before(shop: Workshop) -> None:
    [order_id] = await shop.sold(1)
    for _ in range(8):  # often enough for the question to be prepared
        await shop.world.client.get(f"/orders/{order_id}")
    wider = changed(project, version=NEXT, view=_wider())
    await shop.switched(await shop.filled(wider, ORDERS), wider, ORDERS)
    answers = [await shop.world.client.get(f"/orders/{order_id}") for _ in range(8)]
    assert {answer.status_code for answer in answers} == {200}


def _wider() -> type:
    from projections.order import OrderView

    class WiderView(OrderView, frozen=True):
        note: str | None = None

    return WiderView


async def test_a_rebuild_at_a_rate_takes_its_time(shop: Workshop) -> None:
    pace = Pace(1000)
    began = asyncio.get_running_loop().time()
    for _ in range(4):
        await pace.spend(100)
    assert asyncio.get_running_loop().time() - began >= 0.3
    assert (pace.chunk, Pace(10).chunk, Pace(1e6).chunk) == (1000, 200, CHUNK)


async def test_progress_is_told_by_the_api_until_it_is_done(shop: Workshop) -> None:
    await shop.sold(2)
    version, _ = await begun(shop.versions(), ORDERS, again=False)
    asking = asyncio.create_task(shop.world.client.get("/projections/order/orders/progress"))
    await asyncio.wait({asking}, timeout=2)
    assert not asking.done(), "it ends with the building"
    rebuild = Rebuild(shop.log, shop.versions(), version, Pace(None), nothing)
    await rebuild.open()
    await rebuild.fill()
    await shop.versions().state(version, "ready")
    told = (await asking).text
    assert (told.count("event: progress") >= 1, told.count("event: done")) == (True, 1)
    missing = await shop.world.client.get("/projections/order/nothing")
    assert (missing.status_code, "orders" in missing.json()["detail"]) == (404, True)


async def test_old_code_keeps_what_it_can_and_lets_the_rest_stand(shop: Workshop) -> None:
    other = replace(ORDERS, name="orders_by_others")
    versions = shop.versions(ORDERS, other)
    async with versions.changing() as (connection, checkpoints):
        made = await versions.make(connection, other, joined=True)
    tables = await shop.versions().joined()
    assert made.table not in [table.name for table in tables]
    [apart] = [v for v in await shop.versions().all() if v.name == "orders_by_others"]
    assert (apart.joined, apart.state) == (False, "ready")
    assert checkpoints
    await versions.drop(apart)
