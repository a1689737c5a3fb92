"""Web Push against a browser of ours, which decrypts what it gets and checks who has signed it."""

import json
from collections.abc import AsyncIterator
from uuid import uuid4

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from tests.mail.servers import Browser, serving
from workers.channel import Delivered, MailUnavailable, Manner, Refused
from workers.outside import Outside
from workers.web_push import SERVICES, WebPushChannel, key_of, origin_of

pytestmark = pytest.mark.anyio


def pem() -> bytes:
    return ec.generate_private_key(ec.SECP256R1()).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


@pytest.fixture
def browser() -> Browser:
    return Browser()


@pytest.fixture
async def channel(browser: Browser, anyio_backend: str) -> AsyncIterator[WebPushChannel]:
    async with serving(browser) as url:
        browser.url = url
        channel = WebPushChannel(
            key_of(pem()),
            "mailto:orders@orderlog.example",
            services=("127.0.0.1",),
            outside=lambda name: Outside(name, timeout_seconds=2, backoff_seconds=0.001),
        )
        yield channel
        await channel.aclose()


async def test_only_the_browser_reads_what_it_is_pushed(channel: WebPushChannel, browser: Browser) -> None:
    one = str(uuid4())
    answer = await channel.deliver(one, browser.subscription(), "order_delivered", {"order_id": "o-1"}, Manner("de"))
    assert answer == Delivered("")
    assert browser.shown == [{"title": "Bestellung zugestellt", "body": "Viel Freude damit!", "tag": one}]
    [headers] = browser.headers
    assert int(headers["ttl"]) > 0
    assert 1 <= len(headers["topic"]) <= 32


async def test_a_repeat_has_the_same_topic_and_another_message_another(
    channel: WebPushChannel, browser: Browser
) -> None:
    one, other = uuid4(), uuid4()
    for message in (one, one, other):
        await channel.deliver(message, browser.subscription(), "welcome", {})
    topics = [headers["topic"] for headers in browser.headers]
    assert topics[0] == topics[1] != topics[2]


@pytest.mark.parametrize("status", [404, 410])
async def test_a_subscription_that_is_over_is_gone(channel: WebPushChannel, browser: Browser, status: int) -> None:
    browser.status = status
    answer = await channel.deliver(uuid4(), browser.subscription(), "welcome", {})
    assert isinstance(answer, Refused)
    assert answer.gone


async def test_a_message_that_is_too_large_is_refused_and_the_subscription_stays(
    channel: WebPushChannel, browser: Browser
) -> None:
    browser.status = 413
    assert await channel.deliver(uuid4(), browser.subscription(), "welcome", {}) == Refused("web push: HTTP 413")


@pytest.mark.parametrize("status", [401, 403, 429, 503, 302])
async def test_what_may_pass_is_for_another_time_and_no_redirect_is_followed(
    channel: WebPushChannel, browser: Browser, status: int
) -> None:
    browser.status = status
    if status == 302:
        assert await channel.deliver(uuid4(), browser.subscription(), "welcome", {}) == Refused("web push: HTTP 302")
        return
    with pytest.raises(MailUnavailable, match=str(status)):
        await channel.deliver(uuid4(), browser.subscription(), "welcome", {})


@pytest.mark.parametrize(
    "recipient",
    ["", "{}", "[]", "null", '{"endpoint": "https://a.example/", "keys": {"p256dh": "AA", "auth": ""}}'],
)
async def test_a_subscription_that_is_none_is_refused(channel: WebPushChannel, recipient: str) -> None:
    assert isinstance(await channel.deliver(uuid4(), recipient, "welcome", {}), Refused)


@pytest.mark.parametrize(
    "endpoint",
    [
        "https://localhost/push",
        "http://fcm.googleapis.com/fcm/send/1",
        "https://169.254.169.254/latest/meta-data",
        "https://evil.example/?.push.apple.com",
        "https://evilpush.apple.com.example/1",
        "https://user:word@fcm.googleapis.com/1",
        "https://fcm.googleapis.com@evil.example/1",
        "file:///etc/passwd",
        "https://[::1",
        "",
    ],
)
def test_only_push_services_are_called_whatever_a_client_says(endpoint: str) -> None:
    assert origin_of(endpoint, SERVICES) is None


def test_the_services_that_browsers_use_are_known() -> None:
    for endpoint in (
        "https://fcm.googleapis.com/fcm/send/1",
        "https://updates.push.services.mozilla.com/wpush/v2/1",
        "https://wns2-par02p.notify.windows.com/w/?token=1",
        "https://web.push.apple.com/1",
    ):
        assert origin_of(endpoint, SERVICES) == endpoint[: endpoint.index("/", 8)]


def test_a_key_that_is_none_says_so_and_nothing_of_itself() -> None:
    with pytest.raises(ValueError, match="no EC key in PEM") as caught:
        key_of(b"-----BEGIN EC PRIVATE KEY-----\nc2VjcmV0\n-----END EC PRIVATE KEY-----\n")
    assert "c2VjcmV0" not in json.dumps(str(caught.value))
