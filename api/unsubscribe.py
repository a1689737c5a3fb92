"""Unsubscribe over HTTP: the link of a mail, without logging in. Looking changes nothing, for mail scanners look."""

from html import escape
from typing import Annotated

from fastapi import APIRouter, Path, Request
from fastapi.responses import HTMLResponse

from api.bodies import raw_of
from api.commands import put_told
from api.problems import Problem
from api.system import of
from schemas.links import read_token
from schemas.notification import ChooseChannel

router = APIRouter(tags=["notifications"], default_response_class=HTMLResponse)

Token = Annotated[str, Path(max_length=400)]
KINDS = {"order": "about your orders", "account": "about your account", "marketing": "with news and offers"}
_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
    "X-Robots-Tag": "noindex",
}
_PAGE = (
    '<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{0}</title></head>\n<body>{1}</body></html>\n'
)
_EXTRA = {
    "requestBody": {
        "required": False,
        "description": "What RFC 8058 has mail programs say; it changes nothing whether it is there.",
        "content": {
            "application/x-www-form-urlencoded": {
                "schema": {"type": "object", "properties": {"List-Unsubscribe": {"type": "string"}}}
            }
        },
    }
}


@router.get("/notifications/unsubscribe/{token}")
async def show_unsubscribe(request: Request, token: Token) -> HTMLResponse:
    """Ask whether there are to be no more mails of a kind."""
    _, kind = _read(request, token)
    button = f'<form method="post"><button>No more mails {escape(KINDS[kind])}</button></form>'
    return _page("No more mails?", f"<h1>No more mails?</h1>{button}")


@router.post("/notifications/unsubscribe/{token}", openapi_extra=_EXTRA)
async def unsubscribe(request: Request, token: Token) -> HTMLResponse:
    """No more mails of this kind: by the button, or by the mail program itself with one click (RFC 8058)."""
    customer_id, kind = _read(request, token)
    await raw_of(request)
    command = ChooseChannel(customer_id=customer_id, kind=kind, channel="email", wanted=False)  # type: ignore[arg-type]
    # Who has chosen them again since may unsubscribe again: each request is a command of its own.
    await put_told(request, command, f"unsubscribe/{token}", request.scope["request_id"])
    said = f"You will get no more mails {escape(KINDS[kind])}."
    return _page("Done", f"<h1>Done</h1><p>{said}</p>")


def _read(request: Request, token: str) -> tuple[str, str]:
    found = read_token(of(request).settings.link_secret, token)
    if found is None or found[1] not in KINDS:
        raise Problem("NotFound", "This link is none of ours, or not whole.")
    return found


def _page(title: str, body: str) -> HTMLResponse:
    return HTMLResponse(_PAGE.format(escape(title), body), headers=_HEADERS)
