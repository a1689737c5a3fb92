"""Profile rules: how a user is called and reached, their addresses, of which one is the default, and what they want."""

from datetime import datetime

from aggregates.account import Kept, User
from aggregates.errors import AddressExists, AddressUnknown, SecurityMailStays, TooManyAddresses, UserUnknown
from events.event import Event
from events.user import (
    AddressAdded,
    AddressChanged,
    AddressRemoved,
    DefaultAddressChosen,
    PreferencesChanged,
    ProfileChanged,
)
from schemas.user import (
    AddAddress,
    ChangePreferences,
    ChangeProfile,
    ChooseDefaultAddress,
    CorrectAddress,
    RemoveAddress,
)
from schemas.values import Address

ADDRESSES = 20


def change_profile(command: ChangeProfile, user: User, _: datetime) -> list[Event]:
    _exists(user)
    if (command.name, command.phone, command.locale) == (user.name, user.phone, user.locale):
        return []
    return [ProfileChanged(**dict(command))]


def add_address(command: AddAddress, user: User, _: datetime) -> list[Event]:
    _exists(user)
    if (kept := user.addresses.get(command.address_id)) is not None:
        if kept != _kept(command):
            raise AddressExists
        return []
    if len(user.addresses) >= ADDRESSES:
        raise TooManyAddresses
    added = AddressAdded(
        user_id=command.user_id,
        address_id=command.address_id,
        label=command.label,
        address=Address(**dict(command.address)),
    )
    chosen = DefaultAddressChosen(user_id=command.user_id, address_id=command.address_id)
    return [added, chosen] if command.default or not user.addresses else [added]


def change_address(command: CorrectAddress, user: User, _: datetime) -> list[Event]:
    if _known(user, command.address_id) == _kept(command):
        return []
    return [
        AddressChanged(
            user_id=command.user_id,
            address_id=command.address_id,
            label=command.label,
            address=Address(**dict(command.address)),
        )
    ]


def remove_address(command: RemoveAddress, user: User, _: datetime) -> list[Event]:
    _known(user, command.address_id)
    removed = AddressRemoved(user_id=command.user_id, address_id=command.address_id)
    left = next((name for name in user.addresses if name != command.address_id), "")
    if user.default_address != command.address_id or not left:
        return [removed]
    return [removed, DefaultAddressChosen(user_id=command.user_id, address_id=left)]


def choose_default_address(command: ChooseDefaultAddress, user: User, _: datetime) -> list[Event]:
    _known(user, command.address_id)
    if user.default_address == command.address_id:
        return []
    return [DefaultAddressChosen(user_id=command.user_id, address_id=command.address_id)]


def change_preferences(command: ChangePreferences, user: User, _: datetime) -> list[Event]:
    _exists(user)
    if not command.preferences.get("security", {}).get("email", True):
        raise SecurityMailStays
    wanted: dict[str, dict[str, bool]] = {kind: dict(channels) for kind, channels in user.preferences.items()}
    for kind, channels in command.preferences.items():
        wanted[kind] = wanted.get(kind, {}) | {str(channel): on for channel, on in channels.items()}
    if wanted == user.preferences:
        return []
    return [PreferencesChanged(user_id=command.user_id, preferences=wanted)]


def _exists(user: User) -> None:
    if not user.email:
        raise UserUnknown


def _known(user: User, address_id: str) -> Kept:
    _exists(user)
    if (kept := user.addresses.get(address_id)) is None:
        raise AddressUnknown
    return kept


def _kept(command: AddAddress | CorrectAddress) -> Kept:
    return Kept(command.label, dict(command.address))


RULES = {
    ChangeProfile: change_profile,
    AddAddress: add_address,
    CorrectAddress: change_address,
    RemoveAddress: remove_address,
    ChooseDefaultAddress: choose_default_address,
    ChangePreferences: change_preferences,
}
