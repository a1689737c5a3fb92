"""The fenced log is searched exhaustively: with all its rules nothing breaks, without any one something does."""

from dataclasses import fields
from pathlib import Path

import pytest

from tests.model.effects import Effects
from tests.model.fenced import FencedLog
from tests.model.handover import Handover
from tests.model.reactions import Reactions
from tests.model.removed import ALL, without
from tests.model.rules import Rules
from tests.model.search import Report, search
from tests.model.snapshots import Snapshots

PAGE = Path(__file__).parents[2] / "docs" / "fenced-log.md"


@pytest.mark.parametrize(("claims", "floor"), [(3, 50_000), pytest.param(4, 1_000_000, marks=pytest.mark.long)])
def test_no_interleaving_of_three_writers_breaks_the_fenced_log(claims: int, floor: int) -> None:
    holds(search(FencedLog(Rules(), writers=3, claims=claims)), floor=floor)


def test_no_interleaving_of_two_reactors_loses_or_repeats_a_command() -> None:
    holds(search(Reactions(Rules())), floor=10_000)


def test_no_interleaving_of_reactors_and_owners_loses_a_command_that_is_handed_over() -> None:
    holds(search(Handover(Rules())), floor=10_000)


def test_no_interleaving_of_three_owners_charges_twice_or_leaves_money_behind() -> None:
    holds(search(Effects(Rules())), floor=10_000)


def test_no_interleaving_of_flushes_loads_and_deletions_makes_the_cache_mislead() -> None:
    holds(search(Snapshots(Rules())), floor=10_000)


@pytest.mark.parametrize("rule", ALL)
def test_without_any_one_rule_the_search_finds_a_counterexample(rule: str) -> None:
    report = without(rule)
    print(f"without {rule}, {report}")
    assert report.broken.startswith(ALL[rule]), report


@pytest.mark.parametrize("rule", ALL)
def test_the_page_shows_the_shortest_counterexample(rule: str) -> None:
    assert f"Without `{rule}`, {without(rule)}\n" in PAGE.read_text(encoding="utf-8")


def test_every_rule_can_be_taken_away() -> None:
    assert {field.name for field in fields(Rules)} == set(ALL)


def holds(report: Report, floor: int) -> None:
    """Nothing broke, the search was wide, and the page says how wide."""
    print(report)
    assert not report.broken, report
    assert report.states > floor
    assert f"| {report.states:,} | {report.transitions:,} |" in PAGE.read_text(encoding="utf-8")
