"""What login sees of an account, and what its owner sees."""

from hypothesis import given
from hypothesis import strategies as st

from aggregates.user import DECIDER
from events.event import Event
from events.registry import EVENTS
from events.user import PasswordRehashed, PreferencesChanged, ProfileChanged, UserRegistered
from projections.user import USERS
from tests.aggregates.laws import moderately
from tests.builders.user import (
    HOME,
    NEWER,
    USER_ID,
    WORK,
    address_added,
    default_chosen,
    deleted,
    password_changed,
    registered,
    started,
    verified,
)
from tests.golden.examples import EVENTS as EXAMPLES
from tests.projections.view import at, shown
from tests.spec import Life


def test_a_registered_user_can_be_looked_up() -> None:
    view = shown(USERS, registered())
    assert (view.user_id, view.name, view.registered_at) == (USER_ID, "Ada", at(0))
    assert view.password_hash.startswith("$argon2")
    assert (view.status, view.verified, view.password_changes) == ("active", False, 0)


def test_a_password_is_the_last_one_and_the_same_one_hashed_anew_is_no_change() -> None:
    changed = shown(USERS, registered(), password_changed())
    assert (changed.password_hash, changed.password_changes) == (NEWER, 1)
    rehashed = shown(USERS, registered(), PasswordRehashed(user_id=USER_ID, password_hash=NEWER))
    assert (rehashed.password_hash, rehashed.password_changes) == (NEWER, 0)


def test_its_owner_sees_profile_addresses_and_preferences() -> None:
    wishes = {"marketing": {"email": False}}
    view = shown(
        USERS,
        registered(),
        verified(),
        ProfileChanged(user_id=USER_ID, name="Ada L.", phone="+4312345678", locale="de-AT"),
        address_added(),
        default_chosen(),
        address_added(WORK, "work"),
        default_chosen(WORK),
        PreferencesChanged(user_id=USER_ID, preferences=wishes),
    )
    assert (view.name, view.phone, view.locale, view.verified) == ("Ada L.", "+4312345678", "de-AT", True)
    assert [(each["address_id"], each["label"], each["city"]) for each in view.addresses] == [
        (HOME, "home", "Springfield"),
        (WORK, "work", "Springfield"),
    ]
    assert (view.default_address, view.preferences) == (WORK, wishes)


def test_of_a_deleted_account_nothing_is_left_that_names_a_person() -> None:
    view = shown(USERS, registered(), verified(), address_added(), default_chosen(), started(), deleted())
    empty = shown(USERS, registered().model_copy(update={"email": "", "name": "", "password_hash": ""}))
    assert view == type(view)(USER_ID, "", "", "", empty.registered_at, "deleted", password_changes=1)


def test_who_registers_again_has_a_new_account_that_old_passwords_do_not_open() -> None:
    view = shown(USERS, registered(), address_added(), deleted(), registered())
    assert (view.status, view.addresses, view.password_changes, view.registered_at) == ("active", [], 1, at(3))


_OTHERS = st.sampled_from([EXAMPLES[cls.tag] for cls in EVENTS["user"] if cls is not UserRegistered])


@moderately
@given(st.lists(_OTHERS | st.just(registered()), max_size=15))
def test_the_view_says_what_the_rules_know(past: list[Event]) -> None:
    life = Life(DECIDER)
    life.record([registered(), *past])
    state, view = life.state(registered().stream), shown(USERS, *life.history)
    assert (view.email, view.name, view.verified) == (state.email, state.name, state.verified)
    assert (view.phone, view.locale, view.preferences) == (state.phone, state.locale, state.preferences)
    assert view.password_changes == state.password_changes
