"""Spoil is the list of ways to break a promise on paper: functions that change a good day and name the victim."""

from collections.abc import Callable

from tests.faults.checker_cases.shop import Shop

Spoil = Callable[[Shop], str]
"""Breaks one promise and returns the order (or SKU, or place) whose timeline must tell of it."""

SPOILS: list[tuple[str, Spoil]] = []


def breaks(promise: str) -> Callable[[Spoil], Spoil]:
    """Note which promise a function breaks."""

    def note(spoil: Spoil) -> Spoil:
        SPOILS.append((promise, spoil))
        return spoil

    return note
