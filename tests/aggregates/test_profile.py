"""A user tells how they are called, keeps addresses, of which one is the default, and says what they want to hear."""

from typing import Any

from aggregates.errors import AddressExists, AddressUnknown, SecurityMailStays, TooManyAddresses, UserUnknown
from aggregates.profile import ADDRESSES
from aggregates.user import DECIDER
from events.user import AddressChanged, AddressRemoved, PreferencesChanged, ProfileChanged
from schemas.user import ChangePreferences, ChangeProfile, ChooseDefaultAddress, CorrectAddress, RemoveAddress
from tests.builders.user import (
    HOME,
    PLACE,
    USER_ID,
    WORK,
    add_address,
    address_added,
    default_chosen,
    deleted,
    registered,
)
from tests.spec import Spec

user = Spec(DECIDER)
TWO = (registered(), address_added(), default_chosen(), address_added(WORK, "work"))
REMOVED = AddressRemoved(user_id=USER_ID, address_id=HOME)


def wish(preferences: Any) -> ChangePreferences:
    return ChangePreferences(user_id=USER_ID, preferences=preferences)


def wished(preferences: dict[str, dict[str, bool]]) -> PreferencesChanged:
    return PreferencesChanged(user_id=USER_ID, preferences=preferences)


def remove(address_id: str) -> RemoveAddress:
    return RemoveAddress(user_id=USER_ID, address_id=address_id)


def test_a_profile_is_changed_and_the_same_again_changes_nothing() -> None:
    asked = ChangeProfile(user_id=USER_ID, name="Ada L.", phone="+4312345678", locale="de-AT")
    life = user.given(registered())
    life.when(asked).then(ProfileChanged(**dict(asked)))
    life.ask(asked)
    life.when(asked).then_nothing()


def test_the_first_address_is_the_default_by_itself_and_another_only_if_asked() -> None:
    life = user.given(registered())
    life.when(add_address()).then(address_added(), default_chosen())
    life.ask(add_address())
    life.when(add_address(WORK)).then(address_added(WORK))
    life.when(add_address(WORK, default=True)).then(address_added(WORK), default_chosen(WORK))


def test_an_address_that_comes_again_is_the_same_or_refused() -> None:
    life = user.given(*TWO)
    life.when(add_address()).then_nothing()
    life.when(add_address(label="elsewhere")).then_rejected(AddressExists)


def test_an_account_keeps_twenty_addresses() -> None:
    names = [f"add4e550-0000-4000-8000-{number:012}" for number in range(100, 100 + ADDRESSES)]
    life = user.given(registered(), *(address_added(name) for name in names))
    life.when(add_address()).then_rejected(TooManyAddresses)


def test_an_address_is_corrected() -> None:
    asked = CorrectAddress(user_id=USER_ID, address_id=HOME, label="new home", address=PLACE)
    life = user.given(*TWO)
    life.when(asked).then(AddressChanged(**dict(address_added(label="new home"))))
    life.ask(asked)
    life.when(asked).then_nothing()
    assert list(life.state(registered().stream).addresses) == [HOME, WORK]


def test_the_oldest_that_is_left_becomes_the_default_when_the_default_is_removed() -> None:
    life = user.given(*TWO)
    life.when(remove(WORK)).then(AddressRemoved(user_id=USER_ID, address_id=WORK))
    life.when(remove(HOME)).then(REMOVED, default_chosen(WORK))
    user.given(registered(), address_added(), default_chosen()).when(remove(HOME)).then(REMOVED)


def test_a_default_is_chosen_once() -> None:
    life = user.given(*TWO)
    life.when(ChooseDefaultAddress(user_id=USER_ID, address_id=HOME)).then_nothing()
    life.when(ChooseDefaultAddress(user_id=USER_ID, address_id=WORK)).then(default_chosen(WORK))


def test_addresses_that_are_not_there_are_refused() -> None:
    life = user.given(registered())
    for asked in (
        remove(HOME),
        ChooseDefaultAddress(user_id=USER_ID, address_id=HOME),
        CorrectAddress(user_id=USER_ID, address_id=HOME, address=PLACE),
    ):
        life.when(asked).then_rejected(AddressUnknown)


def test_preferences_are_kept_by_kind_and_channel_and_what_is_not_named_stays() -> None:
    life = user.given(registered())
    life.when(wish({"marketing": {"email": False}})).then(wished({"marketing": {"email": False}}))
    life.ask(wish({"marketing": {"email": False}}))
    life.when(wish({"marketing": {"email": False}})).then_nothing()
    both = {"marketing": {"email": False, "sms": True}, "order": {"push": True}}
    life.when(wish({"marketing": {"sms": True}, "order": {"push": True}})).then(wished(both))


def test_mail_about_security_cannot_be_turned_off() -> None:
    life = user.given(registered())
    life.when(wish({"security": {"email": False}})).then_rejected(SecurityMailStays)
    life.when(wish({"security": {"sms": False}})).then(wished({"security": {"sms": False}}))


def test_without_an_account_there_is_no_profile() -> None:
    for life in (user.given(), user.given(*TWO, deleted())):
        for asked in (
            ChangeProfile(user_id=USER_ID, name="Ada"),
            add_address(),
            remove(HOME),
            wish({"order": {"email": True}}),
        ):
            life.when(asked).then_rejected(UserUnknown)
