"""User builders: Ada, who has an account, logs in, and tells of herself."""

from datetime import datetime, timedelta
from typing import Any

from events.user import (
    AddressAdded,
    DefaultAddressChosen,
    EmailVerified,
    PasswordChanged,
    RegistrationRepeated,
    ResetRequested,
    SessionRefreshed,
    SessionRevoked,
    SessionsEnded,
    SessionStarted,
    UserDeleted,
    UserRegistered,
    VerificationRequested,
)
from schemas import user as users
from schemas.values import Address
from tests.builders.values import EMAIL, NOON

USER_ID = "ada00000-0000-4000-8000-000000000ada"
SESSION, OTHER = "5e551000-0000-4000-8000-000000000001", "5e551000-0000-4000-8000-000000000002"
HOME, WORK = "add4e550-0000-4000-8000-000000000001", "add4e550-0000-4000-8000-000000000002"
MAILED = "9400f000-0000-4000-8000-000000000001"
HASH, NEWER = "$argon2id$v=19$example", "$argon2id$v=19$another"
PLACE = users.Place(name="Ada", street="1 Main Street", city="Springfield", postal_code="12345", country="US")
ADA: dict[str, Any] = {"user_id": USER_ID, "email": EMAIL, "name": "Ada"}
MONTH, DAY, HALF_HOUR = timedelta(days=30), timedelta(hours=24), timedelta(minutes=30)


def digest(word: str) -> str:
    """Something of a digest's form."""
    return (word.encode().hex() + "0" * 64)[:64]


def proof(proof_id: str = MAILED, word: str = "mailed") -> users.Proof:
    return users.Proof(proof_id=proof_id, nonce=digest("nonce"), token_hash=digest(word))


def register() -> users.RegisterUser:
    return users.RegisterUser(**ADA, password_hash=HASH)


def open_account(**changes: Any) -> users.OpenAccount:
    return users.OpenAccount(**{**ADA, "password_hash": HASH, "proof": proof(), **changes})


def registered() -> UserRegistered:
    return UserRegistered(**dict(register()))


def verification_requested(at: datetime = NOON) -> VerificationRequested:
    return VerificationRequested(**ADA, **dict(proof()), requested_at=at, expires_at=at + DAY)


def verified() -> EmailVerified:
    return EmailVerified(user_id=USER_ID)


def repeated(at: datetime = NOON) -> RegistrationRepeated:
    return RegistrationRepeated(**ADA, repeated_at=at)


def start(session_id: str = SESSION, word: str = "first", changes: int = 0) -> users.StartSession:
    return users.StartSession(user_id=USER_ID, session_id=session_id, token_hash=digest(word), password_changes=changes)


def started(session_id: str = SESSION, word: str = "first", at: datetime = NOON) -> SessionStarted:
    return SessionStarted(
        user_id=USER_ID, session_id=session_id, token_hash=digest(word), started_at=at, expires_at=at + MONTH
    )


def refresh(turn: int = 0, word: str = "first", following: str = "second") -> users.RefreshSession:
    return users.RefreshSession(
        user_id=USER_ID, session_id=SESSION, turn=turn, token_hash=digest(word), next_hash=digest(following)
    )


def refreshed(turn: int = 1, word: str = "second", at: datetime = NOON) -> SessionRefreshed:
    return SessionRefreshed(user_id=USER_ID, session_id=SESSION, turn=turn, token_hash=digest(word), refreshed_at=at)


def revoked(turn: int = 0) -> SessionRevoked:
    return SessionRevoked(**ADA, session_id=SESSION, turn=turn)


def ended(*session_ids: str, reason: str = "logout") -> SessionsEnded:
    return SessionsEnded(user_id=USER_ID, session_ids=session_ids, reason=reason)


def reset_requested(at: datetime = NOON) -> ResetRequested:
    return ResetRequested(**ADA, **dict(proof()), requested_at=at, expires_at=at + HALF_HOUR)


def reset(word: str = "mailed") -> users.ResetPassword:
    return users.ResetPassword(user_id=USER_ID, proof_id=MAILED, token_hash=digest(word), password_hash=NEWER)


def change_password(changes: int = 0, keep: str | None = None) -> users.ChangePassword:
    keep_hash = digest(keep) if keep else None
    return users.ChangePassword(user_id=USER_ID, password_hash=NEWER, password_changes=changes, keep_hash=keep_hash)


def password_changed(changes: int = 1) -> PasswordChanged:
    return PasswordChanged(**ADA, password_hash=NEWER, changes=changes)


def add_address(address_id: str = HOME, default: bool = False, label: str = "home") -> users.AddAddress:
    return users.AddAddress(user_id=USER_ID, address_id=address_id, label=label, address=PLACE, default=default)


def address_added(address_id: str = HOME, label: str = "home") -> AddressAdded:
    return AddressAdded(user_id=USER_ID, address_id=address_id, label=label, address=Address(**dict(PLACE)))


def default_chosen(address_id: str = HOME) -> DefaultAddressChosen:
    return DefaultAddressChosen(user_id=USER_ID, address_id=address_id)


def deleted(changes: int = 1) -> UserDeleted:
    return UserDeleted(**ADA, changes=changes)
