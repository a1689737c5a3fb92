"""Twilio's reports: only what it has signed counts, once, and only what ends a message."""

from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import urlencode

import httpx2
import pytest

from api.app import create_app
from api.reports import sign
from events.memory import MemoryLog
from events.registry import command_codec
from schemas.notification import RecordReport
from tests.api.world import client_of, settings
from tests.builders.notification import MAIL, SID

pytestmark = pytest.mark.anyio

TOKEN, PUBLIC = "twilio-secret", "https://shop.example/api"
URL = f"{PUBLIC}/notifications/{MAIL}/reports/twilio"
FORM = {"MessageSid": SID, "MessageStatus": "delivered", "AccountSid": "AC1", "To": "+49170", "ErrorCode": ""}


class Ground:
    """The API with SMS set up, and what has been asked through it."""

    def __init__(self, client: httpx2.AsyncClient, log: MemoryLog) -> None:
        self.client, self._log = client, log

    async def report(self, form: dict[str, str], url: str = URL, **headers: str) -> httpx2.Response:
        body = urlencode(form)
        given = {
            "Content-Type": "application/x-www-form-urlencoded",
            "X-Twilio-Signature": sign(TOKEN, url, form),
            **{name.replace("_", "-"): value for name, value in headers.items()},
        }
        path = url.removeprefix(PUBLIC) if url.startswith(PUBLIC) else f"/notifications/{MAIL}/reports/twilio"
        return await self.client.post(path, content=body, headers=given)

    def asked(self) -> list[tuple[str, Any]]:
        """The id and the command of all that was sent on."""
        found = []
        for records in self._log.records.values():
            for record in records:
                tag = record.headers["ce_type"].decode()
                found.append((record.headers["ce_id"].decode(), command_codec.decode(tag, record.value)))
        return found


@pytest.fixture
async def ground() -> AsyncIterator[Ground]:
    log = MemoryLog()
    app = create_app(settings(twilio_token=TOKEN, public_url=PUBLIC), log=log)
    async with client_of(app) as client:
        yield Ground(client, log)


def test_a_signature_covers_the_fields_in_whatever_order_they_come() -> None:
    form = {
        "CallSid": "CA1234567890ABCDE",
        "Caller": "+14158675310",
        "Digits": "1234",
        "From": "+14158675310",
        "To": "+18005551212",
    }
    said = "https://example.com/myapp.php?foo=1&bar=2"
    assert sign("12345", said, form) == sign("12345", said, list(reversed(form.items())))
    assert sign("12345", said, form) != sign("12345", said, {**form, "Digits": "1235"})
    assert sign("12345", said, [*form.items(), ("To", "+18005551212")]) == sign("12345", said, form)


async def test_a_report_that_a_message_arrived_is_sent_on(ground: Ground) -> None:
    answer = await ground.report(FORM)
    assert (answer.status_code, answer.content) == (204, b"")
    [(_, command)] = ground.asked()
    assert command == RecordReport(notification_id=MAIL, way="sms", reference=SID, arrived=True, reason="")


async def test_a_report_that_it_did_not_says_why(ground: Ground) -> None:
    await ground.report({**FORM, "MessageStatus": "undelivered", "ErrorCode": "30003"})
    [(_, command)] = ground.asked()
    assert (command.arrived, command.reason) == (False, "twilio: undelivered 30003")


async def test_a_report_that_comes_again_has_the_same_id_and_another_has_another(ground: Ground) -> None:
    for status in ("delivered", "delivered", "undelivered"):
        await ground.report({**FORM, "MessageStatus": status})
    first, again, other = [name for name, _ in ground.asked()]
    assert first == again != other


@pytest.mark.parametrize("status", ["queued", "sending", "sent", "accepted", "something-new"])
async def test_what_ends_nothing_is_taken_and_changes_nothing(ground: Ground, status: str) -> None:
    assert (await ground.report({**FORM, "MessageStatus": status})).status_code == 204
    assert ground.asked() == []


@pytest.mark.parametrize("signature", ["", "nonsense", "A" * 999])
async def test_a_wrong_signature_changes_nothing(ground: Ground, signature: str) -> None:
    answer = await ground.report(FORM, X_Twilio_Signature=signature)
    assert (answer.status_code, answer.json()["code"]) == (403, "SignatureWrong")
    assert ground.asked() == []


async def test_a_signature_covers_the_url_and_every_field(ground: Ground) -> None:
    genuine = sign(TOKEN, URL, FORM)
    for form in ({**FORM, "MessageStatus": "failed"}, {**FORM, "More": "1"}):
        assert (await ground.report(form, X_Twilio_Signature=genuine)).status_code == 403
    elsewhere = sign(TOKEN, URL.replace(MAIL, MAIL[::-1]), FORM)
    assert (await ground.report(FORM, X_Twilio_Signature=elsewhere)).status_code == 403
    assert (await ground.report(FORM, URL + "?more=1", X_Twilio_Signature=genuine)).status_code == 422
    assert ground.asked() == []


async def test_what_is_no_form_is_refused(ground: Ground) -> None:
    assert (await ground.report(FORM, Content_Type="application/json")).status_code == 415
    assert (await ground.report({"MessageStatus": "delivered"})).json()["errors"][0]["field"] == "MessageSid"
    assert (await ground.report({str(n): "" for n in range(300)})).status_code == 400
    assert ground.asked() == []


async def test_without_sms_there_is_nothing_to_report_to() -> None:
    log = MemoryLog()
    async with client_of(create_app(settings(), log=log)) as client:
        assert (await Ground(client, log).report(FORM)).status_code == 404
    assert not any(log.records.values())
