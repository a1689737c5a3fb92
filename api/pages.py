"""Pages are the few that people look at: the way in, and what each problem means."""

from html import escape
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from api.operations import summary
from api.problems import PROBLEMS
from api.system import of
from projections.postgres import DatabaseUnavailable

router = APIRouter(include_in_schema=False)

LINKS = (
    ("order", "/orders", "orders, the latest first"),
    ("order", "/spending", "the customers who have spent most"),
    ("order", "/revenue?by=day", "what was sold on each of the last 30 days; by department too with ?by="),
    ("product", "/products", "the catalogue and its stock; search with /products/search?q=tea&in_stock=true"),
    ("payment", "/payments", "where the money is"),
    ("notification", "/notifications", "what was sent to whom"),
    ("", "/summary", "the figures of this page, as JSON"),
    ("", "/statistics", "what happened per minute"),
    ("", "/projections", "read models: which version is live, and how far each is"),
    ("", "/dead-letters", "records that were set aside"),
    ("", "/ready", "whether everything answers"),
    ("", "/health", "whether this process lives"),
    ("", "/openapi.json", "every URL, described for programs"),
    ("", "/problems", "every error, explained"),
)
"""The context that serves it, if any, the URL, and what is there."""
_STYLE = """
:root { color-scheme: light dark; --line: light-dark(#d8dbe0, #3a3f47); --soft: light-dark(#5b6470, #9aa4b1); }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2.5rem auto; padding: 0 1.25rem; }
h1 { font-size: 1.6rem; margin-bottom: 0; } h2 { font-size: 1.05rem; margin: 2rem 0 .5rem; }
p { color: var(--soft); margin-top: .25rem; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th, td { text-align: left; padding: .35rem 1rem .35rem 0; border-bottom: 1px solid var(--line); vertical-align: top; }
th { font-weight: 600; color: var(--soft); }
tr:target { background: color-mix(in srgb, currentColor 12%, transparent); }
code { font: .95em ui-monospace, monospace; }
"""


@router.get("/", response_class=HTMLResponse)
async def index(request: Request) -> HTMLResponse:
    """The way in: live figures, and where to go."""
    served = ("", *of(request).contexts)
    links = [
        [f'<a href="{url}"><code>{url}</code></a>', escape(said)] for context, url, said in LINKS if context in served
    ]
    try:
        figures = await summary(of(request))
        parts = "".join(_part(name, rows) for name, rows in figures.items())
    except DatabaseUnavailable:
        parts = "<p>The read models cannot be reached just now.</p>"
    body = parts + _part_of("look around", links)
    return _page("orderlog", "An order backend on an append-only log.", body, live=True)


@router.get("/problems", response_class=HTMLResponse)
async def problems() -> HTMLResponse:
    """Every code that a problem can have."""
    rows = "".join(
        f'<tr id="{code}"><td><code>{code}</code></td><td>{status}</td><td>{escape(said)}</td></tr>'
        for code, (status, said) in sorted(PROBLEMS.items(), key=lambda item: (item[1][0], item[0]))
    )
    table = f"<table><tr><th>code</th><th>status</th><th>meaning</th></tr>{rows}</table>"
    return _page("problems", "What the API says when it says no (RFC 9457).", table)


def _part(name: str, rows: list[dict[str, Any]]) -> str:
    heads = "".join(f"<th>{escape(column)}</th>" for column in (rows[0] if rows else ()))
    return _part_of(name, [[escape(str(value)) for value in row.values()] for row in rows], heads)


def _part_of(name: str, rows: list[list[str]], heads: str = "") -> str:
    body = "".join("<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in rows)
    table = f"<table><tr>{heads}</tr>{body}</table>" if rows else "<p>none yet</p>"
    return f"<h2>{escape(name)}</h2>{table}"


def _page(title: str, said: str, body: str, live: bool = False) -> HTMLResponse:
    refresh = '<meta http-equiv="refresh" content="5">' if live else ""
    return HTMLResponse(
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{title}</title>{refresh}'
        f'<meta name="viewport" content="width=device-width, initial-scale=1"><style>{_STYLE}</style>'
        f"<h1>{title}</h1><p>{said}</p>{body}</html>"
    )
