"""Sessions are rotated and revoked, passwords changed and reset, by rules that hold whoever asks, and in what order."""

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from aggregates.errors import CredentialsStale, ProofSpent, SessionOver, TokenJustUsed
from aggregates.login import AT_ONCE, PAUSE, RESET, SESSION, SESSIONS
from aggregates.user import DECIDER
from events.event import Event
from events.user import PasswordRehashed, SessionRefreshed, SessionRevoked
from schemas.user import EndSessions, RequestReset, RequestVerification, VerifyEmail
from tests.aggregates.laws import moderately
from tests.builders import user as ada
from tests.builders.user import (
    OTHER,
    USER_ID,
    change_password,
    deleted,
    digest,
    ended,
    password_changed,
    proof,
    refresh,
    refreshed,
    registered,
    reset,
    reset_requested,
    revoked,
    start,
    started,
    verification_requested,
    verified,
)
from tests.builders.values import NOON
from tests.spec import Spec

user = Spec(DECIDER)
STREAM = registered().stream
MOMENT = timedelta(microseconds=1)
VERIFY = VerifyEmail(user_id=USER_ID, proof_id=ada.MAILED, token_hash=digest("mailed"))


def test_who_logs_in_has_a_session_for_thirty_days() -> None:
    user.given(registered()).when(start()).then(started())


def test_nobody_logs_in_without_an_account_or_after_its_deletion() -> None:
    user.when(start()).then_rejected(CredentialsStale)
    user.given(registered(), deleted()).when(start(changes=1)).then_rejected(CredentialsStale)


def test_a_password_that_was_right_before_it_was_changed_logs_nobody_in() -> None:
    life = user.given(registered(), password_changed())
    life.when(start(changes=0)).then_rejected(CredentialsStale)
    life.when(start(changes=1)).then(started())


def test_a_login_records_the_newer_hash_of_the_same_password() -> None:
    asked = start().model_copy(update={"rehashed": ada.NEWER})
    newer = PasswordRehashed(user_id=USER_ID, password_hash=ada.NEWER)
    user.given(registered()).when(asked).then(started(), newer)
    user.given(registered(), newer).when(start(changes=0)).then(started())


def test_one_session_too_many_ends_the_one_that_was_used_least_lately() -> None:
    names = [f"5e551000-0000-4000-8000-{number:012}" for number in range(100, 100 + SESSIONS)]
    begun = [started(name, name, NOON + timedelta(minutes=n)) for n, name in enumerate(names)]
    at = NOON + timedelta(days=1)
    user.given(registered(), *begun).when(start(), at).then(ended(names[0], reason="too many"), started(at=at))


def test_a_token_is_exchanged_for_the_next() -> None:
    life = user.given(registered(), started())
    life.when(refresh()).then(refreshed())
    life.ask(refresh())
    life.when(refresh(1, "second", "third")).then(refreshed(2, "third"))


def test_of_two_who_refresh_at_the_same_time_one_wins_and_the_other_is_told_so() -> None:
    life = user.given(registered(), started(), refreshed())
    life.when(refresh(), NOON + AT_ONCE).then_rejected(TokenJustUsed)
    life.when(refresh(1, "second", "third"), NOON + AT_ONCE).then(refreshed(2, "third", NOON + AT_ONCE))


def test_a_token_that_comes_again_later_revokes_the_session_for_both() -> None:
    life = user.given(registered(), started(), refreshed())
    late = NOON + AT_ONCE + MOMENT
    life.when(refresh(), late).then(revoked())
    life.ask(refresh(), late)
    life.when(refresh(1, "second", "third"), late).then_rejected(SessionOver)
    life.when(refresh(), late).then_rejected(SessionOver)


def test_a_token_from_before_the_last_one_revokes_at_once() -> None:
    user.given(registered(), started(), refreshed(), refreshed(2, "third")).when(refresh()).then(revoked())


def test_one_session_that_is_revoked_leaves_the_others() -> None:
    life = user.given(registered(), started(), started(OTHER, "other"), refreshed(), revoked())
    assert set(life.state(STREAM).sessions) == {OTHER}


def test_a_token_that_is_not_the_sessions_is_refused_and_revokes_nothing() -> None:
    life = user.given(registered(), started())
    life.when(refresh(word="forged")).then_rejected(SessionOver)
    life.when(refresh(turn=7)).then_rejected(SessionOver)
    user.given(registered()).when(refresh()).then_rejected(SessionOver)


def test_a_session_is_over_after_thirty_days_however_often_it_was_refreshed() -> None:
    life = user.given(registered(), started(), refreshed(at=NOON + timedelta(days=29)))
    life.when(refresh(1, "second", "third"), NOON + SESSION).then_rejected(SessionOver)


