"""Push over FCM's HTTP v1 API, against a server that sells tokens for signatures and checks them."""

import asyncio
import time
from collections.abc import AsyncIterator
from uuid import uuid4

import pytest

from tests.mail.servers import Google, serving
from workers.channel import Delivered, MailUnavailable, Manner, Refused
from workers.fcm import FcmChannel, ServiceAccount
from workers.outside import Outside

pytestmark = pytest.mark.anyio

ORDER = {"order_id": "o-1", "total": 1299, "currency": "EUR", "lines": 2}


class Clock:
    def __init__(self) -> None:
        self.now = time.time() - 7200

    def __call__(self) -> float:
        return self.now


@pytest.fixture(scope="module")
def key() -> Google:
    return Google()


@pytest.fixture
def google(key: Google) -> Google:
    fresh = Google.__new__(Google)
    fresh.__dict__ = {**key.__dict__}
    fresh.sold, fresh.revoked, fresh.sent, fresh.unregistered = [], set(), [], set()
    fresh.faults = type(key.faults)()
    return fresh


@pytest.fixture
async def channel(google: Google, anyio_backend: str) -> AsyncIterator[FcmChannel]:
    async with serving(google) as url:
        google.url = url
        outside = Outside("fcm", timeout_seconds=2, backoff_seconds=0.001)
        channel = FcmChannel(ServiceAccount.read(google.key_file()), base_url=url, outside=outside)
        yield channel
        await channel.aclose()


async def test_a_push_has_one_tag_on_all_platforms(channel: FcmChannel, google: Google) -> None:
    one = str(uuid4())
    answer = await channel.deliver(one, "device-1", "order_confirmed", ORDER, Manner("de"))
    assert answer == Delivered("projects/shop/messages/1")
    [message] = google.sent
    assert message["notification"] == {
        "title": "Bestellung bestätigt",
        "body": "12,99 EUR. Wir sagen Ihnen, wenn sie unterwegs ist.",
    }
    assert message["data"] == {"notification_id": one, "order_id": "o-1"}
    assert message["android"]["notification"]["tag"] == message["apns"]["headers"]["apns-collapse-id"] == one


async def test_many_pushes_at_once_share_one_token(channel: FcmChannel, google: Google) -> None:
    await asyncio.gather(*(channel.deliver(uuid4(), "device-1", "welcome", {}) for _ in range(8)))
    assert (len(google.sent), google.sold) == (8, ["token-0"])


async def test_a_token_that_is_taken_for_none_is_bought_anew_once(channel: FcmChannel, google: Google) -> None:
    await channel.deliver(uuid4(), "device-1", "welcome", {})
    google.revoked = {"token-0"}
    assert isinstance(await channel.deliver(uuid4(), "device-1", "welcome", {}), Delivered)
    assert google.sold == ["token-0", "token-1"]
    google.revoked = {f"token-{n}" for n in range(9)}
    with pytest.raises(MailUnavailable, match="401"):
        await channel.deliver(uuid4(), "device-1", "welcome", {})
    assert len(google.sold) == 3


async def test_a_token_is_bought_anew_before_it_ends(google: Google) -> None:
    clock = Clock()
    async with serving(google) as url:
        google.url = url
        channel = FcmChannel(ServiceAccount.read(google.key_file()), base_url=url, clock=clock)
        await channel.deliver(uuid4(), "device-1", "welcome", {})
        clock.now += 3000
        await channel.deliver(uuid4(), "device-1", "welcome", {})
        assert len(google.sold) == 1
        clock.now += 590
        await channel.deliver(uuid4(), "device-1", "welcome", {})
        assert len(google.sold) == 2
        await channel.aclose()


async def test_a_device_that_is_not_registered_any_more_is_gone(channel: FcmChannel, google: Google) -> None:
    google.unregistered = {"device-1"}
    assert await channel.deliver(uuid4(), "device-1", "welcome", {}) == Refused("fcm: UNREGISTERED", gone=True)


async def test_an_address_that_is_none_is_refused_and_keeps_its_place(channel: FcmChannel) -> None:
    answer = await channel.deliver(uuid4(), "nonsense", "welcome", {})
    assert answer == Refused("fcm: HTTP 400 INVALID_ARGUMENT")


async def test_an_outage_is_tried_again_and_then_for_another_time(channel: FcmChannel, google: Google) -> None:
    google.faults.next = [503]
    assert isinstance(await channel.deliver(uuid4(), "device-1", "welcome", {}), Delivered)
    google.faults.next = [503, 503, 503]
    with pytest.raises(MailUnavailable, match="HTTP 503"):
        await channel.deliver(uuid4(), "device-1", "welcome", {})


def test_a_key_file_that_lacks_something_is_named_and_a_key_never_shown(key: Google) -> None:
    file = {**key.key_file(), "token_uri": "https://oauth2.googleapis.com/token"}
    account = ServiceAccount.read(file)
    assert file["private_key"][40:60] not in repr(account)
    with pytest.raises(ValueError, match="private_key_id"):
        ServiceAccount.read({**file, "private_key_id": ""})
