"""User view: accounts, as login needs them."""

from datetime import datetime

from msgspec import Struct

from events.event import Event
from events.user import UserEvent
from projections.view import Projection


class UserView(Struct, frozen=True):
    """One account."""

    user_id: str
    email: str
    name: str
    password_hash: str
    registered_at: datetime


def project(_: UserView | None, event: UserEvent, at: datetime) -> UserView | None:
    return UserView(event.user_id, event.email, event.name, event.password_hash, at)


def key_of(event: Event) -> str | None:
    return getattr(event, "user_id", None)


USERS = Projection(name="users", context="user", view=UserView, key_of=key_of, project=project)

ONE = "SELECT * FROM users WHERE user_id = %(user_id)s"
