"""User rules: an e-mail address opens one account."""

from msgspec import Struct

from aggregates.decider import Decider, alone
from aggregates.errors import EmailTaken
from events.event import Event
from events.user import UserEvent, UserRegistered
from schemas.user import RegisterUser


class User(Struct, frozen=True):
    """What the rules need to know of a user."""

    email: str = ""


def evolve(_: User, event: UserEvent) -> User:
    return User(email=event.email)


def register(command: RegisterUser, user: User) -> list[Event]:
    if user.email:
        raise EmailTaken
    return [UserRegistered(**dict(command))]


DECIDER = Decider(
    context="user",
    initial={"user": User()},
    evolve=evolve,  # type: ignore[arg-type]
    decide=alone({RegisterUser: register}),
)
