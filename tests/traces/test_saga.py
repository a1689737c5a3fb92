"""One order through the whole saga, on real servers and in real processes: every hop of it is in one trace."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from functools import partial
from uuid import uuid4

import httpx2
import pytest

from events import tracing
from schemas.product import ListProduct
from tests.system.house import House, house, wait_until
from tests.traces.collector import Collector, Told, collecting

pytestmark = [pytest.mark.infra, pytest.mark.anyio]

CLIENT = "b7ad6b7169203331"
"""The span from which the client asks."""

ORDER = {
    "customer_id": "ada-lovelace",
    "email": "ada.lovelace@example.org",
    "payment_token": "tok_secret_4711",
    "shipping_address": {
        "name": "Augusta",
        "street": "12 St James Square",
        "city": "Marylebone",
        "postal_code": "W1U",
        "country": "GB",
    },
    "lines": [{"sku": "tea", "quantity": 2, "unit_price": 450}],
}
PERSONAL = ("lovelace", "example.org", "tok_secret", "Augusta", "James", "Marylebone", "W1U")

WAY = [
    "api: POST /orders",
    "api: send order.commands",
    "order: decide order.commands",
    "product: react order.events",
    "product: decide product.commands",
    "order: react product.events",
    "order: decide order.commands",
    "payment: react order.events",
    "payment: decide payment.commands",
    "payment: authorize payment",
    "payment: decide payment.commands",
    "order: react payment.events",
    "order: decide order.commands",
    "notification: react order.events",
    "notification: decide notification.commands",
    "notification: deliver notification",
    "notification: send mail",
]
"""From the request to the mail, each the child of the one before."""


class Shop:
    """A running house whose processes send their traces to a collector."""

    def __init__(self, here: House, collector: Collector) -> None:
        self.here, self.collector = here, collector

    async def ordered(self, path: str = "/orders", body: object = None) -> tuple[str, str]:
        """A new trace in which something is asked, and the id of what was asked for."""
        trace = uuid4().hex
        async with httpx2.AsyncClient(base_url=self.here.shop.url, timeout=30) as client:
            headers = {"traceparent": f"00-{trace}-{CLIENT}-01", "Prefer": "wait=10"}
            answer = await client.post(path, json=ORDER if body is None else body, headers=headers)
        assert answer.status_code < 300, answer.text
        return trace, answer.json().get("order_id", "")

    async def traced(self, trace: str, *ends: str) -> list[Told]:
        """The trace, once it has these spans."""

        async def there() -> bool:
            return set(ends) <= {each.what for each in self.collector.of(trace)}

        await wait_until(there, 30, f"a trace with {ends}")
        return self.collector.of(trace)

    async def confirmed(self, order_id: str) -> bool:
        """Whether the money of an order has been taken."""
        return str((await self.here.shop.get(f"/orders/{order_id}"))["status"]) == "confirmed"


@pytest.fixture(scope="module")
async def shop(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Shop]:
    with collecting() as collector:
        env = {
            "ORDERLOG_OTLP": collector.url,
            "OTEL_EXPORTER_OTLP_TIMEOUT": "1",
            "OTEL_EXPORTER_OTLP_COMPRESSION": "gzip",
            "OTEL_BSP_SCHEDULE_DELAY": "200",
        }
        async with house(tmp_path_factory.mktemp("traced"), env=env) as here:
            await here.shop.offer([ListProduct(sku="tea", name="Tea", price=450, stock=100)], lambda _: None)
            await wait_until(lambda: _listed(here), 20, "tea is on sale")
            yield Shop(here, collector)
            collector.status = 200


async def _listed(here: House) -> bool:
    return bool((await here.shop.get("/products"))["items"])


async def test_every_hop_of_an_order_is_in_the_trace_that_its_client_began(shop: Shop) -> None:
    trace, order_id = await shop.ordered()
    await wait_until(lambda: shop.confirmed(order_id), 20, "the order is confirmed")
    spans = await shop.traced(trace, "notification: send mail", "payment: capture payment")
    await _decided_last(shop, trace)
    spans = shop.collector.of(trace)
    by_id = {each.span: each for each in spans}

    assert len(by_id) == len(spans)
    assert {each.parent for each in spans} - by_id.keys() == {CLIENT}
    [mail] = [each for each in spans if each.name == "send mail"]
    assert _way(mail, by_id) == WAY
    assert Counter(each.what for each in spans if each.kind == "client") == {
        "payment: POST /v1/authorizations": 1,
        "payment: POST /v1/authorizations/{reference}/capture": 1,
        "notification: send mail": 1,
    }
    assert not [each for each in spans if each.error]


async def test_what_is_recorded_in_the_log_leads_to_the_decision_behind_it(shop: Shop) -> None:
    trace, order_id = await shop.ordered()
    await shop.traced(trace, "notification: send mail", "payment: capture payment")
    await _decided_last(shop, trace)
    by_id = {each.span: each for each in shop.collector.of(trace)}

    told = [
        (envelope, by_id[tracing.parsed(envelope.traceparent)[1]])  # type: ignore[index]
        for context in ("order", "product", "payment", "notification")
        for envelope, _ in await shop.here.events(context)
        if tracing.trace_of(envelope.traceparent) == trace
    ]

    assert len(told) >= 12
    for envelope, deciding in told:
        assert deciding.name == f"decide {envelope.source}.commands"
        assert envelope.type in deciding.facts["orderlog.events"]
        assert envelope.causation == deciding.facts["messaging.message.id"]
    decisions = {deciding.facts["orderlog.command"]: deciding.facts for _, deciding in told}
    assert decisions["order.place"]["orderlog.total"] == 900
    assert decisions["payment.request"]["orderlog.currency"] == "EUR"
    kinds = {"order.place", "order.confirm", "payment.capture", "notification.request", "product.reserve_stock"}
    assert {decisions[kind]["orderlog.order_id"] for kind in kinds} == {order_id}
    assert {facts["orderlog.outcome"] for facts in decisions.values()} == {"accepted"}


async def test_appends_and_views_are_linked_to_the_decisions_that_they_make_known(shop: Shop) -> None:
    traces = [trace for trace, _ in await asyncio.gather(*(shop.ordered() for _ in range(6)))]
    for trace in traces:
        await shop.traced(trace, "notification: send mail", "payment: capture payment")
        await _decided_last(shop, trace)
    decisions = [each for trace in traces for each in shop.collector.of(trace) if each.name.startswith("decide ")]

    for does in ("append", "project"):
        batches = [each for each in shop.collector.spans if each.name.startswith(f"{does} ")]
        links = Counter(link for batch in batches for link in batch.links)
        assert [links[each.trace, each.span] for each in decisions] == [1] * len(decisions)
        for batch in batches:
            of_one = len({trace for trace, _ in batch.links}) == 1
            assert (batch.trace, batch.parent) == batch.links[0] if of_one else batch.parent == ""


async def test_a_later_request_is_a_trace_of_its_own_that_leads_back_to_the_order(shop: Shop) -> None:
    before, order_id = await shop.ordered()
    await wait_until(lambda: shop.confirmed(order_id), 20, "the order is confirmed")
    trace, _ = await shop.ordered(f"/orders/{order_id}/ship", {})
    spans = await shop.traced(trace, "order: decide order.commands", "api: POST /orders/{order_id}/ship")
    [deciding] = [each for each in spans if each.what == "order: decide order.commands"]
    assert [link[0] for link in deciding.links] == [before]


async def test_no_span_names_a_person_or_a_card(shop: Shop) -> None:
    trace, _ = await shop.ordered()
    await shop.traced(trace, "notification: send mail")
    assert [word for word in PERSONAL if any(word in str(each) for each in shop.collector.spans)] == []


async def test_without_its_collector_the_saga_goes_on_and_what_is_dropped_is_counted(shop: Shop) -> None:
    shop.collector.close()
    orders = [order_id for _, order_id in await asyncio.gather(*(shop.ordered() for _ in range(5)))]
    for order_id in orders:
        await wait_until(partial(shop.confirmed, order_id), 20, "the order is confirmed")

    async def said() -> bool:
        return "the collector of traces takes none" in shop.here.log_of("worker-order-product-payment-user")

    await wait_until(said, 20, "the worker says that its traces are not taken")

    async def dropped() -> bool:
        words = shop.here.log_of("worker-order-product-payment-user").partition("traces are taken again; ")[2]
        return bool(words) and int(words.split()[0]) > 0

    with collecting(shop.collector.port) as again:
        shop.collector = again
        trace, _ = await shop.ordered()
        await shop.traced(trace, "notification: send mail")
        await wait_until(dropped, 60, "the worker says how many it has dropped")


async def _decided_last(shop: Shop, trace: str) -> None:
    """Wait for the two ends of the saga, and for what is linked to them."""
    ends = {"payment.record_capture", "order.record_commitment", "notification.record_delivery"}

    async def there() -> bool:
        found = [each for each in shop.collector.of(trace) if each.name.startswith("decide ")]
        shown = {
            link for each in shop.collector.spans if each.name.startswith("project ") for link in each.links
        }  # views come last
        return ends <= {each.facts["orderlog.command"] for each in found} and all(
            (each.trace, each.span) in shown for each in found
        )

    await wait_until(there, 20, "the saga's ends are in the views, and told")


def _way(span: Told, by_id: dict[str, Told]) -> list[str]:
    way = [span.what]
    while (above := by_id.get(span.parent)) is not None:
        span = above
        way.append(span.what)
    return way[::-1]
