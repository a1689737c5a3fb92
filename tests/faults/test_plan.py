"""What a run will do follows from its seed, and is fit to show something."""

from collections import Counter
from itertools import islice

from tests.faults.failpoints import NAMES
from tests.faults.load_script import GIFT, HOT, HOT_DEMAND, MAGIC, REFILL_EVERY, Script
from tests.faults.plan import BESIDE, BETWEEN, DEADLY, STOPPED, make
from tests.faults.runner import FAULTS


def test_the_same_seed_gives_the_same_plan_and_another_seed_another() -> None:
    assert make(7, 30, 5.0, tuple(NAMES), soak=True) == make(7, 30, 5.0, tuple(NAMES), soak=True)
    assert make(7, 30, 5.0) != make(8, 30, 5.0)


def test_thirty_kills_hurt_every_role_and_leave_nothing_else_out() -> None:
    steps = make(7, 30, 5.0)
    hurt = Counter((step.fault, step.target) for step in steps)

    assert set(DEADLY) <= set(hurt)
    assert sum(count for (fault, _), count in hurt.items() if fault in ("kill", "stop")) == 30
    assert set(BETWEEN) - {"zombie"} | {"failpoint"} <= {fault for fault, _ in hurt}
    assert set(BESIDE) <= {step.beside.fault for step in steps if step.beside}
    assert {each.fault for step in steps for each in (step, step.beside) if each} <= set(FAULTS)


def test_every_failpoint_is_planned_once_and_some_also_to_stop() -> None:
    rows = [each for step in make(7, 0, 5.0, tuple(NAMES)) for each in (step, step.beside) if each]
    steps = [step for row in rows for step in row.chain or (row,)]

    assert sorted(step.target for step in steps if step.detail["action"] == "kill") == sorted(NAMES)
    assert [step.target for step in steps if step.detail["action"] == "stop"] == list(STOPPED)


def test_the_same_seed_gives_the_same_customers() -> None:
    one, same, other = (list(islice(Script(seed, 50).lives(), 100)) for seed in (7, 7, 8))

    assert one == same
    assert one != other


def test_customers_repeat_a_tenth_of_what_they_ask_and_want_more_of_the_hot_sku_than_there_is() -> None:
    script = Script(7, 100)
    lives = list(islice(script.lives(), 5000))
    asks = [ask for life in lives for ask in (life.place, *life.later)]
    wanted = sum(line["quantity"] for life in lives for line in life.place.body["lines"] if line["sku"] == HOT)
    delivered = sum(refill.body["quantity"] for life in lives if (refill := script.refill(life.number)))

    assert 0.08 < sum(bool(ask.repeats) for ask in asks) / len(asks) < 0.12
    assert len({ask.key for ask in asks}) == len(asks)
    assert 0.8 * HOT_DEMAND < wanted / delivered < 1.2 * HOT_DEMAND
    assert delivered > 5000 / REFILL_EVERY


def test_every_amount_at_which_the_provider_goes_wrong_is_asked_for() -> None:
    lives = list(islice(Script(7, 100).lives(), 3000))

    seen = {life.total for life in lives if life.place.body["lines"][0]["sku"] == GIFT}

    assert seen == set(MAGIC)
