"""The hand that puts bugs in, and takes them out again."""

from collections.abc import Callable

import pytest

from tests.faults.bugs import install

Break = Callable[[str], None]


@pytest.fixture
def put_in(monkeypatch: pytest.MonkeyPatch) -> Break:
    """Puts a bug in, until the test is over."""
    return lambda name: install(name, monkeypatch.setattr)
