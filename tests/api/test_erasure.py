"""A person is forgotten over HTTP: what is told of them is sealed before it is written, and then nobody can open it."""

import time
from typing import Any
from uuid import uuid4

import pytest

from api import erasure
from api.app import create_app
from projections.keys_apart import KeysApart
from projections.order import OWN_WORDS
from projections.postgres import Database, DatabaseUnavailable
from schemas.house import proof
from schemas.mark import MARK
from tests.api.entries import serving
from tests.api.people import Person, registered, told
from tests.api.world import World, beside, client_of, order, settings

pytestmark = pytest.mark.anyio

TOWN = {"street": "Via Po 17", "city": "Torino", "postal_code": "10124", "country": "IT"}


class Told:
    """What somebody tells of themselves, in words that nobody else uses."""

    def __init__(self) -> None:
        self.word = uuid4().hex
        self.email = f"{self.word}@example.org"
        self.name, self.street = f"Ada {self.word}", f"{self.word} Street"
        self.phone = f"+43{int(self.word[:8], 16)}"
        self.note, self.reason = f"ring at {self.word}", f"too small for {self.word}"
        self.tracking, self.off, self.wish, self.goodwill = (f"{self.word}-{n}" for n in range(4))

    def place(self) -> dict[str, str]:
        return {**TOWN, "name": self.name, "street": self.street}

    def texts(self) -> list[str]:
        return [self.email, self.name, self.street, self.phone, self.note, self.reason, self.word]


async def kept(world: World) -> str:
    """Everything that is recorded, and every row of every table."""
    found = repr(world.log.records)
    for database in world.databases.values():
        tables = await database.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        for table in tables:
            found += repr(await database.fetch(f"SELECT * FROM {table['tablename']}"))
    return found


async def me(world: World, ada: Person) -> dict[str, Any]:
    row: dict[str, Any] = (await world.client.get("/me", headers=await ada.bearer())).json()
    return row


async def erase(world: World, user_id: str, bearer: dict[str, str] | None = None, **body: str) -> tuple[int, str]:
    answer = await world.client.post(f"/users/{user_id}/erase", json=body, headers=bearer or {})
    said = answer.json()
    return answer.status_code, said.get("code") or said["status"]


async def delivered(world: World, sku: str, said: Told, customer_id: str) -> str:
    """An order that was amended, noted, sent, and is to come back."""
    body = order(sku, customer_id=customer_id, email=said.email, shipping_address=said.place())
    order_id = str((await world.post("/orders", body)).json()["order_id"])
    elsewhere = {**said.place(), "city": "Alba"}
    assert (await world.post(f"/orders/{order_id}/address", {"shipping_address": elsewhere})).status_code == 200
    assert (await world.post(f"/orders/{order_id}/notes", {"text": said.note})).status_code == 200
    await world.until(f"/orders/{order_id}", ready_to_ship=True)
    items = {"items": [{"sku": sku, "quantity": 1}], "reason": said.reason}
    for step, told_of in (("ship", {"tracking": said.tracking}), ("deliver", {}), ("returns", items)):
        assert (await world.post(f"/orders/{order_id}/{step}", told_of)).status_code == 200
    await world.until(f"/payments/{order_id}", status="captured")
    assert (await world.post(f"/orders/{order_id}/refund", {"amount": 1, "reason": said.goodwill})).status_code == 200
    return order_id


async def called_off(world: World, sku: str, said: Told, customer_id: str) -> str:
    """An order of which a part is called off, and then all."""
    body = order(sku, customer_id=customer_id, email=said.email, shipping_address=said.place())
    body["lines"][0]["quantity"] = 2
    order_id = str((await world.post("/orders", body)).json()["order_id"])
    part = {"quantity": 1, "reason": said.off}
    assert (await world.post(f"/orders/{order_id}/lines/{sku}/cancel", part)).status_code == 200
    assert (await world.post(f"/orders/{order_id}/cancel", {"reason": said.wish})).status_code == 200
    return order_id


