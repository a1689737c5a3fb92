"""Delivery status notifications: only what the mail provider has signed counts, once, and only what ends a mail."""

import time
from collections.abc import AsyncIterator, Mapping
from uuid import uuid4

import httpx2
import pytest

from api.app import create_app
from api.mail_reports import Told, read
from events.ids import derive
from events.memory import MemoryLog
from schemas.mail import message_id
from schemas.webhook import signature
from tests.api.world import World, beside, client_of, order, settings
from tests.builders.notification import MAIL

pytestmark = pytest.mark.anyio

SECRET = "of the mail provider"
PATH = "/notifications/reports/mail"


def dsn(
    notification_id: str = MAIL, action: str = "failed", status: str = "5.1.1", given_back: str = "headers"
) -> bytes:
    """A report as a mail server writes it (RFC 3464), with what it gives back of the mail."""
    kind = {"headers": "text/rfc822-headers", "all": "message/rfc822"}[given_back]
    return f"""From: MAILER-DAEMON@mx.example.org
To: orders@orderlog.example
Subject: Undelivered Mail Returned to Sender
Message-ID: <20261128120000.1@mx.example.org>
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="=_b"

--=_b
Content-Type: text/plain

Your message to ada@example.org could not be delivered.
--=_b
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.example.org

Final-Recipient: rfc822; ada@example.org
Action: {action}
Status: {status}
Diagnostic-Code: smtp; 550 5.1.1 <ada@example.org>: no such mailbox

--=_b
Content-Type: {kind}

Message-ID: {message_id(notification_id, "orders@orderlog.example")}
Subject: Your order is confirmed
To: ada@example.org

--=_b--
""".encode()


def signed(body: bytes, secret: str = SECRET, **changes: str) -> dict[str, str]:
    sent = int(time.time())
    headers = {"webhook-id": "msg_1", "webhook-timestamp": str(sent), "Content-Type": "message/rfc822"}
    headers["webhook-signature"] = signature(secret, headers["webhook-id"], sent, body)
    return {**headers, **{name.replace("_", "-"): value for name, value in changes.items()}}


async def post(client: httpx2.AsyncClient, body: bytes, headers: Mapping[str, str] | None = None) -> int:
    return (await client.post(PATH, content=body, headers=signed(body) if headers is None else headers)).status_code


@pytest.mark.parametrize("given_back", ["headers", "all"])
def test_a_report_says_which_mail_and_what_became_of_it_and_not_to_whom(given_back: str) -> None:
    assert read(dsn(given_back=given_back)) == Told(MAIL, "failed", "5.1.1")
    assert read(dsn(action="Delivered", status="2.0.0 (sent)")) == Told(MAIL, "delivered", "2.0.0")


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"\xff\x00" * 50,
        dsn().replace(MAIL.encode(), b"somebody-elses"),
        dsn().replace(b"Action:", b"Auction:"),
        dsn().replace(b"message/delivery-status", b"text/plain"),
        b"Content-Type: multipart/report; boundary=x\n\n--x\nContent-Type: message/rfc822\n",
    ],
)
def test_what_is_no_report_about_a_mail_of_ours_is_told(raw: bytes) -> None:
    assert read(raw) is None


@pytest.fixture
async def ears(anyio_backend: str, postgres: str, world: World) -> AsyncIterator[World]:
    async with beside(postgres, world.log, mail_report_secret=SECRET) as process:
        yield process


async def test_only_what_is_signed_counts(ears: World) -> None:
    body, before = dsn(), ears.commands()
    old = signed(body, webhook_timestamp=str(int(time.time()) - 999))
    for headers in ({}, signed(body, "another"), signed(body + b" "), old, signed(body, webhook_id="msg_2")):
        assert await post(ears.client, body, headers) == 403
    assert await post(ears.client, body, signed(body, Content_Type="application/json")) == 415
    assert await post(ears.client, b"nothing") == 400
    assert ears.commands() == before


async def test_without_a_secret_none_is_taken() -> None:
    async with client_of(create_app(settings(mail_report_secret=""), log=MemoryLog())) as client:
        assert await post(client, dsn(), signed(dsn(), "")) == 404


async def test_what_ends_nothing_is_taken_and_changes_nothing_and_a_mail_that_is_not_known_comes_again(
    ears: World,
) -> None:
    before = ears.commands()
    assert await post(ears.client, dsn(action="delayed", status="4.4.1")) == 204
    assert await post(ears.client, dsn(str(uuid4()))) == 404
    assert ears.commands() == before


async def test_who_has_no_mailbox_is_not_written_to_again_until_somebody_says_so(world: World, ears: World) -> None:
    customer, sku = f"c-{uuid4().hex[:12]}", await world.listed(stock=9)

    async def confirmed(status: str) -> dict[str, str]:
        """An order, and the mail that it is confirmed."""
        placed = (await world.post("/orders", order(sku, customer_id=customer, email="gone@example.org"))).json()
        mail = derive(f"order-{placed['order_id']}", "order_confirmed/")
        await world.until(f"/notifications/{mail}", status=status)
        found: dict[str, str] = (await world.client.get(f"/notifications/{mail}")).json()
        return found

    first = (await confirmed("delivered"))["notification_id"]
    for _ in range(2):
        assert await post(ears.client, dsn(first)) == 204
    row = await world.until(f"/notifications/{first}", status="bounced")
    assert (row["ways"]["email"]["recipient"], row["ways"]["email"]["reason"]) == (
        "gone@example.org",
        "mail: failed 5.1.1",
    )
    contact = await world.until(f"/notifications/contacts/{customer}", version=1)
    assert contact["bounced"] == [{"email": "gone@example.org", "reason": "mail: failed 5.1.1"}]

    assert (await confirmed("refused"))["reason"] == "nobody has the address: mail: failed 5.1.1"
    assert (await world.post(f"/notifications/contacts/{customer}/trust")).json()["bounced"] == []
    assert (await confirmed("sent"))["notification_id"] != first


async def test_a_full_mailbox_bounces_and_is_written_to_again(world: World, ears: World) -> None:
    customer, sku = f"c-{uuid4().hex[:12]}", await world.listed()
    placed = (await world.post("/orders", order(sku, customer_id=customer))).json()
    mail = derive(f"order-{placed['order_id']}", "order_confirmed/")
    await world.until(f"/notifications/{mail}", status="delivered")
    assert await post(ears.client, dsn(mail, status="5.2.2")) == 204
    await world.until(f"/notifications/{mail}", status="bounced")
    assert (await world.client.get(f"/notifications/contacts/{customer}")).status_code == 404
