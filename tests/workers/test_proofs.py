"""A mail's token is computed as the mail leaves: what is recorded of it is not enough to know it."""

from typing import Any

import pytest

from events.registry import event_codec
from schemas.ticket import digest, mailed
from tests.builders import user
from tests.workers.test_notification_reactions import mail
from workers.channel import ByChannel, Delivered, Refused
from workers.mail import InProcessMailbox
from workers.proofs import Proving

pytestmark = pytest.mark.anyio

SECRET = "a secret of the API and of the worker that sends mail"


async def sent(params: dict[str, Any], template: str, secret: str = SECRET) -> str:
    """The text of the mail."""
    mailbox = InProcessMailbox()
    answer = await Proving(ByChannel({"email": mailbox}), secret).deliver("n-1", "email", "a@b.c", template, params)
    assert isinstance(answer, Delivered), answer
    [letter] = mailbox.of("n-1")
    return letter.text


async def test_the_mail_has_the_token_whose_digest_is_recorded_and_no_record_has_the_token() -> None:
    event = user.reset_requested()
    token = mailed("reset", event.user_id, event.proof_id, event.nonce, SECRET)
    asked = mail(event)
    assert token in await sent(asked.params, asked.template)
    assert token not in await sent(asked.params, asked.template, "another secret")
    assert token not in asked.model_dump_json() + event_codec.encode(event).decode()
    assert len(digest(token)) == 64


async def test_a_token_for_one_purpose_is_none_for_another() -> None:
    event = user.verification_requested()
    asked = mail(event)
    verification = mailed("verification", event.user_id, event.proof_id, event.nonce, SECRET)
    assert verification in await sent(asked.params, "verify_email")
    assert verification not in await sent(asked.params, "password_reset")


@pytest.mark.parametrize("missing", ["user_id", "proof_id", "nonce"])
async def test_a_mail_whose_token_cannot_be_computed_is_refused(missing: str) -> None:
    params = {name: value for name, value in mail(user.reset_requested()).params.items() if name != missing}
    mailer = Proving(ByChannel({"email": InProcessMailbox()}), SECRET)
    assert isinstance(await mailer.deliver("n-1", "email", "a@b.c", "password_reset", params), Refused)


async def test_other_mails_are_as_they_were() -> None:
    assert await sent({"name": "Ada"}, "welcome") == "Hello Ada,\n\nyour account is ready.\n"
