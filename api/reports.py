"""Reports are what providers say later of messages that they had taken: signed by them, late, twice, in any order."""

import base64
from collections.abc import Mapping, Sequence
from hashlib import sha1
from hmac import compare_digest, digest
from typing import Annotated
from urllib.parse import parse_qsl

from fastapi import APIRouter, Path, Request, Response

from api.bodies import raw_of
from api.commands import put_told
from api.problems import Problem, field_error, invalid
from api.system import of
from schemas.links import report_url
from schemas.notification import RecordReport
from schemas.values import Uuid

router = APIRouter(tags=["notifications"])

FORM = "application/x-www-form-urlencoded"
MOST_FIELDS = 200
ARRIVED = frozenset({"delivered", "read"})
LOST = frozenset({"undelivered", "failed"})
_BODY = {
    "required": True,
    "content": {
        FORM: {
            "schema": {
                "type": "object",
                "required": ["MessageSid", "MessageStatus"],
                "properties": {
                    name: {"type": "string"} for name in ("MessageSid", "MessageStatus", "ErrorCode", "To", "From")
                },
            }
        }
    },
}


@router.post(
    "/notifications/{notification_id}/reports/twilio",
    status_code=204,
    openapi_extra={
        "requestBody": _BODY,
        "parameters": [{"name": "X-Twilio-Signature", "in": "header", "schema": {"type": "string"}}],
    },
)
async def take_twilio_report(request: Request, notification_id: Annotated[Uuid, Path()]) -> Response:
    """What has become of an SMS, as Twilio says; only a report that ends it is recorded."""
    settings = of(request).settings
    if not (settings.twilio_token and settings.public_url):
        raise Problem("NotFound", "SMS are not set up here: ORDERLOG_TWILIO_TOKEN, ORDERLOG_PUBLIC_URL.")
    form = await _form(request)
    url = report_url(settings.public_url, notification_id) + (f"?{request.url.query}" if request.url.query else "")
    if not signed(settings.twilio_token, url, form, request.headers.get("x-twilio-signature", "")):
        raise Problem("SignatureWrong")
    if nul := [name for name, value in form if "\0" in value]:
        raise invalid([field_error([name], "must not contain the NUL character", "nul") for name in nul])
    said = dict(form)
    reference, status = said.get("MessageSid", ""), said.get("MessageStatus", "")
    if missing := [name for name in ("MessageSid", "MessageStatus") if not said.get(name)]:
        raise invalid([field_error([name], "must be there", "missing") for name in missing])
    if status in ARRIVED | LOST:
        await _record(request, notification_id, reference, status, said.get("ErrorCode", ""))
    return Response(status_code=204)


async def _record(request: Request, notification_id: str, reference: str, status: str, code: str) -> None:
    """Under an id that follows from what is said, so that a report that comes again counts once."""
    reason = "" if status in ARRIVED else f"twilio: {status} {code}".strip()[:200]
    command = RecordReport(
        notification_id=notification_id, way="sms", reference=reference, arrived=status in ARRIVED, reason=reason
    )
    await put_told(request, command, "report/twilio", f"{notification_id}/{reference}/{status}")


async def _form(request: Request) -> list[tuple[str, str]]:
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != FORM:
        raise Problem("UnsupportedMediaType", f"Send {FORM}.")
    try:
        text = (await raw_of(request)).decode("ascii")
        form = parse_qsl(text, keep_blank_values=True, errors="strict", max_num_fields=MOST_FIELDS)
    except ValueError:
        raise Problem("BadRequest", "The body is no form.") from None
    return form


def signed(token: str, url: str, form: Sequence[tuple[str, str]], signature: str) -> bool:
    """Whether Twilio has signed this: HMAC-SHA1 over the URL and the form's fields, sorted by name, in base64."""
    return compare_digest(sign(token, url, form).encode(), signature.encode("utf-8", "replace"))


def sign(token: str, url: str, form: Sequence[tuple[str, str]] | Mapping[str, str]) -> str:
    """Twilio's signature; a field that is there several times counts with each of its values once."""
    pairs = form.items() if isinstance(form, Mapping) else form
    said = url + "".join(name + value for name, value in sorted(set(pairs)))
    return base64.b64encode(digest(token.encode(), said.encode(), sha1)).decode()
