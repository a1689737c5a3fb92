"""Operators change things: they are asked, it is on record, and the shop goes on meanwhile."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from typing import Any
from uuid import uuid4

import pytest
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from events.topics import AUDIT, TOPICS
from projections.postgres import Database
from projections.states import tell
from tests.operator.conftest import Said, Shop, until
from tests.scenarios.shop import order

pytestmark = pytest.mark.infra


def admin(kafka: str, does: Callable[[AIOKafkaAdminClient], Awaitable[Any]]) -> None:
    async def run() -> None:
        client = AIOKafkaAdminClient(bootstrap_servers=kafka)
        await client.start()
        try:
            await does(client)
        finally:
            await client.close()

    asyncio.run(run())


def configure(kafka: str, topic: str, **settings: str) -> None:
    """Settings that a topic has then, and no others."""
    named = {name.replace("_", "."): value for name, value in settings.items()}
    admin(kafka, lambda client: client.alter_configs([ConfigResource(ConfigResourceType.TOPIC, topic, named)]))


def change(postgres: str, context: str, statement: str, **values: Any) -> None:
    async def run() -> None:
        database = Database(postgres, context)
        await database.open()
        async with database.transaction() as connection:
            await connection.execute(statement, values)
        await database.close()

    asyncio.run(run())


def last_act(shop: Shop) -> dict[str, Any]:
    [act] = shop.orders("audit", "--last", "1", "--json").json
    return {name: act[name] for name in ("who", "action", "target", "why", "outcome", "detail")}


@pytest.fixture
def spoiled(kafka: str) -> Iterator[str]:
    """A topic with settings that lose data."""
    [topic] = [topic for topic in TOPICS if topic.name == "user.events"]
    bad = topic.config() | {"unclean.leader.election.enable": "true", "retention.ms": "9000000000"}
    configure(kafka, topic.name, **bad)
    yield topic.name
    configure(kafka, topic.name, **topic.config())


def test_a_topic_that_would_lose_data_is_found_by_check_and_by_the_doctor(shop: Shop, spoiled: str) -> None:
    checked = shop.orders("topics", "check", "--json")
    found = {(one["topic"], one["setting"]): one for one in checked.json["differences"]}
    assert checked.code == 1
    assert found.keys() == {(spoiled, "unclean.leader.election.enable"), (spoiled, "retention.ms")}
    assert (found[spoiled, "retention.ms"]["wanted"], found[spoiled, "retention.ms"]["found"]) == ("-1", "9000000000")
    diagnosed = shop.orders("doctor", "--json")
    assert diagnosed.code == 1
    assert {check["name"] for check in diagnosed.json["checks"] if check["level"] == "fail"} == {f"topics: {spoiled}"}
    assert "--add-config retention.ms=-1" in shop.orders("topics", "check").out


def test_missing_topics_are_told_asked_for_created_and_on_record(shop: Shop, kafka: str) -> None:
    admin(kafka, lambda client: client.delete_topics([AUDIT.name]))
    until(lambda: shop.orders("topics", "check").code == 1, "the topic is gone")
    told = shop.orders("audit")
    assert (told.code, "orders topics create" in told.err) == (1, True)
    assert shop.orders("topics", "create").code == 1  # nobody is there to be asked
    assert shop.orders("topics", "create", "--yes", "--why", "lost it", "--json").json == [
        {"topic": AUDIT.name, "created": True}
    ]
    act = last_act(shop)
    assert (act["who"], act["action"], act["target"], act["why"]) == ("ada", "topics create", AUDIT.name, "lost it")
    assert act["outcome"] == "done"
    assert shop.orders("topics", "create", "--yes", "--json").json == []


def test_snapshots_fit_the_log_are_dropped_on_record_and_the_shop_goes_on(shop: Shop) -> None:
    until(lambda: shop.orders("snapshots", "check", "order", "--json").json["partitions"] != [], "a flush")
    checked = shop.orders("snapshots", "check", "order", "--all", "--json")
    assert sum(row["compared"] for row in checked.json["partitions"]) > 0
    assert shop.orders("snapshots", "drop", "order").code == 1  # nobody is there to be asked
    dropped = shop.orders("snapshots", "drop", "order", "--yes", "--why", "a new shape", "--json").json
    count = dropped[0]["dropped"]
    assert count > 0
    assert last_act(shop) == {
        "who": "ada", "action": "snapshots drop", "target": "order", "why": "a new shape", "outcome": "done",
        "detail": {"dropped": count},
    }  # fmt: skip
    another, correlation = order((shop.sku, 1)), str(uuid4())
    shop.send([(another, correlation)])
    until(lambda: "order.confirmed.v1" in shop.orders("log", "show", another.stream).out, "it is confirmed")


def test_snapshots_that_lie_are_found(shop: Shop, postgres: str) -> None:
    stream = f"product-{shop.sku}"
    until(lambda: shop.orders("snapshots", "check", "product", "--json").json["partitions"] != [], "a flush")
    said: list[Said] = []

    def lies() -> bool:  # its worker may write the truth over it in the meantime
        change(
            postgres,
            "product",
            "UPDATE snapshots SET entity = jsonb_set(entity::jsonb, '{state}', '7')::json WHERE stream = %(s)s",
            s=stream,
        )
        said.append(shop.orders("snapshots", "check", "product", "--all"))
        return f"{stream} is spoiled" in said[-1].err

    until(lies, "the lie is found")
    assert said[-1].code == 1
    assert shop.orders("snapshots", "drop", "product", "--yes").code == 0
    assert shop.orders("snapshots", "check", "product", "--all").code == 0


def test_an_open_circuit_to_the_provider_is_no_good_health(shop: Shop, postgres: str) -> None:
    name = shop.orders("consumers", "--context", "payment", "--json").json["owners"][0]["process"]
    shown: dict[str, Any] = {}

    async def run() -> None:
        database = Database(postgres, "payment")
        await database.open()
        telling = asyncio.create_task(tell(database, name, "breaker", lambda: "open"))
        while not await database.fetch("SELECT FROM worker_states"):
            await asyncio.sleep(0)
        shown["said"] = await asyncio.to_thread(shop.orders, "status", "--json", "--over", "0.1")
        telling.cancel()
        await asyncio.gather(telling, return_exceptions=True)
        shown["left"] = await database.fetch("SELECT FROM worker_states")
        await database.close()

    asyncio.run(run())
    assert shown["said"].code == 1
    assert [name in why and "open" in why for why in shown["said"].json["reasons"]] == [True]
    assert shown["left"] == []
