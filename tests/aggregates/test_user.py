"""An e-mail address opens one account; who asks for a taken one learns nothing, and its owner hears of it."""

from datetime import timedelta

from aggregates.errors import CredentialsStale, EmailTaken
from aggregates.user import DECIDER
from schemas.user import DeleteUser
from tests.builders.user import (
    USER_ID,
    deleted,
    open_account,
    password_changed,
    register,
    registered,
    repeated,
    start,
    started,
    verification_requested,
)
from tests.builders.values import NOON
from tests.spec import Spec

user = Spec(DECIDER)
DELETE = DeleteUser(user_id=USER_ID, password_changes=0)


def test_an_account_is_opened() -> None:
    user.when(register()).then(registered())


def test_an_address_is_taken_once() -> None:
    user.given(registered()).when(register()).then_rejected(EmailTaken)


def test_nothing_is_left_to_be_done_for_a_user() -> None:
    user.given(registered()).leaves(registered().stream)


def test_who_opens_an_account_is_asked_by_mail_to_verify_the_address() -> None:
    user.when(open_account()).then(registered(), verification_requested())


def test_a_taken_address_is_told_of_to_its_owner_and_the_account_stays_as_it_is() -> None:
    life = user.given(registered(), verification_requested())
    life.when(open_account(name="Mallory", password_hash="$argon2id$mallory")).then(repeated())


def test_its_owner_is_told_once_an_hour_at_most() -> None:
    life = user.given(registered(), repeated())
    life.when(open_account(), NOON + timedelta(minutes=59)).then_nothing()
    later = NOON + timedelta(hours=1)
    life.when(open_account(), later).then(repeated(later))


def test_a_deleted_account_can_be_opened_again_and_has_nothing_of_the_old_one() -> None:
    life = user.given(registered(), started(), deleted())
    life.when(open_account()).then(registered(), verification_requested())
    life.ask(open_account())
    assert life.state(registered().stream).sessions == {}
    life.when(start(changes=0)).then_rejected(CredentialsStale)
    life.when(start(changes=1)).then(started())


def test_an_account_is_deleted_once() -> None:
    life = user.given(registered())
    life.when(DELETE).then(deleted())
    life.ask(DELETE)
    life.when(DELETE).then_nothing()


def test_a_password_that_was_changed_meanwhile_deletes_nothing() -> None:
    user.given(registered(), password_changed()).when(DELETE).then_rejected(CredentialsStale)
