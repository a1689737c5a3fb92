"""User events are what has happened to one registered user."""

from datetime import datetime
from typing import TypeAlias

from events.event import Event
from schemas.values import Address


class _OfUser(Event):
    user_id: str

    @property
    def stream(self) -> str:
        return f"user-{self.user_id}"


class UserRegistered(_OfUser, tag="user.registered.v1"):
    email: str
    name: str
    password_hash: str


class VerificationRequested(_OfUser, tag="user.verification_requested.v1"):
    """A mail is to go out whose token proves that the address is theirs; of the token, only its digest is here."""

    email: str
    name: str
    proof_id: str
    nonce: str
    token_hash: str
    requested_at: datetime
    expires_at: datetime


class EmailVerified(_OfUser, tag="user.email_verified.v1"):
    pass


class RegistrationRepeated(_OfUser, tag="user.registration_repeated.v1"):
    """Somebody has tried to open an account with an address that has one; its owner is told."""

    email: str
    name: str
    repeated_at: datetime


class SessionStarted(_OfUser, tag="user.session_started.v1"):
    session_id: str
    token_hash: str
    started_at: datetime
    expires_at: datetime


class SessionRefreshed(_OfUser, tag="user.session_refreshed.v1"):
    session_id: str
    turn: int
    token_hash: str
    refreshed_at: datetime


class SessionRevoked(_OfUser, tag="user.session_revoked.v1"):
    """A token that had been exchanged came again: two have it, so nobody keeps the session."""

    email: str
    name: str
    session_id: str
    turn: int


class SessionsEnded(_OfUser, tag="user.sessions_ended.v1"):
    session_ids: tuple[str, ...]
    reason: str


class PasswordRehashed(_OfUser, tag="user.password_rehashed.v1"):
    """The same password, hashed as it is done now."""

    password_hash: str


class ResetRequested(_OfUser, tag="user.reset_requested.v1"):
    """A mail is to go out whose token sets another password, once."""

    email: str
    name: str
    proof_id: str
    nonce: str
    token_hash: str
    requested_at: datetime
    expires_at: datetime


class PasswordChanged(_OfUser, tag="user.password_changed.v1"):
    """`changes` counts the passwords that were set after the first, deletions included."""

    email: str
    name: str
    password_hash: str
    changes: int


class ProfileChanged(_OfUser, tag="user.profile_changed.v1"):
    name: str
    phone: str
    locale: str


class AddressAdded(_OfUser, tag="user.address_added.v1"):
    address_id: str
    label: str
    address: Address


class AddressChanged(_OfUser, tag="user.address_changed.v1"):
    address_id: str
    label: str
    address: Address


class AddressRemoved(_OfUser, tag="user.address_removed.v1"):
    address_id: str


class DefaultAddressChosen(_OfUser, tag="user.default_address_chosen.v1"):
    address_id: str


class PreferencesChanged(_OfUser, tag="user.preferences_changed.v1"):
    """By kind and channel, whether messages are wanted: all that is known of it, not only what has changed."""

    preferences: dict[str, dict[str, bool]]


class UserDeleted(_OfUser, tag="user.deleted.v1"):
    """The account is closed; the last mail to it is about this. `changes` as of a password."""

    email: str
    name: str
    changes: int


class UserErased(_OfUser, tag="user.erased.v1"):
    """The person is to be forgotten: the account is closed, their key will be destroyed. `changes` as of a password."""

    changes: int


class KeyDestroyed(_OfUser, tag="user.key_destroyed.v1"):
    """Nobody can read any more what was sealed for this person, in this log or in a copy of it."""


UserEvent: TypeAlias = (
    UserRegistered
    | VerificationRequested
    | EmailVerified
    | RegistrationRepeated
    | SessionStarted
    | SessionRefreshed
    | SessionRevoked
    | SessionsEnded
    | PasswordRehashed
    | ResetRequested
    | PasswordChanged
    | ProfileChanged
    | AddressAdded
    | AddressChanged
    | AddressRemoved
    | DefaultAddressChosen
    | PreferencesChanged
    | UserDeleted
    | UserErased
    | KeyDestroyed
)
