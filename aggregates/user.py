"""User rules: an e-mail address opens one account; once that is closed, it may open another. Who is erased stays so.

What an account may do is in login.py (password, sessions, mailed proofs) and profile.py (profile, addresses).
"""

from datetime import datetime, timedelta

from aggregates import login, profile
from aggregates.account import User, evolve
from aggregates.decider import Decider, StateOf, Todo
from aggregates.errors import CredentialsStale, EmailTaken, PersonErased
from events.event import Event
from events.user import (
    KeyDestroyed,
    RegistrationRepeated,
    UserDeleted,
    UserErased,
    UserRegistered,
    VerificationRequested,
)
from schemas.user import DeleteUser, EraseUser, OpenAccount, RecordErasure, RegisterUser, UserCommand

REPEATED = timedelta(hours=1)
"""Between two mails that say "you have an account already"."""


def register(command: RegisterUser, user: User, _: datetime) -> list[Event]:
    if user.erased:
        raise PersonErased
    if user.email:
        raise EmailTaken
    return [UserRegistered(**dict(command))]


def open_account(command: OpenAccount, user: User, at: datetime) -> list[Event]:
    """Who asks for a taken address is told nothing; its owner is, by mail, and not every minute."""
    if user.erased:
        return []  # nobody is told which
    if not user.email:
        asked = VerificationRequested(
            user_id=command.user_id,
            email=command.email,
            name=command.name,
            requested_at=at,
            expires_at=at + login.VERIFICATION,
            **dict(command.proof),
        )
        return [UserRegistered(**dict(command)), asked]
    if user.repeated_at is not None and at - user.repeated_at < REPEATED:
        return []
    return [RegistrationRepeated(user_id=command.user_id, email=user.email, name=user.name, repeated_at=at)]


def delete(command: DeleteUser, user: User, _: datetime) -> list[Event]:
    if not user.email:
        return []
    if command.password_changes != user.password_changes:
        raise CredentialsStale
    changes = user.password_changes + 1
    return [UserDeleted(user_id=command.user_id, email=user.email, name=user.name, changes=changes)]


def erase(command: EraseUser, user: User, _: datetime) -> list[Event]:
    if user.erased:
        return []
    if command.password_changes not in (None, user.password_changes):
        raise CredentialsStale
    return [UserErased(user_id=command.user_id, changes=user.password_changes + 1)]


def record_erasure(command: RecordErasure, user: User, _: datetime) -> list[Event]:
    return [KeyDestroyed(user_id=command.user_id)] if user.erased and not user.key_destroyed else []


def todos(user: User) -> list[Todo]:
    """The key of who is erased is to be destroyed."""
    return [Todo("destroy_key", key="destroy_key")] if user.erased and not user.key_destroyed else []


RULES = {
    RegisterUser: register,
    OpenAccount: open_account,
    DeleteUser: delete,
    EraseUser: erase,
    RecordErasure: record_erasure,
    **login.RULES,
    **profile.RULES,
}


def decide(command: UserCommand, state_of: StateOf, at: datetime) -> list[Event]:
    return RULES[type(command)](command, state_of(command.stream), at)  # type: ignore[operator,no-any-return]


DECIDER = Decider(
    context="user",
    initial={"user": User()},
    evolve=evolve,  # type: ignore[arg-type]
    decide=decide,
    todos=todos,
)
