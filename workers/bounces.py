"""Bounces is what the mailbox says later of mails that it took: delivery status notifications (RFC 3464).

They are posted as a mail provider does, signed as Standard Webhooks are, and again until they are taken.
"""

import asyncio
from email.message import Message
from email.parser import BytesHeaderParser
from uuid import uuid4

from schemas.webhook import post

ATTEMPTS = 6
FIRST_PAUSE = 0.3
REPORT = """\
From: MAILER-DAEMON@mailbox.local
To: {sender}
Subject: Undelivered mail returned to sender
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="{boundary}"

--{boundary}
Content-Type: text/plain; charset=utf-8

Your mail could not be delivered to {recipient}: there is no such mailbox.
--{boundary}
Content-Type: message/delivery-status

Reporting-MTA: dns; mailbox.local

Final-Recipient: rfc822; {recipient}
Action: failed
Status: 5.1.1
Diagnostic-Code: smtp; 550 5.1.1 no such mailbox

--{boundary}
Content-Type: text/rfc822-headers

Message-ID: {message_id}
To: {recipient}

--{boundary}--
"""


class Reports:
    """Where mails that come back are reported to."""

    def __init__(self, url: str, secret: str) -> None:
        self._url, self._secret = url, secret
        self._posting = set[asyncio.Task[None]]()

    def bounce(self, mail: bytes, recipient: str) -> None:
        """Say, soon, that the mail could not be handed over."""
        task = asyncio.create_task(self._say(written(BytesHeaderParser().parsebytes(mail), recipient).encode()))
        self._posting.add(task)
        task.add_done_callback(self._posting.discard)

    async def _say(self, report: bytes) -> None:
        for attempt in range(ATTEMPTS):
            await asyncio.sleep(FIRST_PAUSE * 2**attempt)
            name = f"msg_{uuid4().hex}"
            if await asyncio.to_thread(post, self._url, self._secret, name, report, "message/rfc822"):
                return


def written(mail: Message, recipient: str) -> str:
    """The report, with the headers that tell which mail it is about."""
    said = {"sender": mail["From"], "message_id": mail["Message-ID"], "recipient": recipient}
    return REPORT.format(boundary=f"=_{uuid4().hex}", **said)
