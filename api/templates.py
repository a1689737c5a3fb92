"""Templates over HTTP: which there are, and what they say, filled in with samples."""

from typing import Annotated

from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import Field

from api.answers import Strict, reply
from api.openapi import gives, lists
from api.problems import Problem
from projections.wording import LANGUAGES, SAMPLES, Medium, media_of, words
from schemas.notification import Locale
from schemas.values import Name

router = APIRouter(tags=["notifications"])


class Seen(Strict):
    """Over which channel, and in which language; one that there is not is English."""

    channel: Medium = "email"
    locale: Locale = Field("en")


@router.get("/notifications/templates", **lists("Template"))
async def list_templates(_: Request) -> Response:
    """Every template, with the parameters that its preview has."""
    items = [
        {"name": name, "channels": list(media_of(name)), "locales": list(LANGUAGES), "params": params}
        for name, params in SAMPLES.items()
    ]
    return reply({"items": items})


@router.get("/notifications/templates/{name}/preview", **gives("Preview"))
async def preview_template(_: Request, name: Annotated[Name, Path()], query: Annotated[Seen, Query()]) -> Response:
    """What a message would say; nothing is sent."""
    if name not in SAMPLES:
        raise Problem("NotFound", "There is no such template; /notifications/templates lists them.")
    if query.channel not in media_of(name):
        raise Problem("NotFound", f"{name} is said by mail alone: channel=email.")
    return reply(words(name, query.channel, query.locale, SAMPLES[name]))
