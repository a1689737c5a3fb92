"""An e-mail address opens one account."""

from aggregates.errors import EmailTaken
from aggregates.user import DECIDER
from tests.builders.user import register, registered
from tests.spec import Spec

user = Spec(DECIDER)


def test_an_account_is_opened() -> None:
    user.when(register()).then(registered())


def test_an_address_is_taken_once() -> None:
    user.given(registered()).when(register()).then_rejected(EmailTaken)


def test_nothing_is_left_to_be_done_for_a_user() -> None:
    user.given(registered()).leaves(registered().stream)
