"""The checker catches a run that breaks a promise: one spoiled day at the shop for each way to break one."""

from pathlib import Path

import pytest

from tests.faults.checker.promises import PROMISES
from tests.faults.checker.verdict import account, check
from tests.faults.checker_cases import spoiled_amended, spoiled_log, spoiled_money, spoiled_told, spoiled_trade
from tests.faults.checker_cases.paper import uuid
from tests.faults.checker_cases.spoil import SPOILS, Spoil
from tests.faults.checker_cases.story import usual

WAYS = (spoiled_amended, spoiled_log, spoiled_money, spoiled_told, spoiled_trade)
"""Imported for what they note in SPOILS."""


WITHOUT_A_STORY = ("EUR", "order", uuid("ghost"))
"""Victims of which no record, request, ledger line or mail tells: sums, checkpoints, rows out of nowhere."""


@pytest.mark.parametrize(("promise", "spoil"), SPOILS, ids=[spoil.__name__ for _, spoil in SPOILS])
def test_the_checker_finds_that(tmp_path: Path, promise: str, spoil: Spoil) -> None:
    shop = usual()
    victim = spoil(shop)

    verdict = check(shop.write(tmp_path))

    assert verdict["verdict"] == "invalid"
    assert promise in verdict["violations"], f"only {list(verdict['violations'])}"
    broken = verdict["violations"][promise]
    assert any(victim in f"{found['subject']} {found['place']}" for found in broken["first"]), broken["first"]
    assert any(victim in line for line in broken["timeline"]) or victim in WITHOUT_A_STORY
    assert PROMISES[promise] in "\n".join(account(verdict))


def test_every_promise_is_broken_once() -> None:
    unbroken = set(PROMISES) - {promise for promise, _ in SPOILS}
    assert unbroken == {"views.users"}  # no story has a user yet
