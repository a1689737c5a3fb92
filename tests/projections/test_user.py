"""What login sees of an account."""

from projections.user import USERS
from tests.builders.user import USER_ID, registered
from tests.projections.view import at, shown


def test_a_registered_user_can_be_looked_up() -> None:
    view = shown(USERS, registered())
    assert (view.user_id, view.name, view.registered_at) == (USER_ID, "Ada", at(0))
    assert view.password_hash.startswith("$argon2")
