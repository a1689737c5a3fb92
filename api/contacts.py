"""Contacts over HTTP: how a customer is reached, and what the customer wants to hear of."""

from typing import Annotated

from fastapi import APIRouter, Path, Query, Request, Response

from api.commands import submit
from api.openapi import gives, takes
from api.resources import AsOf, one
from schemas.notification import AddDevice, ChooseChannel, DescribeContact, DropDevice, TrustAddresses
from schemas.values import CustomerId, Name

router = APIRouter(tags=["contacts"])

Id = Annotated[CustomerId, Path()]
Device = Annotated[Name, Path()]


@router.get("/notifications/contacts/{customer_id}", **gives("ContactView"))
async def get_contact(request: Request, customer_id: Id, query: Annotated[AsOf, Query()]) -> Response:
    """How a customer is reached; 404 for one who has said nothing."""
    return await one(request, f"contact-{customer_id}", query.as_of)


@router.post(
    "/notifications/contacts/{customer_id}/describe", **takes(DescribeContact, "customer_id", view="ContactView")
)
async def describe_contact(request: Request, customer_id: Id) -> Response:
    """Say how a customer is reached, as a whole: what is left out is forgotten."""
    return await submit(request, DescribeContact, customer_id=customer_id)


@router.post(
    "/notifications/contacts/{customer_id}/channels", **takes(ChooseChannel, "customer_id", view="ContactView")
)
async def choose_channel(request: Request, customer_id: Id) -> Response:
    """Whether messages of a kind may come over a channel."""
    return await submit(request, ChooseChannel, customer_id=customer_id)


@router.post("/notifications/contacts/{customer_id}/devices", **takes(AddDevice, "customer_id", view="ContactView"))
async def add_device(request: Request, customer_id: Id) -> Response:
    """Let a device be pushed to; its address is shown to nobody."""
    return await submit(request, AddDevice, customer_id=customer_id)


@router.post(
    "/notifications/contacts/{customer_id}/devices/{device_id}/drop",
    **takes(DropDevice, "customer_id", "device_id", "fingerprint", "reason", view="ContactView"),
)
async def drop_device(request: Request, customer_id: Id, device_id: Device) -> Response:
    """Push to a device no more."""
    return await submit(request, DropDevice, customer_id=customer_id, device_id=device_id, fingerprint="", reason="")


@router.post("/notifications/contacts/{customer_id}/trust", **takes(TrustAddresses, "customer_id", view="ContactView"))
async def trust_addresses(request: Request, customer_id: Id) -> Response:
    """Send mails again to addresses of theirs that had bounced; who verifies theirs anew needs nobody for that."""
    return await submit(request, TrustAddresses, customer_id=customer_id)
