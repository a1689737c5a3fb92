"""The adapter over HTTP keeps at it with the same key, and gives up in time."""

import asyncio
from collections.abc import AsyncIterator
from uuid import uuid4

import pytest

from tests.provider.stub import StubProcess, free_port
from workers.breaker import Breaker
from workers.provider import Authorized, Captured, Declined, ProviderUnavailable
from workers.provider_http import HttpProvider

pytestmark = pytest.mark.anyio


@pytest.fixture
async def provider(stub: StubProcess, anyio_backend: str) -> AsyncIterator[HttpProvider]:
    provider = HttpProvider(stub.url, timeout_seconds=0.3, backoff_seconds=0.001)
    yield provider
    await provider.aclose()


async def authorize(provider: HttpProvider, payment: str, amount: int = 1000) -> str:
    answer = await provider.authorize(f"a-{payment}", payment, amount, "EUR", "tok")
    assert isinstance(answer, Authorized)
    return answer.reference


@pytest.mark.parametrize("amount", [4_000_500, 4_000_408, 4_000_409])
async def test_a_passing_fault_is_healed_by_retries(
    provider: HttpProvider, stub: StubProcess, payment: str, amount: int
) -> None:
    await authorize(provider, payment, amount)

    assert stub.operations(payment) == ["authorize"]
    assert provider.breaker_state == "closed"


async def test_a_capture_whose_answer_is_lost_is_done_once(
    provider: HttpProvider, stub: StubProcess, payment: str
) -> None:
    reference = await authorize(provider, payment, 4_000_999)

    assert isinstance(await provider.capture(f"c-{payment}", reference, 4_000_999), Captured)
    assert stub.operations(payment) == ["authorize", "capture"]


async def test_no_answer_is_unavailable_and_the_same_key_tells_later_what_was_done(
    provider: HttpProvider, stub: StubProcess, payment: str
) -> None:
    stub.mode("lose_answer")
    with pytest.raises(ProviderUnavailable) as unavailable:
        await authorize(provider, payment)
    assert unavailable.value.retry_after_seconds > 0
    assert stub.operations(payment) == ["authorize"]

    stub.mode("normal")
    reference = await authorize(provider, payment)
    assert stub.operations(payment) == ["authorize"]
    assert reference == stub.entries(payment)[0]["id"]


async def test_a_provider_that_hangs_is_given_up(provider: HttpProvider, stub: StubProcess, payment: str) -> None:
    stub.mode("timeout")
    with pytest.raises(ProviderUnavailable, match="SocketTimeoutError"):
        await authorize(provider, payment)


async def test_nobody_listening_is_unavailable(payment: str) -> None:
    provider = HttpProvider(f"http://127.0.0.1:{free_port()}", backoff_seconds=0.001)
    with pytest.raises(ProviderUnavailable, match="ClientConnectorError"):
        await authorize(provider, payment)
    await provider.aclose()


async def test_a_slow_answer_is_an_answer(provider: HttpProvider, stub: StubProcess, payment: str) -> None:
    stub.mode("slow", ms=50)
    await authorize(provider, payment)


async def test_declines_do_not_open_the_breaker(provider: HttpProvider, stub: StubProcess) -> None:
    stub.mode("decline")
    for _ in range(6):
        declined = await provider.authorize(str(uuid4()), uuid4(), 1000, "EUR", "tok")
        assert declined == Declined("card_declined")
    assert provider.breaker_state == "closed"


async def test_five_faults_in_a_row_open_the_breaker_and_nothing_is_sent_any_more(
    provider: HttpProvider, stub: StubProcess, payment: str
) -> None:
    stub.mode("error500", next=5)
    for _ in range(2):
        with pytest.raises(ProviderUnavailable):
            await authorize(provider, payment)
    assert provider.breaker_state == "open"

    with pytest.raises(ProviderUnavailable, match="circuit open") as unavailable:
        await authorize(provider, payment)
    assert 29 < unavailable.value.retry_after_seconds <= 30
    assert stub.client.get("/v1/mode").json()["next"] == 0
    assert stub.operations(payment) == []


async def test_a_half_open_breaker_lets_one_of_many_through_and_closes_when_it_is_answered(
    stub: StubProcess, payment: str
) -> None:
    now = [0.0]
    provider = HttpProvider(stub.url, backoff_seconds=0.001, breaker=Breaker(clock=lambda: now[0]))
    stub.mode("error500", next=5)
    for _ in range(2):
        with pytest.raises(ProviderUnavailable):
            await authorize(provider, payment)
    now[0] = 30.0

    stub.mode("slow", ms=100)
    calls = [provider.authorize(f"{n}-{payment}", payment, 1000, "EUR", "tok") for n in range(5)]
    answers = await asyncio.gather(*calls, return_exceptions=True)

    assert sorted(type(answer).__name__ for answer in answers) == ["Authorized"] + ["CircuitOpen"] * 4
    assert stub.operations(payment) == ["authorize"]
    assert provider.breaker_state == "closed"
    await provider.aclose()
