"""Whoever asks too often waits: each user, each address without a token, each account that is being tried."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import httpx2
import pytest
from limits.aio.storage import MemoryStorage

from api.front import Front
from api.quota import Policy, Quota, address_of, networks
from events.memory import MemoryLog
from tests.api.entries import Person, client_of
from tests.api.world import settings

pytestmark = pytest.mark.anyio

URL = "/api/auth/.well-known/jwks.json"
"""What is answered without any server."""


@asynccontextmanager
async def gateway(peer: str = "192.0.2.1", **changes: Any) -> AsyncIterator[httpx2.AsyncClient]:
    """A gateway with nothing behind it, as it comes."""
    async with client_of(Front(settings(inside="closed", **changes), MemoryLog()), peer) as client:
        yield client


class Clock:
    """A wall clock that stands still in the middle of a minute, where no test meets the next."""

    now = 1_800_000_030.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr("time.time", clock)
    return clock


async def statuses(person: Person, times: int, url: str = URL, **given: Any) -> list[int]:
    return [(await person.ask("GET", url, **given)).status_code for _ in range(times)]


async def test_a_user_asks_a_hundred_times_a_minute_and_is_told_how_often_they_still_may() -> None:
    async with gateway() as client:
        ada = Person(client, "customer")
        first = await ada.get(URL)
        assert first.headers["ratelimit-policy"] == '"user";q=100;w=60'
        assert first.headers["ratelimit"].startswith('"user";r=99;t=')
        assert await statuses(ada, 99) == [200] * 99
        refused = await ada.get(URL)
        assert (refused.status_code, refused.json()["code"]) == (429, "TooManyRequests")
        assert 1 <= int(refused.headers["retry-after"]) <= 60
        assert refused.headers["ratelimit"].startswith('"user";r=0;t=')
        assert (await Person(client, "customer").get(URL)).status_code == 200


async def test_who_works_here_is_counted_by_a_limit_of_their_own() -> None:
    async with gateway(rate_user=1, rate_staff=3) as client:
        for roles in (("staff",), ("operator", "analyst"), ("customer", "staff")):
            grace = Person(client, *roles)
            assert (await grace.get(URL)).headers["ratelimit-policy"] == '"staff";q=3;w=60'
            assert await statuses(grace, 3) == [200, 200, 429]
        assert await statuses(Person(client, "customer"), 2) == [200, 429]


@pytest.mark.parametrize(
    "url",
    [
        URL,
        "/api/AUTH/login",
        "/api/orders/",
        "/api//orders",
        "/api/nothing",
        "/api/v1/orders",
        "/.well-known/jwks.json",
    ],
)
async def test_no_spelling_of_a_path_is_counted_otherwise(url: str) -> None:
    async with gateway(rate_anonymous=3) as client:
        guest = Person(client)
        assert 429 not in await statuses(guest, 3, url)
        for method in ("GET", "PUT", "DELETE", "OPTIONS", "HEAD"):
            assert (await guest.ask(method, url)).status_code == 429


@pytest.mark.parametrize(
    ("method", "url", "policy"),
    [
        ("POST", "/api/notifications/0/reports/twilio", "webhook"),
        ("POST", "/api/notifications/reports/mail", "webhook"),
        ("POST", "/api/notifications/unsubscribe/x.y", "webhook"),
        ("GET", "/api/v1/notifications/unsubscribe/x.y", "webhook"),
        ("GET", "/api/orders/0/reports/twilio", "anonymous"),
        ("GET", "/api/notifications/templates", "anonymous"),
    ],
)
async def test_what_providers_and_mail_programs_send_is_counted_as_webhooks(method: str, url: str, policy: str) -> None:
    async with gateway() as client:
        answer = await Person(client).ask(method, url)
        assert answer.headers["ratelimit-policy"].startswith(f'"{policy}"')


async def test_an_address_is_the_same_whatever_it_says_of_itself() -> None:
    async with gateway(rate_anonymous=3) as client:
        for header in (
            "X-Forwarded-For",
            "X-Real-IP",
            "Forwarded",
            "X-Client-IP",
            "True-Client-IP",
            "CF-Connecting-IP",
        ):
            await Person(client).ask("GET", URL, headers={header: "198.51.100.7"})
        assert (await Person(client).ask("GET", URL, headers={"X-Forwarded-For": "198.51.100.9"})).status_code == 429


async def test_a_bad_token_is_counted_by_its_address() -> None:
    async with gateway(rate_anonymous=3) as client:
        for number in range(3):
            await client.get(URL, headers={"Authorization": f"Bearer {number}"})
        assert (await client.get(URL, headers={"Authorization": "Bearer 4"})).status_code == 429


async def test_attempts_to_log_in_are_fewer_and_do_not_use_up_the_rest() -> None:
    async with gateway(rate_login=4) as client:
        for number in range(4):
            answer = await client.post("/api/auth/login", json={"email": f"{number}@example.org"})
            assert (answer.status_code, answer.headers["ratelimit-policy"]) == (422, '"login";q=4;w=60')
        for path in ("/api/auth/login", "/api/auth/register", "/api/users", "/api/auth/nothing", "/api/v1/auth/login"):
            assert (await client.post(path, json={})).status_code == 429
        assert (await client.get(URL)).status_code == 200


async def test_one_account_is_tried_only_so_often_from_all_addresses_together() -> None:
    front = Front(settings(inside="closed", rate_login=2), MemoryLog())
    async with client_of(front):
        answers = []
        for number in range(5):
            transport = httpx2.ASGITransport(front, client=(f"192.0.2.{number}", 1))
            async with httpx2.AsyncClient(transport=transport, base_url="http://shop") as other:
                email = "Ada@example.org" if number % 2 else "ada@EXAMPLE.org"
                answers.append((await other.post("/api/auth/login", json={"email": email})).status_code)
        assert answers == [422, 422, 422, 422, 429]


@pytest.mark.parametrize("body", [b"", b"[]", b'{"email": 7}', b"[" * 100_000, b'{"email": "\xff"}'])
async def test_a_body_without_an_account_is_nobodys(body: bytes) -> None:
    async with gateway() as client:
        headers = {"Content-Type": "application/json"}
        assert (await client.post("/api/auth/login", content=body, headers=headers)).status_code in (400, 422)


SCOPES = [
    ("192.0.2.1", {}, "", "192.0.2.1"),
    ("192.0.2.1", {"x-forwarded-for": "198.51.100.7"}, "", "192.0.2.1"),
    ("10.0.0.1", {"x-forwarded-for": "198.51.100.7"}, "10.0.0.0/8", "198.51.100.7"),
    ("10.0.0.1", {"x-forwarded-for": "203.0.113.9, 198.51.100.7"}, "10.0.0.0/8", "198.51.100.7"),
    ("10.0.0.1", {"x-forwarded-for": "198.51.100.7, 10.0.0.2"}, "10.0.0.0/8", "198.51.100.7"),
    ("10.0.0.1", {"x-forwarded-for": "nonsense"}, "10.0.0.0/8", "10.0.0.1"),
    ("10.0.0.1", {}, "10.0.0.0/8", "10.0.0.1"),
    ("2001:db8:1:2::1", {}, "", "2001:db8:1:2::/64"),
    ("2001:db8:1:2:ffff:ffff:ffff:ffff", {}, "", "2001:db8:1:2::/64"),
    ("2001:db8:1:3::1", {}, "", "2001:db8:1:3::/64"),
    ("fe80::1%eth0", {}, "", "fe80::/64"),
    ("::ffff:192.0.2.1", {}, "", "192.0.2.1"),
    ("/run/socket", {}, "", "nowhere"),
]


@pytest.mark.parametrize(("peer", "headers", "trusted", "wanted"), SCOPES)
def test_an_address_is_the_peers_unless_a_trusted_proxy_says_otherwise(
    peer: str, headers: Mapping[str, str], trusted: str, wanted: str
) -> None:
    raw = [(name.encode(), value.encode()) for name, value in headers.items()]
    assert address_of({"client": (peer, 1), "headers": raw}, networks(trusted)) == wanted


class Away(MemoryStorage):
    """A store that has gone."""

    STORAGE_SCHEME = ("async+away",)  # type: ignore[assignment]

    @property
    def base_exceptions(self) -> type[Exception]:
        return ConnectionError

    async def incr(self, key: str, expiry: float, amount: int = 1) -> int:
        raise ConnectionError("connection refused")


async def test_where_the_common_store_is_away_this_process_counts_for_itself() -> None:
    quota = Quota(settings(rate_store="async+away://"))
    counted = [await quota.count(Policy("user", 2), "ada") for _ in range(3)]
    assert [count.allowed for count in counted] == [True, True, False]


async def test_what_was_asked_a_while_ago_counts_ever_less(clock: Clock) -> None:
    quota, policy = Quota(settings()), Policy("user", 10)

    async def allowed() -> int:
        return sum([(await quota.count(policy, "ada")).allowed for _ in range(20)])

    assert await allowed() == 10
    clock.now += 60  # in the middle of the next minute half of them count
    assert await allowed() == 5
    clock.now += 120
    assert await allowed() == 10
