"""The mailbox reports a mail that comes back as a mail provider does, so that our API believes it."""

import asyncio
from pathlib import Path

import pytest
from starlette.requests import Request
from starlette.responses import Response

from api.mail_reports import Told, read
from api.signatures import check_standard
from tests.builders.notification import MAIL, PARAMS
from tests.mail.mailbox import MailboxProcess
from tests.mail.servers import serving
from workers.channel import Delivered
from workers.mail import SmtpChannel

pytestmark = pytest.mark.anyio

SECRET = "of theirs and ours"


class Reports:
    """Where reports are sent to; it is away at first."""

    def __init__(self) -> None:
        self.came: asyncio.Queue[tuple[Request, bytes]] = asyncio.Queue()
        self.asked = 0

    async def __call__(self, request: Request) -> Response:
        self.asked += 1
        if self.asked == 1:
            return Response(status_code=503)
        await self.came.put((request, await request.body()))
        return Response(status_code=204)


async def test_a_mail_that_comes_back_was_taken_and_is_reported_under_a_signature(tmp_path: Path) -> None:
    reports = Reports()
    async with serving(reports) as url:
        with MailboxProcess(tmp_path, "--reports", f"{url}/notifications/reports/mail", "--secret", SECRET) as mailbox:
            channel = SmtpChannel("127.0.0.1", mailbox.port, "orders@orderlog.example")
            assert isinstance(await channel.deliver(MAIL, "bounces@example.com", "order_confirmed", PARAMS), Delivered)
            request, body = await asyncio.wait_for(reports.came.get(), 10)
            await channel.aclose()
            assert mailbox.of(MAIL) == []
    check_standard(request.headers, body, SECRET)
    assert read(body) == Told(MAIL, "failed", "5.1.1")
    assert (request.url.path, request.headers["content-type"]) == ("/notifications/reports/mail", "message/rfc822")
