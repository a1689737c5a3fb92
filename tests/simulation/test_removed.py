"""Every rule that is taken out of the application is missed within a few seeds: the simulation can fail."""

import pytest

from tests.simulation.removed import RULES, Removal
from tests.simulation.run import play

SEEDS = range(40)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_without_a_rule_something_breaks_soon(rule: Removal) -> None:
    with rule():
        failed = next((verdict for seed in SEEDS if (verdict := play(seed, weather=RULES[rule])).failure), None)

    assert failed, f"{len(SEEDS)} seeds pass without it"
    print(f"without {rule.__name__}: seed {failed.seed}: {failed.failure}")
