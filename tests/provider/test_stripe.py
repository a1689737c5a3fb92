"""Stripe is asked in its own form, once, and what it answers is believed only if it is about what was asked."""

from collections.abc import AsyncIterator, Callable
from uuid import uuid4

import pytest

from tests.provider.stripe_stub import SECRET, Said, Stripe, no
from workers.provider import Authorized, Captured, Declined, ProviderMisused, ProviderUnavailable
from workers.provider_stripe import StripeProvider

pytestmark = pytest.mark.anyio


@pytest.fixture
async def stripe(anyio_backend: str) -> AsyncIterator[Stripe]:
    async with Stripe() as stripe:
        yield stripe


@pytest.fixture
async def provider(stripe: Stripe) -> AsyncIterator[StripeProvider]:
    provider = StripeProvider(SECRET, stripe.url, timeout_seconds=0.5, backoff_seconds=0.001)
    yield provider
    await provider.aclose()


async def authorized(provider: StripeProvider, token: str = "pm_card_visa") -> str:
    answer = await provider.authorize(str(uuid4()), "order-1", 1000, "EUR", token)
    assert isinstance(answer, Authorized), answer
    return answer.reference


async def test_an_intent_is_made_as_stripe_wants_it(provider: StripeProvider, stripe: Stripe) -> None:
    await authorized(provider)
    (request,) = stripe.requests
    assert request == (
        "payment_intents",
        {
            "amount": "1000",
            "currency": "eur",
            "capture_method": "manual",
            "confirm": "true",
            "payment_method_types[]": "card",
            "error_on_requires_action": "true",
            "expand[]": "latest_charge",
            "metadata[order_id]": "order-1",
            "payment_method": "pm_card_visa",
        },
    )


async def test_a_token_of_a_card_is_sent_as_one(provider: StripeProvider, stripe: Stripe) -> None:
    await authorized(provider, "tok_visa")
    assert stripe.requests[0][1]["payment_method_data[card][token]"] == "tok_visa"


async def test_an_answer_that_is_lost_is_asked_for_again_under_the_same_key(
    provider: StripeProvider, stripe: Stripe
) -> None:
    reference = await authorized(provider)
    stripe.lose = 2
    assert await provider.capture(str(uuid4()), reference, 1000) == Captured(reference)
    assert [path for path, _ in stripe.requests[1:]] == [f"payment_intents/{reference}/capture"] * 3
    assert stripe.intents[reference]["amount_received"] == 1000


async def test_a_card_that_wants_its_owner_is_declined(provider: StripeProvider) -> None:
    answer = await provider.authorize(str(uuid4()), "order-1", 1000, "EUR", "pm_authenticate")
    assert answer == Declined("authentication_required")


async def test_a_payment_of_nothing_is_none_of_stripes_business(provider: StripeProvider, stripe: Stripe) -> None:
    answer = await provider.authorize(str(uuid4()), "order-1", 0, "EUR", "tok_visa")
    assert isinstance(answer, Authorized)
    assert await provider.capture(str(uuid4()), answer.reference, 0) == Captured(answer.reference)
    assert not stripe.requests


@pytest.mark.parametrize(
    ("spoil", "why"),
    [
        (lambda said: (200, {**said[1], "amount": 1}), "amount 1, not 1000"),
        (lambda said: (200, {**said[1], "currency": "usd"}), "currency 'usd', not 'eur'"),
        (lambda said: (200, {**said[1], "status": "requires_action"}), "status 'requires_action'"),
        (lambda _: no(400, "invalid_request_error", "parameter_unknown", param="confirm"), "parameter_unknown confirm"),
        (lambda _: no(401, "invalid_request_error", "api_key_invalid"), "HTTP 401"),
    ],
)
async def test_an_answer_about_something_else_is_not_believed(
    provider: StripeProvider, stripe: Stripe, spoil: Callable[[Said], Said], why: str
) -> None:
    stripe.spoil = spoil
    with pytest.raises(ProviderMisused, match=why) as misused:
        await authorized(provider)
    assert SECRET not in str(misused.value)


@pytest.mark.parametrize(
    "spoil", [lambda _: no(429, "invalid_request_error", "rate_limit"), lambda _: no(500, "api_error")]
)
async def test_what_passes_is_waited_for_and_then_left_for_later(
    provider: StripeProvider, stripe: Stripe, spoil: Callable[[Said], Said]
) -> None:
    stripe.spoil = spoil
    with pytest.raises(ProviderUnavailable):
        await authorized(provider)
    assert len(stripe.requests) == 4


async def test_a_card_that_cannot_be_captured_in_parts_is_let_go_and_declined(
    provider: StripeProvider, stripe: Stripe
) -> None:
    for key in ("one", "one"):
        answer = await provider.authorize(key, "order-1", 1000, "EUR", "pm_once", 1, True)
        assert answer == Declined("multicapture_unavailable")

    assert [intent["status"] for intent in stripe.intents.values()] == ["canceled"]


async def test_a_part_is_asked_for_as_stripe_wants_it(provider: StripeProvider, stripe: Stripe) -> None:
    answer = await provider.authorize(str(uuid4()), "order-1", 1000, "EUR", "pm_card_visa", 2, True)
    assert isinstance(answer, Authorized)
    await provider.capture(str(uuid4()), answer.reference, 300, False)

    (_, asked), (_, part) = stripe.requests
    assert asked["payment_method_options[card][request_multicapture]"] == "if_available"
    assert asked["metadata[attempt]"] == "2"
    assert part == {"amount_to_capture": "300", "final_capture": "false"}
