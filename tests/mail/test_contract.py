"""The contract of a channel, kept by its twin in memory and by SMTP against a real mailbox."""

from collections.abc import AsyncIterator, Callable
from uuid import UUID, uuid4

import pytest

from tests.mail.mailbox import MailboxProcess
from workers.channel import ByChannel, Channel, Delivered, Refused
from workers.mail import InProcessMailbox, SmtpChannel

pytestmark = pytest.mark.anyio

Held = Callable[[UUID], list[tuple[str, str]]]
"""Recipient and subject of every mail that is held for a notification."""


@pytest.fixture(params=["in memory", "over smtp"])
async def both(
    request: pytest.FixtureRequest, mailbox: MailboxProcess, anyio_backend: str
) -> AsyncIterator[tuple[Channel, Held]]:
    if request.param == "in memory":
        twin = InProcessMailbox()
        yield twin, lambda asked: [(it.recipient, it.subject) for it in twin.of(asked)]
        return
    channel = SmtpChannel("127.0.0.1", mailbox.port, "orders@orderlog.example")
    yield channel, lambda asked: [(mail.recipient, mail.subject) for mail in mailbox.of(asked)]
    await channel.aclose()


async def test_a_mail_arrives(both: tuple[Channel, Held]) -> None:
    channel, held = both
    one = uuid4()

    answer = await channel.deliver(one, "ada@example.com", "order_shipped", {"order_id": "o-1"})

    assert answer == Delivered(f"<{one}@orderlog.example>")
    assert held(one) == [("ada@example.com", "Your order o-1 is on its way")]


async def test_the_same_notification_twice_is_one_mail(both: tuple[Channel, Held]) -> None:
    channel, held = both
    one = uuid4()

    first = await channel.deliver(one, "ada@example.com", "welcome", {})
    assert await channel.deliver(one, "ada@example.com", "welcome", {}) == first
    assert len(held(one)) == 1


@pytest.mark.parametrize(
    "recipient", ["", "nobody", "a@example.com\nBcc: b@example.com", "a@example.com, b@example.com"]
)
async def test_an_address_that_is_none_is_refused(both: tuple[Channel, Held], recipient: str) -> None:
    channel, held = both
    one = uuid4()

    assert isinstance(await channel.deliver(one, recipient, "welcome", {}), Refused)
    assert held(one) == []


@pytest.mark.parametrize("template", ["no_such", "../mail", "order_shipped"])
async def test_a_template_that_cannot_be_filled_in_is_refused(both: tuple[Channel, Held], template: str) -> None:
    channel, _ = both
    assert isinstance(await channel.deliver(uuid4(), "ada@example.com", template, {}), Refused)


async def test_a_channel_that_is_not_set_up_refuses(both: tuple[Channel, Held]) -> None:
    mailer = ByChannel({"email": both[0]})

    assert isinstance(await mailer.deliver(uuid4(), "email", "ada@example.com", "welcome", {}), Delivered)
    assert await mailer.deliver(uuid4(), "sms", "+4612345", "welcome", {}) == Refused("no channel sms")
