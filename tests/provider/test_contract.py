"""The contract of the provider, kept by its twin in memory, by the stub over HTTP, and by Stripe as we speak to it."""

from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from typing import NamedTuple
from uuid import uuid4

import pytest

from tests.provider.stripe_stub import SECRET, Stripe
from tests.provider.stub import StubProcess
from workers.provider import (
    DECLINED_AMOUNT,
    DECLINED_TOKEN,
    EXPIRED,
    Authorized,
    Captured,
    Declined,
    Provider,
    ProviderMisused,
    Refunded,
    Voided,
)
from workers.provider_http import HttpProvider
from workers.provider_stripe import StripeProvider
from workers.provider_twin import InProcessProvider

pytestmark = pytest.mark.anyio

WEEK = timedelta(days=7)


class Worlds(NamedTuple):
    """Each provider, and how a week passes for it."""

    providers: dict[str, Provider]
    weeks: dict[str, Callable[[], object]]


@pytest.fixture
async def worlds(stub: StubProcess, anyio_backend: str) -> AsyncIterator[Worlds]:
    late = timedelta()
    twin = InProcessProvider(WEEK, lambda: datetime.now(UTC) + late)

    def in_memory() -> None:
        nonlocal late
        late = WEEK

    async with Stripe() as stripe:
        made: dict[str, Provider] = {
            "in memory": twin,
            "over http": HttpProvider(stub.url),
            "stripe": StripeProvider(SECRET, stripe.url),
        }
        yield Worlds(made, {"in memory": in_memory, "over http": lambda: stub.ahead(WEEK), "stripe": stripe.expire})
        for provider in made.values():
            await provider.aclose()


@pytest.fixture(params=["in memory", "over http", "stripe"])
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def provider(name: str, worlds: Worlds) -> Provider:
    return worlds.providers[name]


@pytest.fixture
def a_week_passes(name: str, worlds: Worlds) -> Callable[[], object]:
    return worlds.weeks[name]


def key() -> str:
    return str(uuid4())


async def authorized(provider: Provider, amount: int = 1000) -> str:
    answer = await provider.authorize(key(), uuid4(), amount, "EUR", "tok")
    assert isinstance(answer, Authorized)
    return answer.reference


async def captured(provider: Provider, amount: int = 1000) -> str:
    answer = await provider.capture(key(), await authorized(provider, amount), amount)
    assert isinstance(answer, Captured)
    return answer.reference


async def test_an_authorization_is_captured_and_refunded(provider: Provider) -> None:
    capture = await captured(provider, 1000)

    assert isinstance(await provider.refund(key(), capture, 600), Refunded)
    assert isinstance(await provider.refund(key(), capture, 400), Refunded)


async def test_a_free_order_is_authorized_and_captured(provider: Provider) -> None:
    assert await captured(provider, 0)


async def test_the_same_key_brings_the_same_answer_at_every_step(provider: Provider) -> None:
    one, two, three, payment = key(), key(), key(), uuid4()

    first = await provider.authorize(one, payment, 1000, "EUR", "tok")
    assert isinstance(first, Authorized)
    assert await provider.authorize(one, payment, 1000, "EUR", "tok") == first
    capture = await provider.capture(two, first.reference, 1000)
    assert isinstance(capture, Captured)
    assert await provider.capture(two, first.reference, 1000) == capture
    refund = await provider.refund(three, capture.reference, 1000)
    assert isinstance(refund, Refunded)
    assert await provider.refund(three, capture.reference, 1000) == refund


async def test_a_decline_is_final_for_its_key(provider: Provider) -> None:
    one, payment = key(), uuid4()

    for _ in range(2):
        answer = await provider.authorize(one, payment, 1000, "EUR", DECLINED_TOKEN)
        assert answer == Declined("card_declined")


async def test_another_attempt_of_the_same_payment_is_asked_by_itself(provider: Provider) -> None:
    payment = uuid4()

    assert await provider.authorize(key(), payment, 1000, "EUR", DECLINED_TOKEN) == Declined("card_declined")
    second = key()
    answer = await provider.authorize(second, payment, 900, "EUR", "tok", 2)
    assert isinstance(answer, Authorized)
    assert await provider.authorize(second, payment, 900, "EUR", "tok", 2) == answer
    assert isinstance(await provider.capture(key(), answer.reference, 900), Captured)


