"""SMS over Twilio's HTTP API, against a server that checks the keys and the form as Twilio does."""

from collections.abc import AsyncIterator
from uuid import uuid4

import pytest

from tests.mail.servers import ACCOUNT, NUMBER, TOKEN, Twilio, serving
from workers.breaker import Breaker
from workers.channel import Delivered, MailUnavailable, Manner, Refused
from workers.outside import Outside
from workers.provider import CircuitOpen
from workers.twilio import TwilioChannel

pytestmark = pytest.mark.anyio

TO, ORDER = "+491701234567", {"order_id": "o-1"}


@pytest.fixture
def twilio() -> Twilio:
    return Twilio()


@pytest.fixture
async def channel(twilio: Twilio, anyio_backend: str) -> AsyncIterator[TwilioChannel]:
    async with serving(twilio) as url:
        channel = a_channel(url)
        yield channel
        await channel.aclose()


def a_channel(url: str, token: str = TOKEN, threshold: int = 5) -> TwilioChannel:
    outside = Outside("twilio", timeout_seconds=2, backoff_seconds=0.001, breaker=Breaker(threshold))
    return TwilioChannel(ACCOUNT, token, NUMBER, base_url=url, public_url="https://shop.example/api", outside=outside)


async def test_an_sms_is_a_form_with_the_text_in_the_readers_language(channel: TwilioChannel, twilio: Twilio) -> None:
    one = uuid4()
    answer = await channel.deliver(one, TO, "order_delivered", ORDER, Manner("de-AT"))
    [(sid, form)] = twilio.messages.items()
    assert answer == Delivered(sid)
    assert form == {
        "To": TO,
        "From": NUMBER,
        "Body": "Ihre Bestellung o-1 wurde zugestellt. Viel Freude damit!",
        "StatusCallback": f"https://shop.example/api/notifications/{one}/reports/twilio",
    }


async def test_a_messaging_service_sends_in_place_of_a_number(twilio: Twilio) -> None:
    async with serving(twilio) as url:
        channel = TwilioChannel(ACCOUNT, TOKEN, "MG123", base_url=url)
        await channel.deliver(uuid4(), TO, "welcome", {})
        await channel.aclose()
    [form] = twilio.messages.values()
    assert form["MessagingServiceSid"] == "MG123"
    assert not {"From", "StatusCallback"} & form.keys()


async def test_a_number_that_is_none_is_refused_and_not_asked_again(channel: TwilioChannel, twilio: Twilio) -> None:
    twilio.faults.next = [(21211, "The 'To' number is not a valid phone number.")]
    answer = await channel.deliver(uuid4(), TO, "welcome", {})
    assert answer == Refused("twilio: 21211 The 'To' number is not a valid phone number.")
    assert twilio.requests == 1


async def test_who_has_answered_stop_is_gone(channel: TwilioChannel, twilio: Twilio) -> None:
    twilio.faults.next = [(21610, "Attempt to send to unsubscribed recipient")]
    answer = await channel.deliver(uuid4(), TO, "welcome", {})
    assert isinstance(answer, Refused)
    assert answer.gone


@pytest.mark.parametrize("status", [429, 500, 503])
async def test_what_passes_is_tried_again(channel: TwilioChannel, twilio: Twilio, status: int) -> None:
    twilio.faults.next = [status]
    assert isinstance(await channel.deliver(uuid4(), TO, "welcome", {}), Delivered)
    assert twilio.requests == 2


async def test_twilio_knows_no_key_so_an_sms_whose_answer_was_lost_comes_twice(
    channel: TwilioChannel, twilio: Twilio
) -> None:
    twilio.faults.next = ["drop"]
    await channel.deliver(uuid4(), TO, "welcome", {})
    assert len(twilio.messages) == 2


async def test_wrong_keys_are_for_another_time_and_told_to_nobody(twilio: Twilio) -> None:
    async with serving(twilio) as url:
        channel = a_channel(url, token="another-secret")
        with pytest.raises(MailUnavailable, match="401") as caught:
            await channel.deliver(uuid4(), TO, "welcome", {})
        await channel.aclose()
    assert "another-secret" not in str(caught.value)


async def test_an_outage_opens_the_circuit(twilio: Twilio) -> None:
    async with serving(twilio) as url:
        channel = a_channel(url, threshold=3)
        twilio.faults.next = [503] * 20
        with pytest.raises(MailUnavailable):
            await channel.deliver(uuid4(), TO, "welcome", {})
        with pytest.raises(CircuitOpen):
            await channel.deliver(uuid4(), TO, "welcome", {})
        await channel.aclose()
    assert twilio.requests == 3
