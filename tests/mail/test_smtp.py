"""Mail over SMTP: what the server says decides between a refusal and another time."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import uuid4

import pytest

from tests.mail.mailbox import MailboxProcess, free_port
from workers.channel import Delivered, MailUnavailable, Refused
from workers.mail import SmtpChannel
from workers.mailbox import list_mail, set_mode

pytestmark = pytest.mark.anyio

TO = "ada@example.com"


@pytest.fixture
async def channel(mailbox: MailboxProcess, anyio_backend: str) -> AsyncIterator[SmtpChannel]:
    channel = SmtpChannel("127.0.0.1", mailbox.port, "orders@orderlog.example")
    yield channel
    await channel.aclose()


async def test_a_permanent_no_is_a_refusal_and_the_next_mail_goes_through(
    channel: SmtpChannel, mailbox: MailboxProcess
) -> None:
    set_mode(mailbox.folder, "refuse", 1)

    refused = await channel.deliver(uuid4(), TO, "welcome", {})
    assert isinstance(refused, Refused)
    assert refused.reason.startswith("550")
    assert refused.gone  # 5.1.1: nobody has the address
    assert isinstance(await channel.deliver(uuid4(), TO, "welcome", {}), Delivered)


async def test_an_address_that_nobody_has_is_refused_and_others_are_not(channel: SmtpChannel) -> None:
    answers = [await channel.deliver(uuid4(), to, "welcome", {}) for to in ("nobody@example.com", TO)]
    assert [isinstance(answer, Refused) and answer.gone for answer in answers] == [True, False]


async def test_a_busy_server_is_for_another_time(channel: SmtpChannel, mailbox: MailboxProcess) -> None:
    one = uuid4()
    set_mode(mailbox.folder, "busy", 1)

    with pytest.raises(MailUnavailable, match="451"):
        await channel.deliver(one, TO, "welcome", {})
    assert mailbox.of(one) == []
    assert isinstance(await channel.deliver(one, TO, "welcome", {}), Delivered)


async def test_a_mail_taken_without_a_word_is_sent_again_and_kept_once(
    channel: SmtpChannel, mailbox: MailboxProcess
) -> None:
    one = uuid4()
    set_mode(mailbox.folder, "drop", 1)

    with pytest.raises(MailUnavailable):
        await channel.deliver(one, TO, "welcome", {})
    await channel.deliver(one, TO, "welcome", {})

    (kept,) = mailbox.of(one)
    assert kept.repeats == 1


async def test_a_dead_server_is_for_another_time() -> None:
    channel = SmtpChannel("127.0.0.1", free_port(), "orders@orderlog.example")
    with pytest.raises(MailUnavailable):
        await channel.deliver(uuid4(), TO, "welcome", {})


async def test_many_mails_at_once_share_a_few_connections(channel: SmtpChannel, mailbox: MailboxProcess) -> None:
    ids = [uuid4() for _ in range(30)]
    answers = await asyncio.gather(*(channel.deliver(one, TO, "welcome", {}) for one in ids))

    assert all(isinstance(answer, Delivered) for answer in answers)
    kept = [mail.message_id for mail in list_mail(mailbox.folder)]
    assert all(f"<{one}@orderlog.example>" in kept for one in ids)


async def test_a_mailbox_keeps_its_mail_through_kill_9_and_the_channel_finds_it_again(tmp_path: Path) -> None:
    one, order = uuid4(), {"order_id": "o-1"}
    with MailboxProcess(tmp_path / "mail") as mailbox:
        channel = SmtpChannel("127.0.0.1", mailbox.port, "orders@orderlog.example", connections=1)
        await channel.deliver(one, TO, "order_delivered", order)

        mailbox.kill()
        with pytest.raises(MailUnavailable):
            await channel.deliver(one, TO, "order_delivered", order)
        mailbox.start()
        assert isinstance(await channel.deliver(one, TO, "order_delivered", order), Delivered)
        await channel.aclose()

        (kept,) = mailbox.of(one)
    assert (kept.recipient, kept.text, kept.repeats) == (TO, "Your order o-1 has been delivered. Enjoy!\n", 1)
