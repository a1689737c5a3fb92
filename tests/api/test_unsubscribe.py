"""A mail's link to have no more of its kind: looking changes nothing, one click does, and none can be forged."""

import re
from typing import Any

import pytest

from events.registry import command_codec
from schemas.links import read_token, unsubscribe_url, write_token
from schemas.notification import ChooseChannel
from tests.api.world import World, settings
from tests.builders.values import EMAIL
from workers.channel import Manner
from workers.mail import compose

pytestmark = pytest.mark.anyio

SECRET = settings().link_secret
PATH = "/notifications/unsubscribe/" + write_token(SECRET, "ada", "order")
ONE_CLICK: dict[str, Any] = {
    "content": "List-Unsubscribe=One-Click",
    "headers": {"Content-Type": "application/x-www-form-urlencoded"},
}


def asked(door: World) -> list[Any]:
    return [
        command_codec.decode(record.headers["ce_type"].decode(), record.value)
        for records in door.log.records.values()
        for record in records
    ]


async def test_looking_changes_nothing_and_says_what_the_button_does(door: World) -> None:
    page = await door.client.get(PATH)
    assert page.status_code == 200
    assert '<form method="post">' in page.text
    assert "about your orders" in page.text
    assert page.headers["cache-control"] == "no-store"
    assert "default-src 'none'" in page.headers["content-security-policy"]
    assert asked(door) == []


async def test_one_click_is_enough(door: World) -> None:
    done = await door.client.post(PATH, **ONE_CLICK)
    assert (done.status_code, "no more mails" in done.text) == (200, True)
    assert asked(door) == [ChooseChannel(customer_id="ada", kind="order", channel="email", wanted=False)]


async def test_the_button_of_the_page_is_enough(door: World) -> None:
    assert (await door.client.post(PATH)).status_code == 200
    assert len(asked(door)) == 1


def forged() -> list[str]:
    token = write_token(SECRET, "ada", "order")
    said, _, signature = token.partition(".")
    others, _, _ = write_token(SECRET, "bob", "order").partition(".")
    return [
        f"{others}.{signature}",
        f"{said}.",
        said,
        f"{said}.{signature[:-2]}",
        write_token("another-secret", "ada", "order"),
        write_token(SECRET, "ada", "security"),
        "x",
        "%C3%BF.%C3%BF",
    ]


@pytest.mark.parametrize("token", forged())
async def test_a_link_that_is_none_of_ours_changes_nothing(door: World, token: str) -> None:
    for method in ("GET", "POST"):
        answer = await door.client.request(method, f"/notifications/unsubscribe/{token}")
        assert (answer.status_code, answer.json()["code"]) == (404, "NotFound")
    assert asked(door) == []


async def test_a_body_is_not_read_without_end(door: World) -> None:
    assert (await door.client.post(PATH, content=b"x" * (1 << 21))).status_code == 413
    assert asked(door) == []


def test_a_token_says_who_and_which_kind() -> None:
    for who, kind in (("ada", "order"), ("a.b-c_d", "marketing")):
        token = write_token(SECRET, who, kind)
        assert re.fullmatch(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+", token)
        assert read_token(SECRET, token) == (who, kind)


@pytest.mark.parametrize("recipient", [EMAIL, "ada@kundén.example"])
def test_a_mail_carries_its_link_in_the_header_and_in_its_text(recipient: str) -> None:
    url = unsubscribe_url("https://shop.example/api/", write_token(SECRET, "ada", "account"))
    mail = compose("0a", "orders@orderlog.example", recipient, "welcome", {}, Manner("de", url))
    assert mail["List-Unsubscribe"] == f"<{url}>"
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert mail["Content-Language"] == "de"
    [html] = [part for part in mail.walk() if part.get_content_type() == "text/html"]
    body = html.get_payload(decode=True)
    assert isinstance(body, bytes)
    assert url.encode() in body
    plain = compose("0a", "orders@orderlog.example", recipient, "welcome", {})
    assert plain["List-Unsubscribe"] is None
