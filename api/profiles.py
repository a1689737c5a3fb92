"""Profiles over HTTP: what somebody tells us of themselves, their addresses, and which messages they want."""

from typing import Annotated, Any

from fastapi import APIRouter, Path, Request, Response

from api.access import user_of
from api.asking import asked
from api.bodies import body_of, read
from api.commands import sent, submit
from api.openapi import takes
from schemas.user import (
    AddAddress,
    ChangePreferences,
    ChangeProfile,
    ChooseDefaultAddress,
    CorrectAddress,
    RemoveAddress,
)
from schemas.values import Command, Uuid

router = APIRouter(tags=["users"])

Id = Annotated[Uuid, Path()]
_ONE = ("user_id", "address_id")


@router.post("/me/profile", **takes(ChangeProfile, "user_id", view="UserView"))
async def change_profile(request: Request) -> Response:
    """Say how one is called, can be called, and is written to."""
    return await _told(request, ChangeProfile)


@router.post("/me/addresses", **takes(AddAddress, *_ONE, view="UserView"))
async def add_address(request: Request) -> Response:
    """Keep an address; the first is the default by itself."""
    user_id = user_of(request)
    ask = asked(request)
    body = await read(request, body_of(AddAddress, *_ONE))
    address_id = ask.derived("address")
    return await sent(request, ask, AddAddress(user_id=user_id, address_id=address_id, **dict(body)))


@router.post("/me/addresses/{address_id}", **takes(CorrectAddress, *_ONE, view="UserView"))
async def replace_address(request: Request, address_id: Id) -> Response:
    """Correct an address."""
    return await _told(request, CorrectAddress, address_id=address_id)


@router.post("/me/addresses/{address_id}/remove", **takes(RemoveAddress, *_ONE, view="UserView"))
async def remove_address(request: Request, address_id: Id) -> Response:
    """Forget an address."""
    return await _told(request, RemoveAddress, address_id=address_id)


@router.post("/me/addresses/{address_id}/default", **takes(ChooseDefaultAddress, *_ONE, view="UserView"))
async def choose_default_address(request: Request, address_id: Id) -> Response:
    """Make an address the one that is offered first."""
    return await _told(request, ChooseDefaultAddress, address_id=address_id)


@router.post("/me/preferences", **takes(ChangePreferences, "user_id", view="UserView"))
async def change_preferences(request: Request) -> Response:
    """Say which messages are wanted over which channel; what is not named stays as it was."""
    return await _told(request, ChangePreferences)


async def _told(request: Request, command: type[Command], **known: Any) -> Response:
    """Send a command of the user whom the token names."""
    return await submit(request, command, user_id=user_of(request), **known)
