"""The SMS provider to play with takes what our channel sends, and signs its reports so that our API believes them."""

import asyncio
import json
from pathlib import Path
from urllib.parse import parse_qsl

import pytest
from starlette.requests import Request
from starlette.responses import Response

from api.reports import signed
from api.stub.app import create
from tests.api.entries import serving as app_served
from tests.builders.notification import MAIL, PARAMS, PHONE
from tests.mail.servers import serving
from workers.channel import Delivered, MailUnavailable
from workers.twilio import TwilioChannel

pytestmark = pytest.mark.anyio

ACCOUNT, TOKEN = "AC-development", "a token of theirs and ours"


class Reports:
    """Where reports are sent to."""

    def __init__(self) -> None:
        self.came: asyncio.Queue[tuple[str, dict[str, str], str]] = asyncio.Queue()

    async def __call__(self, request: Request) -> Response:
        form = dict(parse_qsl((await request.body()).decode()))
        await self.came.put((str(request.url), form, request.headers["x-twilio-signature"]))
        return Response(status_code=204)


@pytest.mark.parametrize(("number", "status"), [(PHONE, "delivered"), ("+491700000000", "undelivered")])
async def test_what_is_sent_is_kept_and_reported_under_a_signature(tmp_path: Path, number: str, status: str) -> None:
    reports, texts = Reports(), tmp_path / "sms.jsonl"
    stub = create(tmp_path / "ledger.jsonl", sms=texts)
    async with app_served(stub) as url, serving(reports) as ours:
        channel = TwilioChannel(ACCOUNT, TOKEN, "+15005550006", base_url=url, public_url=ours)
        answer = await channel.deliver(MAIL, number, "order_confirmed", PARAMS)
        asked, form, signature = await asyncio.wait_for(reports.came.get(), 10)
        await channel.aclose()
    assert isinstance(answer, Delivered)
    assert (form["MessageSid"], form["MessageStatus"]) == (answer.reference, status)
    assert signed(TOKEN, asked, list(form.items()), signature)
    kept = [json.loads(line) for line in texts.read_text().splitlines()] if texts.exists() else []
    assert [(text["to"], "is confirmed" in text["text"]) for text in kept] == [(number, True)] * (status == "delivered")


async def test_who_has_no_account_sends_nothing(tmp_path: Path) -> None:
    stub = create(tmp_path / "ledger.jsonl", sms=tmp_path / "sms.jsonl")
    async with app_served(stub) as url:
        channel = TwilioChannel(ACCOUNT, "", "+15005550006", base_url=url)
        with pytest.raises(MailUnavailable, match="20003"):
            await channel.deliver(MAIL, PHONE, "order_confirmed", PARAMS)
        await channel.aclose()
    assert not (tmp_path / "sms.jsonl").exists()