def test_who_logs_out_ends_one_session_or_all() -> None:
    life = user.given(registered(), started(), started(OTHER, "other"))
    life.when(EndSessions(user_id=USER_ID, session_id=OTHER)).then(ended(OTHER))
    life.when(EndSessions(user_id=USER_ID)).then(ended(ada.SESSION, OTHER))
    life.ask(EndSessions(user_id=USER_ID))
    life.when(EndSessions(user_id=USER_ID)).then_nothing()
    life.when(refresh()).then_rejected(SessionOver)


def test_who_changes_the_password_is_logged_out_everywhere_else() -> None:
    life = user.given(registered(), started(), started(OTHER, "other"))
    others = ended(OTHER, reason="password changed")
    life.when(change_password(keep="first")).then(password_changed(), others)
    everywhere = ended(ada.SESSION, OTHER, reason="password changed")
    life.when(change_password()).then(password_changed(), everywhere)
    life.when(change_password(keep="forged")).then(password_changed(), everywhere)


def test_a_password_is_changed_only_by_who_has_the_one_in_force() -> None:
    life = user.given(registered(), password_changed())
    life.when(change_password(changes=0)).then_rejected(CredentialsStale)
    user.when(change_password()).then_rejected(CredentialsStale)


def test_a_reset_is_mailed_once_a_minute_and_only_where_there_is_an_account() -> None:
    asked = RequestReset(user_id=USER_ID, proof=proof())
    life = user.given(registered())
    life.when(asked).then(reset_requested())
    life.ask(asked)
    life.when(asked, NOON + PAUSE - MOMENT).then_nothing()
    life.when(asked, NOON + PAUSE).then(reset_requested(NOON + PAUSE))
    user.when(asked).then_nothing()
    user.given(registered(), deleted()).when(asked).then_nothing()


def test_a_mailed_token_sets_a_password_once_ends_every_session_and_verifies_the_address() -> None:
    life = user.given(registered(), started(), reset_requested())
    life.when(reset()).then(verified(), password_changed(), ended(ada.SESSION, reason="password reset"))
    life.ask(reset())
    life.when(reset()).then_rejected(ProofSpent)


def test_a_token_of_a_reset_is_good_for_half_an_hour() -> None:
    life = user.given(registered(), reset_requested())
    life.when(reset(), NOON + RESET - MOMENT).then(verified(), password_changed())
    life.when(reset(), NOON + RESET).then_rejected(ProofSpent)


def test_a_token_that_was_not_mailed_or_is_not_the_last_resets_nothing() -> None:
    life = user.given(registered(), reset_requested())
    life.when(reset("forged")).then_rejected(ProofSpent)
    user.given(registered()).when(reset()).then_rejected(ProofSpent)
    user.given(registered(), reset_requested(), password_changed()).when(reset()).then_rejected(ProofSpent)
    user.given(registered(), reset_requested(), deleted()).when(reset()).then_rejected(ProofSpent)


def test_an_address_is_verified_by_the_mail_and_twice_is_once() -> None:
    life = user.given(registered(), verification_requested())
    life.when(VERIFY).then(verified())
    life.ask(VERIFY)
    life.when(VERIFY).then_nothing()
    user.given(registered(), verification_requested()).when(VERIFY, NOON + ada.DAY).then_rejected(ProofSpent)
    user.given(registered(), reset_requested()).when(VERIFY).then_rejected(ProofSpent)


def test_the_mail_that_verifies_is_sent_again_until_the_address_is_verified() -> None:
    asked = RequestVerification(user_id=USER_ID, proof=proof())
    life = user.given(registered(), verification_requested())
    life.when(asked, NOON).then_nothing()
    life.when(asked, NOON + PAUSE).then(verification_requested(NOON + PAUSE))
    life.record([verified()])
    life.when(asked, NOON + PAUSE).then_nothing()
    user.when(asked).then_nothing()


@moderately
@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 30)), max_size=25))
def test_of_a_session_only_the_last_token_is_ever_exchanged(tries: list[tuple[int, int]]) -> None:
    """Whoever presents whichever token when: turns rise by one, and nothing follows a revocation."""
    life, at = user.given(registered(), started(word="0")), NOON
    happened: list[Event] = []
    for turn, seconds in tries:
        at += timedelta(seconds=seconds)
        happened += life.ask(refresh(turn, str(turn), str(turn + 1)), at)
    turns = [event.turn for event in happened if isinstance(event, SessionRefreshed)]
    assert turns == list(range(1, len(turns) + 1))
    assert not any(isinstance(event, SessionRevoked) for event in happened[:-1])
