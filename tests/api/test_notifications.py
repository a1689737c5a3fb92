"""How a customer is reached, and what was sent, over HTTP: from the command to the mail."""

from uuid import uuid4

import pytest

from tests.api.world import World

pytestmark = pytest.mark.anyio

WHO = "/notifications/contacts"


async def test_a_contact_is_described_chosen_and_shown_without_addresses_of_devices(world: World) -> None:
    url = f"{WHO}/c-{uuid4().hex}"
    assert (await world.client.get(url)).status_code == 404
    quiet = {"begins": "22:00", "ends": "07:00"}
    said = {"phone": "+491701234567", "locale": "de", "time_zone": "Europe/Berlin", "quiet": quiet}
    row = (await world.post(f"{url}/describe", said)).json()
    assert said.items() <= row.items()
    row = (await world.post(f"{url}/channels", {"kind": "order", "channel": "sms", "wanted": False})).json()
    assert row["chosen"] == {"order/sms": False}
    device = {"device_id": "pixel", "platform": "fcm", "push_address": "token-very-secret"}
    answer = await world.post(f"{url}/devices", device)
    assert answer.json()["devices"] == {"pixel": "fcm"}
    assert "token-very-secret" not in answer.text + (await world.client.get(url)).text
    assert (await world.client.get(url, params={"as_of": "0"})).status_code in (200, 404)
    assert (await world.post(f"{url}/devices/pixel/drop")).json()["devices"] == {}
    assert (await world.post(f"{url}/devices/pixel/drop")).json()["code"] == "DeviceUnknown"


@pytest.mark.parametrize(
    ("command", "body", "field"),
    [
        ("describe", {"time_zone": "Mars/Olympus"}, "time_zone"),
        ("describe", {"phone": "0170 1234567"}, "phone"),
        ("describe", {"quiet": {"begins": "25:00", "ends": "07:00"}}, "quiet.begins"),
        ("describe", {"customer_id": "bob"}, "customer_id"),
        ("channels", {"kind": "order", "channel": "fax", "wanted": True}, "channel"),
        ("devices", {"device_id": "..", "platform": "fcm", "push_address": "t"}, "device_id"),
    ],
)
async def test_what_makes_no_sense_names_the_field(
    door: World, command: str, body: dict[str, object], field: str
) -> None:
    answer = await door.client.post(f"{WHO}/ada/{command}", json=body)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == field


async def test_mails_about_security_cannot_be_turned_off(world: World) -> None:
    body = {"kind": "security", "channel": "email", "wanted": False}
    answer = await world.post(f"{WHO}/c-{uuid4().hex}/channels", body)
    assert (answer.status_code, answer.json()["code"]) == (422, "SecurityMailStays")


async def test_who_wants_no_mails_about_orders_gets_none_and_is_told_why(world: World) -> None:
    customer = f"c-{uuid4().hex}"
    await world.post(f"{WHO}/{customer}/channels", {"kind": "order", "channel": "email", "wanted": False})
    row = await world.placed(await world.listed(), customer_id=customer)
    await world.settled(row["order_id"])
    [message] = await world.listing(f"/notifications?customer_id={customer}")
    seen = await world.until(f"/notifications/{message['notification_id']}", status="suppressed")
    assert seen["skipped"] == {"email": "not wanted", "sms": "no phone number", "push": "no device"}


async def test_a_message_shows_the_ways_it_goes(world: World) -> None:
    customer = f"c-{uuid4().hex}"
    await world.post(f"{WHO}/{customer}/describe", {"locale": "de", "phone": "+491701234567"})
    row = await world.placed(await world.listed(), customer_id=customer)
    await world.settled(row["order_id"])
    [message] = await world.listing(f"/notifications?customer_id={customer}")
    seen = await world.until(f"/notifications/{message['notification_id']}", status="sent", locale="de")
    assert seen["ways"]["email"]["status"] == "sent"
    assert seen["ways"]["email"]["reference"] == f"<{message['notification_id']}@orderlog.example>"
    assert seen["ways"]["sms"]["reason"] in ("", "no channel sms")


@pytest.mark.parametrize("channel", ["email", "sms", "push"])
async def test_a_template_is_seen_before_it_is_sent(door: World, channel: str) -> None:
    url = "/notifications/templates/order_confirmed/preview"
    said = (await door.client.get(url, params={"channel": channel, "locale": "de"})).json()
    assert (said["locale"], "12,99 EUR" in said["text"]) == ("de", True)
    assert (await door.client.get(url, params={"channel": channel, "locale": "fi"})).json()["locale"] == "en"


async def test_templates_are_listed_and_others_unknown(door: World) -> None:
    listed = (await door.client.get("/notifications/templates")).json()["items"]
    assert {"order_confirmed", "welcome"} <= {item["name"] for item in listed}
    assert (await door.client.get("/notifications/templates/no_such/preview")).status_code == 404
    answer = await door.client.get("/notifications/templates/welcome/preview", params={"channel": "fax"})
    assert answer.status_code == 422
