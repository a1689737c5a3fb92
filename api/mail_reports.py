"""Mail reports are what mail servers say later of mails that they had taken: delivery status notifications (RFC 3464).

The mail provider posts each as it is, a mail, and signs it as payment providers sign their webhooks.
"""

from collections.abc import Iterator
from email import message_from_bytes, message_from_string
from email.message import Message
from typing import NamedTuple

from fastapi import APIRouter, Request, Response

from api.bodies import raw_of
from api.commands import put_told
from api.problems import Problem
from api.signatures import is_standard
from api.system import of
from api.watch import Row
from projections.notification import ONE
from schemas.mail import enhanced, is_nobodys, message_id, notification_of
from schemas.notification import RecordBounce, RecordReport

router = APIRouter(tags=["notifications"])

MAIL = "message/rfc822"
_SIGNATURE = [
    {"name": name, "in": "header", "schema": {"type": "string"}}
    for name in ("webhook-id", "webhook-timestamp", "webhook-signature")
]


class Told(NamedTuple):
    """What a report says of one of our mails; the status is an enhanced one, such as 5.1.1."""

    notification_id: str
    action: str
    status: str


@router.post(
    "/notifications/reports/mail",
    status_code=204,
    openapi_extra={
        "requestBody": {"required": True, "content": {MAIL: {"schema": {"type": "string"}}}},
        "parameters": _SIGNATURE,
    },
)
async def take_mail_report(request: Request) -> Response:
    """What has become of a mail, as its mail server says; only a report that ends it is recorded."""
    secret = of(request).settings.mail_report_secret
    if not secret:
        raise Problem("NotFound", "Reports of mails are not set up here: ORDERLOG_MAIL_REPORT_SECRET.")
    raw = await raw_of(request)
    if not is_standard(request.headers, raw, secret):
        raise Problem("SignatureWrong")
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != MAIL:
        raise Problem("UnsupportedMediaType", f"Send {MAIL}.")
    told = read(raw)
    if told is None:
        raise Problem("BadRequest", "The body is no delivery status notification about a mail of ours.")
    if told.action in ("delivered", "failed"):
        await _record(request, told)
    return Response(status_code=204)


async def _record(request: Request, told: Told) -> None:
    """That nobody has the address comes first: a report that comes again, as it was not answered, has both done."""
    system = of(request)
    row = await system.row("notification", ONE, notification_id=told.notification_id)
    if row is None:
        raise Problem("NotFound", "The read model does not have this message (yet): come again.")
    reason = "" if told.action == "delivered" else f"mail: failed {told.status}".strip()
    if reason and is_nobodys(told.status) and row["customer_id"]:
        await put_told(request, _bounce(row, reason), "report/mail", f"{told.notification_id}/bounce")
    report = RecordReport(
        notification_id=told.notification_id,
        way="email",
        reference=message_id(told.notification_id, system.settings.sender),
        arrived=not reason,
        reason=reason,
    )
    await put_told(request, report, "report/mail", f"{told.notification_id}/{told.action}/{told.status}")


def _bounce(row: Row, reason: str) -> RecordBounce:
    return RecordBounce(customer_id=row["customer_id"], email=row["recipient"], reason=reason)


def read(raw: bytes) -> Told | None:
    """What a report says; None if it is none, or about no mail of ours. Whom the mail was to is left unread."""
    parts = list(message_from_bytes(raw).walk())
    names = [name for part in parts for mail in _originals(part) if (name := notification_of(str(mail["Message-ID"])))]
    said = [block for part in parts if part.get_content_type() == "message/delivery-status" for block in _blocks(part)]
    actions = [block for block in said if block["Action"]]
    if not (names and actions):
        return None
    action = str(actions[0]["Action"]).strip().lower()
    return Told(names[0], action, enhanced(str(actions[0]["Status"])))


def _originals(part: Message) -> Iterator[Message]:
    """The headers of the mail that a part gives back."""
    if part.get_content_type() == "text/rfc822-headers":
        yield message_from_string(str(part.get_payload()))
    elif part.get_content_type() == MAIL:
        yield from _blocks(part)


def _blocks(part: Message) -> Iterator[Message]:
    inside = part.get_payload()
    yield from (block for block in inside if isinstance(block, Message)) if isinstance(inside, list) else ()
