"""Bounces is what the mailbox says later of mails that it took: delivery status notifications (RFC 3464).

They are posted as a mail provider does, signed as Standard Webhooks are, and again until they are taken.
"""

import asyncio
import base64
import hashlib
import hmac
import http.client
import time
from email.message import Message
from email.parser import BytesHeaderParser
from urllib.parse import urlsplit
from uuid import uuid4

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
        self._url, self._secret = urlsplit(url), secret
        self._posting = set[asyncio.Task[None]]()

    def bounce(self, mail: bytes, recipient: str) -> None:
        """Say, soon, that the mail could not be handed over."""
        task = asyncio.create_task(self._say(written(BytesHeaderParser().parsebytes(mail), recipient).encode()))
        self._posting.add(task)
        task.add_done_callback(self._posting.discard)

    async def _say(self, report: bytes) -> None:
        for attempt in range(ATTEMPTS):
            await asyncio.sleep(FIRST_PAUSE * 2**attempt)
            if await asyncio.to_thread(self._posted, report):
                return

    def _posted(self, report: bytes) -> bool:
        kind = http.client.HTTPSConnection if self._url.scheme == "https" else http.client.HTTPConnection
        connection = kind(self._url.hostname or "127.0.0.1", self._url.port, timeout=5)
        try:
            connection.request("POST", self._url.path, report, self._headers(report))
            return connection.getresponse().status < 300
        except OSError:
            return False
        finally:
            connection.close()

    def _headers(self, report: bytes) -> dict[str, str]:
        name, sent = f"msg_{uuid4().hex}", str(int(time.time()))
        signature = hmac.digest(self._secret.encode(), f"{name}.{sent}.".encode() + report, hashlib.sha256)
        return {
            "Content-Type": "message/rfc822",
            "webhook-id": name,
            "webhook-timestamp": sent,
            "webhook-signature": f"v1,{base64.b64encode(signature).decode()}",
        }


def written(mail: Message, recipient: str) -> str:
    """The report, with the headers that tell which mail it is about."""
    said = {"sender": mail["From"], "message_id": mail["Message-ID"], "recipient": recipient}
    return REPORT.format(boundary=f"=_{uuid4().hex}", **said)
