"""Servers of one's own: both ways of starting each, and data that outlast stops, kills and moves."""

import asyncio
import os
import socket
import sys
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from tests.local.conftest import Choose, start
from workers.local import Servers, addresses, probe, resolve

pytestmark = pytest.mark.infra


def record(servers: Servers) -> None:
    with psycopg.connect(servers.postgres.url) as database:
        database.execute("create table kept (word text)")
        database.execute("insert into kept values ('kept')")
    asyncio.run(produce(servers.kafka.url))


def recorded(servers: Servers) -> tuple[str, str]:
    with psycopg.connect(servers.postgres.url) as database:
        row = database.execute("select word from kept").fetchone()
    assert row is not None
    return row[0], asyncio.run(consume(servers.kafka.url))


async def produce(bootstrap: str) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    await admin.create_topics([NewTopic("kept", 1, 1)])
    await admin.close()
    async with AIOKafkaProducer(bootstrap_servers=bootstrap, enable_idempotence=True) as producer:
        await producer.send_and_wait("kept", b"kept")


async def consume(bootstrap: str) -> str:
    async with AIOKafkaConsumer("kept", bootstrap_servers=bootstrap, auto_offset_reset="earliest") as consumer:
        value = (await asyncio.wait_for(consumer.getone(), 20)).value
    return bytes(value or b"").decode()


@pytest.mark.long
@pytest.mark.parametrize("origin", ["system", "wheel"])
def test_data_survive_a_stop_and_then_a_kill(origin: str, home: Path, choose: Choose) -> None:
    choose(origin)
    with start(home) as servers:
        record(servers)
        first = servers.kafka, servers.postgres
        assert {server.origin for server in first} == {origin}
        assert addresses(home) == {"kafka": servers.kafka.url, "postgres": servers.postgres.url}
    assert addresses(home) == {}

    with start(home) as servers:
        assert (servers.kafka.url, servers.postgres.url) == tuple(server.url for server in first)
        assert recorded(servers) == ("kept", "kept")

        servers.kill("kafka")
        servers.kill("postgres")
        servers.restart("kafka")
        servers.restart("postgres")
        assert (servers.kafka.url, servers.postgres.url) == tuple(server.url for server in first)
        assert recorded(servers) == ("kept", "kept")
        check_probes(servers)
        if os.geteuid() == 0 and sys.platform == "linux":
            assert Path(f"/proc/{servers.postgres.pid}").stat().st_uid != 0


def check_probes(servers: Servers) -> None:
    """Each probe knows its own server from the other one, and a running server is taken where it is looked for."""
    at_postgres = "127.0.0.1:" + servers.postgres.url.split(":")[-1].split("/")[0]
    assert probe.kafka(at_postgres) == "does not speak Kafka"
    assert probe.postgres(f"postgresql://orderlog@{servers.kafka.url}/postgres") == "does not speak Postgres"
    assert probe.postgres(servers.postgres.url.replace("orderlog@", "stranger@")) is not None

    said: list[str] = []
    found = resolve.running(replace(resolve.KAFKA, usual=servers.kafka.url), said.append)
    assert (found.origin, found.started_by_us) == ("running", False)
    assert said == [f"Kafka: using the one that runs already, {servers.kafka.url}"]


@pytest.mark.long
def test_a_broker_whose_ports_were_taken_moves_and_keeps_its_data(home: Path, choose: Choose) -> None:
    choose("system")
    with start(home) as servers:
        record(servers)
        before = servers.kafka.url
    with socket.create_server(("127.0.0.1", int(before.split(":")[1]))), start(home) as servers:
        assert servers.kafka.url != before
        assert recorded(servers) == ("kept", "kept")