async def test_a_magic_amount_is_declined(provider: Provider) -> None:
    assert await provider.authorize(key(), uuid4(), DECLINED_AMOUNT, "EUR", "tok") == Declined("card_declined")


async def test_a_key_used_for_another_request_is_a_bug_and_no_decline(provider: Provider) -> None:
    one, payment = key(), uuid4()
    await provider.authorize(one, payment, 1000, "EUR", "tok")

    with pytest.raises(ProviderMisused, match="idempotency_key_reused"):
        await provider.authorize(one, payment, 1001, "EUR", "tok")


async def test_what_is_captured_is_neither_voided_nor_captured_again(provider: Provider) -> None:
    reference = await authorized(provider)
    await provider.capture(key(), reference, 1000)

    assert await provider.void(key(), reference) == Declined("already_captured")
    assert await provider.capture(key(), reference, 1000) == Declined("already_captured")


async def test_what_is_voided_is_neither_captured_nor_voided_again(provider: Provider) -> None:
    reference, one = await authorized(provider), key()

    assert await provider.void(one, reference) == Voided()
    assert await provider.void(one, reference) == Voided()
    assert await provider.void(key(), reference) == Declined("already_voided")
    assert await provider.capture(key(), reference, 1000) == Declined("already_voided")


async def test_no_more_is_captured_than_authorized(provider: Provider) -> None:
    assert await provider.capture(key(), await authorized(provider), 1001) == Declined("exceeds_authorized")


async def test_no_more_is_refunded_than_captured(provider: Provider) -> None:
    capture = await captured(provider, 1000)
    await provider.refund(key(), capture, 999)

    assert await provider.refund(key(), capture, 2) == Declined("exceeds_captured")
    assert isinstance(await provider.refund(key(), capture, 1), Refunded)


async def test_an_unknown_reference_is_a_bug_and_no_decline(provider: Provider) -> None:
    with pytest.raises(ProviderMisused, match="not_found"):
        await provider.capture(key(), "auth_of_nobody", 1000)


async def test_an_authorization_says_until_when_it_holds(provider: Provider) -> None:
    answer = await provider.authorize(key(), uuid4(), 1000, "EUR", "tok")

    assert isinstance(answer, Authorized)
    assert answer.expires_at is not None
    assert timedelta(days=6) < answer.expires_at - datetime.now(UTC) <= WEEK


async def test_what_has_expired_is_not_captured_and_needs_no_void(
    provider: Provider, a_week_passes: Callable[[], object]
) -> None:
    reference = await authorized(provider)
    a_week_passes()

    assert await provider.capture(key(), reference, 1000) == Declined(EXPIRED)
    assert await provider.void(key(), reference) == Voided()


async def in_parts(provider: Provider, amount: int = 1000) -> str:
    answer = await provider.authorize(key(), uuid4(), amount, "EUR", "tok", 1, True)
    assert isinstance(answer, Authorized)
    return answer.reference


async def test_an_authorization_is_captured_in_parts_until_the_final_one(provider: Provider) -> None:
    reference, one = await in_parts(provider), key()

    first = await provider.capture(one, reference, 300, False)
    assert isinstance(first, Captured)
    assert await provider.capture(one, reference, 300, False) == first
    assert await provider.capture(key(), reference, 701, False) == Declined("exceeds_authorized")
    last = await provider.capture(key(), reference, 600)
    assert isinstance(last, Captured)
    assert await provider.capture(key(), reference, 1) == Declined("already_captured")
    assert isinstance(await provider.refund(key(), last.reference, 900), Refunded)
    assert await provider.refund(key(), last.reference, 1) == Declined("exceeds_captured")


async def test_a_final_capture_of_nothing_lets_the_rest_go(provider: Provider) -> None:
    reference = await in_parts(provider)
    await provider.capture(key(), reference, 300, False)

    assert isinstance(await provider.capture(key(), reference, 0), Captured)
    assert await provider.capture(key(), reference, 1) == Declined("already_captured")


async def test_a_part_that_is_taken_can_be_given_back_while_others_are_to_come(provider: Provider) -> None:
    reference = await in_parts(provider)
    part = await provider.capture(key(), reference, 300, False)
    assert isinstance(part, Captured)

    assert isinstance(await provider.refund(key(), part.reference, 300), Refunded)
    assert await provider.refund(key(), part.reference, 1) == Declined("exceeds_captured")
    assert isinstance(await provider.capture(key(), reference, 700), Captured)