async def test_what_is_told_of_a_person_is_read_in_answers_and_mails_and_nowhere_else(world: World) -> None:
    said = Told()
    ada = await registered(world, said.email)
    row = await me(world, ada)
    await told(world, "/me/profile", {"name": said.name, "phone": said.phone}, await ada.bearer())
    await told(world, "/me/addresses", {"address": said.place(), "label": said.word}, await ada.bearer())
    sku = await world.listed(stock=5)
    order_id = await delivered(world, sku, said, row["user_id"])

    mine = await me(world, ada)
    assert (mine["email"], mine["name"], mine["phone"]) == (said.email, said.name, said.phone)
    assert mine["addresses"][0]["street"] == said.street
    seen = (await world.client.get(f"/orders/{order_id}")).json()
    assert (seen["email"], seen["shipping_address"]["city"]) == (said.email, "Alba")
    assert (seen["staff_notes"][0]["text"], seen["returns"][0]["reason"]) == (said.note, said.reason)
    events = (await world.client.get(f"/orders/{order_id}/history")).json()["items"]
    assert events[0]["data"]["shipping_address"]["name"] == said.name
    assert said.street in (await world.client.get(f"/orders/{order_id}", params={"as_of": "2099-01-01T00:00:00Z"})).text
    assert order_id in (await world.mail(said.email, "arrived")).text
    assert said.email in (await world.client.get("/notifications")).text
    assert (seen["tracking"], said.tracking in (await world.mail(said.email, "on its way")).text) == (
        said.tracking,
        True,
    )
    off = f"/orders/{await called_off(world, sku, said, row['user_id'])}"
    assert (await world.client.get(off)).json()["reason"] == said.wish
    assert said.off in (await world.client.get(f"{off}/history")).text
    money = await world.until(f"/payments/{order_id}", refunded=1)
    assert money["reason"] == said.goodwill
    counted = {row["reason"] for row in (await world.client.get("/summary")).json()["reasons"]}
    assert (OWN_WORDS in counted, [text for text in counted if said.word in text]) == (True, [])
    found = await kept(world)
    assert [text for text in said.texts() if text in found] == []
    assert f"{MARK}{row['user_id']}.email." in found


async def test_who_is_erased_cannot_be_read_any_more_and_their_orders_and_money_stay(world: World) -> None:
    said = Told()
    ada = await registered(world, said.email)
    bearer, tokens = await ada.bearer(), await ada.tokens()
    user_id = (await me(world, ada))["user_id"]
    order_id = await delivered(world, await world.listed(), said, user_id)
    before = (await world.client.get(f"/orders/{order_id}")).json()
    paid = await world.until(f"/payments/{order_id}", status="captured", refunded=1)

    assert await erase(world, user_id, bearer, password="wrong") == (403, "PasswordWrong")
    assert await erase(world, user_id, bearer) == (403, "PasswordWrong")
    assert await erase(world, user_id, bearer, password=ada.password) == (200, "erased")

    after = (await world.client.get(f"/orders/{order_id}")).json()
    assert [text for text in said.texts() if text in str(after)] == []
    hidden = dict.fromkeys(("name", "street", "city", "postal_code"), "erased")
    assert after["shipping_address"] == {**hidden, "country": "IT"}
    assert (after["tracking"], after["shipments"][0]["tracking"]) == ("erased", "erased")
    same = ("lines", "total", "status", "currency", "customer_id")
    assert [after[name] for name in same] == [before[name] for name in same]
    assert (await world.client.get(f"/payments/{order_id}")).json() == {**paid, "reason": "erased"}
    told_of, silent = {"amount": 1, "reason": "she rang"}, {"amount": 1}
    refunds = [await world.post(f"/orders/{order_id}/refund", body) for body in (told_of, silent)]
    assert [answer.status_code for answer in refunds] == [410, 200]
    assert (await ada.login()).status_code == 401
    assert (await ada.refresh(tokens["refresh_token"])).status_code == 401
    assert (await world.client.get("/me", headers=bearer)).status_code == 401


async def test_another_process_that_has_the_key_in_memory_forgets_it_too(world: World, postgres: str) -> None:
    said, customer, sku = Told(), f"c-{uuid4().hex[:12]}", await world.listed(stock=5)
    async with beside(postgres, world.log) as other:
        url = f"/orders/{await delivered(world, sku, said, customer)}"
        assert (await other.client.get(url)).json()["email"] == said.email
        assert await erase(world, customer) == (200, "erased")
        assert (await world.client.get(url)).json()["email"] == "erased"
        deadline = time.monotonic() + 5
        while said.word in (await other.client.get(url)).text:
            assert time.monotonic() < deadline


