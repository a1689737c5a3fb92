"""A person is erased once: nothing of them is kept in mind, the key is to be destroyed, and nobody comes back."""

from aggregates.errors import CredentialsStale, PersonErased, UserUnknown
from aggregates.user import DECIDER
from events.user import KeyDestroyed, UserErased
from schemas.user import ChangeProfile, EraseUser, RecordErasure
from tests.builders.user import USER_ID, address_added, open_account, password_changed, register, registered, started
from tests.spec import Spec

user = Spec(DECIDER)
BY_STAFF, BY_OWNER = EraseUser(user_id=USER_ID), EraseUser(user_id=USER_ID, password_changes=0)
DESTROYED = KeyDestroyed(user_id=USER_ID)
STREAM = f"user-{USER_ID}"


def erased(changes: int = 1) -> UserErased:
    return UserErased(user_id=USER_ID, changes=changes)


def test_an_erased_user_leaves_nothing_in_mind_but_a_key_to_be_destroyed() -> None:
    life = user.given(registered(), address_added(), started())
    life.when(BY_OWNER).then(erased())
    life.ask(BY_OWNER)
    life.leaves(STREAM, "destroy_key")
    state = life.state(STREAM)
    assert (state.email, state.name, state.addresses, state.sessions) == ("", "", {}, {})
    life.when(BY_STAFF).then_nothing()
    life.when(RecordErasure(user_id=USER_ID)).then(DESTROYED)
    life.ask(RecordErasure(user_id=USER_ID))
    life.leaves(STREAM)
    life.when(RecordErasure(user_id=USER_ID)).then_nothing()


def test_who_erases_themselves_must_know_the_password_of_now() -> None:
    user.given(registered(), password_changed()).when(BY_OWNER).then_rejected(CredentialsStale)
    user.given(registered(), password_changed()).when(BY_STAFF).then(erased(2))


def test_who_has_no_account_but_orders_can_be_erased_too() -> None:
    user.given().when(EraseUser(user_id="ada")).then(UserErased(user_id="ada", changes=1))


def test_nobody_comes_back_under_an_id_that_is_erased() -> None:
    life = user.given(registered(), erased(), DESTROYED)
    life.when(register()).then_rejected(PersonErased)
    life.when(open_account()).then_nothing()
    life.when(ChangeProfile(user_id=USER_ID, name="Ada")).then_rejected(UserUnknown)


def test_a_key_is_never_destroyed_of_somebody_who_is_not_erased() -> None:
    user.given(registered()).when(RecordErasure(user_id=USER_ID)).then_nothing()
