"""Account is what the rules need to know of a user, and how events change it."""

from datetime import datetime
from typing import Any, assert_never

from msgspec import Struct
from msgspec.structs import replace

from events.user import (
    AddressAdded,
    AddressChanged,
    AddressRemoved,
    DefaultAddressChosen,
    EmailVerified,
    KeyDestroyed,
    PasswordChanged,
    PasswordRehashed,
    PreferencesChanged,
    ProfileChanged,
    RegistrationRepeated,
    ResetRequested,
    SessionRefreshed,
    SessionRevoked,
    SessionsEnded,
    SessionStarted,
    UserDeleted,
    UserErased,
    UserEvent,
    UserRegistered,
    VerificationRequested,
)


class Session(Struct, frozen=True):
    """One login: the digest of its token, how often that was exchanged, and when last."""

    token_hash: str
    turn: int
    at: datetime
    expires_at: datetime


class Asked(Struct, frozen=True):
    """A mail whose token proves something."""

    proof_id: str
    token_hash: str
    at: datetime
    expires_at: datetime


class Kept(Struct, frozen=True):
    """An address of the account."""

    label: str
    address: Any


class User(Struct, frozen=True):
    """One user; without an e-mail address there is no account, or none any more."""

    email: str = ""
    name: str = ""
    password_changes: int = 0
    verified: bool = False
    repeated_at: datetime | None = None
    verification: Asked | None = None
    reset: Asked | None = None
    sessions: dict[str, Session] = {}
    phone: str = ""
    locale: str = ""
    addresses: dict[str, Kept] = {}
    default_address: str = ""
    preferences: dict[str, dict[str, bool]] = {}
    erased: bool = False
    key_destroyed: bool = False


def evolve(user: User, event: UserEvent) -> User:
    match event:
        case UserRegistered():  # whoever registers again after a deletion has not the old password's number
            return User(event.email, event.name, user.password_changes)
        case VerificationRequested():
            return replace(user, verification=_asked(event))
        case EmailVerified():
            return replace(user, verified=True)
        case RegistrationRepeated():
            return replace(user, repeated_at=event.repeated_at)
        case ResetRequested():
            return replace(user, reset=_asked(event))
        case PasswordChanged():
            return replace(user, password_changes=event.changes, reset=None)
        case PasswordRehashed():
            return user
        case UserDeleted():
            return User(password_changes=event.changes)
        case UserErased():
            return User(password_changes=event.changes, erased=True)
        case KeyDestroyed():
            return replace(user, key_destroyed=True)
        case SessionStarted() | SessionRefreshed() | SessionRevoked() | SessionsEnded():
            return replace(user, sessions=_sessions(user.sessions, event))
        case ProfileChanged():
            return replace(user, name=event.name, phone=event.phone, locale=event.locale)
        case PreferencesChanged():
            return replace(user, preferences=event.preferences)
        case AddressAdded() | AddressChanged() | AddressRemoved() | DefaultAddressChosen():
            return _addresses(user, event)
        case _:
            assert_never(event)


def _asked(event: VerificationRequested | ResetRequested) -> Asked:
    return Asked(event.proof_id, event.token_hash, event.requested_at, event.expires_at)


def _sessions(
    sessions: dict[str, Session], event: SessionStarted | SessionRefreshed | SessionRevoked | SessionsEnded
) -> dict[str, Session]:
    match event:
        case SessionStarted():
            live = {name: session for name, session in sessions.items() if session.expires_at > event.started_at}
            return {**live, event.session_id: Session(event.token_hash, 0, event.started_at, event.expires_at)}
        case SessionRefreshed():
            if (old := sessions.get(event.session_id)) is None:
                return sessions
            return {
                **sessions,
                event.session_id: Session(event.token_hash, event.turn, event.refreshed_at, old.expires_at),
            }
        case SessionRevoked():
            return {name: session for name, session in sessions.items() if name != event.session_id}
        case SessionsEnded():
            return {name: session for name, session in sessions.items() if name not in event.session_ids}


def _addresses(user: User, event: AddressAdded | AddressChanged | AddressRemoved | DefaultAddressChosen) -> User:
    match event:
        case AddressAdded() | AddressChanged():
            kept = {**user.addresses, event.address_id: Kept(event.label, dict(event.address))}
            return replace(user, addresses=kept)
        case AddressRemoved():
            kept = {name: address for name, address in user.addresses.items() if name != event.address_id}
            default = user.default_address if user.default_address in kept else ""
            return replace(user, addresses=kept, default_address=default)
        case DefaultAddressChosen():
            return replace(user, default_address=event.address_id)
