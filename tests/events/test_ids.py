"""The same cause gives the same id, for ever."""

from uuid import RFC_4122, UUID

from hypothesis import given
from hypothesis import strategies as st

from events.ids import derive
from tests.aggregates.laws import moderately
from tests.builders.values import A


def test_an_id_once_derived_is_derived_for_ever() -> None:
    assert derive("a", "b") == "3ec69c85-a4ff-5683-8024-afeef2d4e512"
    assert derive(A, "refund when cancelled") == "c814a4be-4cac-5c16-a408-90db2814ba47"


@moderately
@given(st.text(), st.text())
def test_a_derived_id_is_a_uuid_of_version_five(cause: str, name: str) -> None:
    assert str(UUID(derive(cause, name))) == derive(cause, name)
    assert (UUID(derive(cause, name)).version, UUID(derive(cause, name)).variant) == (5, RFC_4122)


def test_other_causes_and_other_names_give_other_ids() -> None:
    assert len({derive(cause, name) for cause in "abc" for name in "xyz"}) == 9
