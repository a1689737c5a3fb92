"""User view: accounts, as login needs them and as their owners see them; of a deleted one, only that it was there."""

from datetime import datetime
from typing import Any, assert_never

from msgspec import Struct
from msgspec.structs import replace

from events.event import Event
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
from projections.view import Projection


class UserView(Struct, frozen=True):
    """One account; `status` is active, deleted or erased."""

    user_id: str
    email: str
    name: str
    password_hash: str
    registered_at: datetime
    status: str = "active"
    verified: bool = False
    password_changes: int = 0
    phone: str = ""
    locale: str = ""
    addresses: list[dict[str, Any]] = []
    default_address: str = ""
    preferences: dict[str, dict[str, bool]] = {}


def project(view: UserView | None, event: UserEvent, at: datetime) -> UserView | None:
    if isinstance(event, UserRegistered):
        changes = view.password_changes if view else 0
        return UserView(event.user_id, event.email, event.name, event.password_hash, at, password_changes=changes)
    if view is None:
        return None
    match event:
        case EmailVerified():
            return replace(view, verified=True)
        case PasswordRehashed():
            return replace(view, password_hash=event.password_hash)
        case PasswordChanged():
            return replace(view, password_hash=event.password_hash, password_changes=event.changes)
        case ProfileChanged():
            return replace(view, name=event.name, phone=event.phone, locale=event.locale)
        case PreferencesChanged():
            return replace(view, preferences=event.preferences)
        case AddressAdded() | AddressChanged() | AddressRemoved() | DefaultAddressChosen():
            return _addresses(view, event)
        case UserDeleted():
            return UserView(view.user_id, "", "", "", view.registered_at, "deleted", password_changes=event.changes)
        case UserErased():
            return UserView(view.user_id, "", "", "", view.registered_at, "erased", password_changes=event.changes)
        case KeyDestroyed():
            return view
        case SessionStarted() | SessionRefreshed() | SessionRevoked() | SessionsEnded():
            return view
        case VerificationRequested() | RegistrationRepeated() | ResetRequested():
            return view
        case _:
            assert_never(event)


def _addresses(
    view: UserView, event: AddressAdded | AddressChanged | AddressRemoved | DefaultAddressChosen
) -> UserView:
    match event:
        case AddressAdded():
            return replace(view, addresses=[*view.addresses, _address(event)])
        case AddressChanged():
            changed = [_address(event) if each["address_id"] == event.address_id else each for each in view.addresses]
            return replace(view, addresses=changed)
        case AddressRemoved():
            left = [each for each in view.addresses if each["address_id"] != event.address_id]
            default = "" if view.default_address == event.address_id else view.default_address
            return replace(view, addresses=left, default_address=default)
        case DefaultAddressChosen():
            return replace(view, default_address=event.address_id)


def _address(event: AddressAdded | AddressChanged) -> dict[str, Any]:
    return {"address_id": event.address_id, "label": event.label, **dict(event.address)}


def key_of(event: Event) -> str | None:
    return getattr(event, "user_id", None)


USERS = Projection(name="users", context="user", view=UserView, key_of=key_of, project=project, version=2)

ONE = "SELECT * FROM users WHERE user_id = %(user_id)s"
ACTIVE = "SELECT user_id FROM users WHERE user_id = ANY(%(user_ids)s) AND status = 'active'"
CREDENTIALS = "SELECT password_hash, password_changes, verified FROM users WHERE user_id = %(user_id)s"