async def test_who_destroys_the_key_may_be_away_for_a_while(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(erasure, "PATIENCE", 0.0)
    assert await erase(world, f"c-{uuid4().hex[:12]}") == (200, "erasing")


async def test_nothing_more_is_recorded_of_who_is_erased_and_their_address_opens_another_account(world: World) -> None:
    ada = await registered(world)
    user_id, sku = (await me(world, ada))["user_id"], await world.listed()
    assert await erase(world, user_id) == (200, "erased")  # staff, or whoever is inside
    assert await erase(world, user_id) == (200, "erased")
    answer = await world.post("/orders", order(sku, customer_id=user_id))
    assert (answer.status_code, answer.json()["code"]) == (410, "PersonErased")
    again = await registered(world, ada.email)
    row = await me(world, again)
    assert (row["email"], row["status"]) == (ada.email, "active")
    assert row["user_id"] != user_id


async def test_a_parcel_needs_its_address(world: World) -> None:
    customer, sku = f"c-{uuid4().hex[:12]}", await world.listed()
    order_id = (await world.placed(sku, customer_id=customer))["order_id"]
    assert await erase(world, customer) == (409, "OrdersOpen")
    assert (await world.post(f"/orders/{order_id}/cancel")).status_code == 200
    assert await erase(world, customer) == (200, "erased")
    seen = (await world.client.get(f"/orders/{order_id}")).json()
    assert (seen["email"], seen["status"]) == ("erased", "cancelled")


async def test_a_mail_to_who_is_erased_is_not_sent(world: World) -> None:
    customer, sku = f"c-{uuid4().hex[:12]}", await world.listed(stock=0)
    email = f"{uuid4().hex}@example.org"
    body = {"customer_id": customer, "email": email}
    assert (await world.post(f"/products/{sku}/stock/await", body)).status_code == 200
    assert await erase(world, customer) == (200, "erased")
    await world.post(f"/products/{sku}/stock/receive", {"quantity": 5})
    query = "SELECT * FROM notifications WHERE about = %(about)s AND status <> 'requested'"
    while not (rows := await world.databases["notification"].fetch(query, {"about": f"product-{sku}"})):
        pass
    assert (rows[0]["status"], rows[0]["reason"]) == ("refused", "the recipient has been erased")
    assert email not in {letter.recipient for letter in world.mailbox.letters.values()}


async def test_nobody_erases_another(world: World) -> None:
    ada, bob = await registered(world), await registered(world)
    hers = (await me(world, ada))["user_id"]
    bearer = await bob.bearer()
    for user_id in (hers, str(uuid4())):
        assert await erase(world, user_id, bearer, password=bob.password) == (404, "UserUnknown")
    assert (await me(world, ada))["status"] == "active"


@pytest.mark.parametrize("form", ["{}", " {}", "\\u0073{}"])
async def test_no_client_has_a_sealed_text_opened_by_saying_it(world: World, form: str) -> None:
    customer, sku = f"c-{uuid4().hex[:12]}", await world.listed()
    order_id = (await world.placed(sku, customer_id=customer))["order_id"]
    [row] = await world.databases["order"].fetch("SELECT email FROM orders WHERE order_id = %(id)s", {"id": order_id})
    sealed = form.format(row["email"][1:] if "u0073" in form else row["email"])
    before = world.commands()
    for url, name in ((f"/orders/{order_id}/cancel", "reason"), (f"/orders/{order_id}/notes", "text")):
        raw = f'{{"{name}": "{sealed}"}}'.encode()
        answer = await world.client.post(url, content=raw, headers={"Content-Type": "application/json"})
        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, name)
    assert world.commands() == before


async def test_what_is_told_of_an_order_that_is_not_there_is_not_written_down(world: World) -> None:
    before = world.commands()
    answer = await world.post(f"/orders/{uuid4()}/notes", {"text": "whose?"})
    assert (answer.status_code, answer.json()["code"]) == (404, "NotFound")
    assert world.commands() == before


async def test_keys_are_given_to_our_own_processes_and_to_nobody_else(world: World, postgres: str) -> None:
    secret, body, ada = "the house's own", {"persons": ["ada"], "make": True}, str(uuid4())
    own = settings(contexts="user", inside="tokens", account_secret=secret)
    async with serving(create_app(own, world.log, {"user": Database(postgres, "apitest_user")})) as url:
        there = KeysApart(url, secret)
        made = await there.fetch([ada], True)
        assert made == await there.fetch([ada, str(uuid4())], False)
        await world.app.state.system.keys.source.destroy(ada)
        assert await there.fetch([ada], True) == {ada: None}
        stranger = KeysApart(url, "another")
        with pytest.raises(DatabaseUnavailable, match="403"):
            await stranger.fetch([ada], True)
        await there.aclose()
        await stranger.aclose()
    async with client_of(create_app(settings(contexts="user", inside="tokens"), world.log, {})) as client:
        now, right = time.time(), settings().account_secret
        staff = {"Authorization": f"Bearer {world.app.state.system.tokens.issue(ada, ('staff',))}"}
        others = [
            proof("another", "POST /keys", now),
            proof(right, "POST /other", now),
            proof(right, "POST /keys", now - 99),
        ]
        for headers in ({}, staff, *({"Authorization": said} for said in others)):
            assert (await client.post("/keys", json=body, headers=headers)).status_code == 403
