"""What the checker collects is what lies there: every byte, every row, every mail, on the real servers."""

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest
from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic
from psycopg import conninfo

from projections import versions
from projections.journals import journals
from projections.postgres import Database
from projections.registry import COMMON
from projections.versions import Versions
from tests.faults.checker import collect as collecting
from tests.faults.checker.collect import collect
from tests.faults.checker.wire import lines, records
from workers.mailbox import store

ODD_TEXT = 'a "quote", a \\backslash\\, a tab\t, a line\nbreak, Zoë, \u2028, \x01 and \x02'


@pytest.fixture
def context(kafka: str, postgres: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A context of our own on the servers that all tests share."""
    name = f"cellar{uuid4().hex[:8]}"
    monkeypatch.setattr(collecting, "CONTEXTS", (name,))
    monkeypatch.setattr(collecting, "TABLES", {name: ("things",)})
    topics = [f"{name}.commands", f"{name}.events"]
    admin = AdminClient({"bootstrap.servers": kafka})
    asked = [NewTopic(topic, 2, 1, config={"retention.ms": "-1"}) for topic in topics]
    for made in admin.create_topics(asked).values():
        made.result(20)
    with psycopg.connect(postgres, autocommit=True) as server:
        server.execute(f"CREATE DATABASE orderlog_{name}")
    yield name
    for gone in admin.delete_topics(topics).values():
        gone.result(20)
    with psycopg.connect(postgres, autocommit=True) as server:
        server.execute(f"DROP DATABASE orderlog_{name}")


def test_everything_is_collected_as_it_is(kafka: str, postgres: str, context: str, tmp_path: Path) -> None:
    _write_records(kafka, f"{context}.events")
    _write_rows(postgres, context)
    mail, ledger = tmp_path / "mail", tmp_path / "ledger.jsonl"
    mail.mkdir()
    for subject in ("one", "two", "two"):
        head = f"Message-ID: <{subject}@orders.example>\r\nTo: ada@example.com\r\nSubject: mail\r\n {subject}\r\n\r\nHi"
        store(mail, head.encode())
    ledger.write_text('{"seq": 1, "amount": 5}\n{"seq": 2, "am')
    said = {"kafka": kafka, "postgres": postgres, "ledger": str(ledger), "mail": str(mail)}
    (tmp_path / "evidence.json").write_text(json.dumps(said))

    collect(tmp_path, say=lambda _: None)

    dump = tmp_path / "dump"
    first, second, third = records(dump, f"{context}.events", 1)
    assert (first.key, first.value, first.headers) == ("order-1", ODD_TEXT, {"ce_id": "1", "n": None})
    assert (second.key, second.value, second.headers) == (None, None, {})
    assert (third.key, third.value, third.headers) == (b"\xff", b"nul \0", {"twice": b"\xfe"})
    assert [record.offset for record in (first, second, third)] == [0, 1, 2]
    assert first.timestamp == 1_764_000_000_123
    assert list(records(dump, f"{context}.commands", 0)) == []
    layout = json.loads((dump / "layout.json").read_text())
    assert (layout["partitions"], layout["bounds"][f"{context}.events/1"]) == (2, [0, 3])
    tables = dump / "tables" / context
    assert list(lines(tables / "things.jsonl")) == [
        {"name": ODD_TEXT, "at": "2026-11-23T12:00:00.12+00:00", "data": {"text": ODD_TEXT, "big": 10**30}}
    ]
    assert list(lines(tables / "snapshots.jsonl")) == [
        {"stream": f"order-{n}", "partition": 0, "version": version} for n, version in enumerate(("7", None, None))
    ]
    mails = {row["id"]: (row["to"], row["subject"], row["repeats"]) for row in lines(dump / "mails.jsonl")}
    assert mails == {"one": ("ada@example.com", "mail one", 0), "two": ("ada@example.com", "mail two", 1)}
    assert list(lines(dump / "ledger.jsonl")) == [{"seq": 1, "amount": 5}]


def _write_records(kafka: str, topic: str) -> None:
    producer = Producer({"bootstrap.servers": kafka, "enable.idempotence": True})
    at = 1_764_000_000_123
    producer.produce(topic, ODD_TEXT.encode(), b"order-1", 1, timestamp=at, headers=[("ce_id", b"1"), ("n", None)])
    producer.produce(topic, None, None, 1)
    producer.produce(topic, b"nul \0", b"\xff", 1, headers=[("twice", b"\xff"), ("twice", b"\xfe")])
    assert producer.flush(20) == 0


async def _install(postgres: str, context: str) -> None:
    """What every context has: common tables, and its journals."""
    database = Database(postgres, context)
    await database.create(versions.DDL + COMMON)
    await Versions(database, journals(context)).install()
    await database.close()


def _write_rows(postgres: str, context: str) -> None:
    asyncio.run(_install(postgres, context))
    with psycopg.connect(conninfo.make_conninfo(postgres, dbname=f"orderlog_{context}")) as database:
        database.execute("CREATE TABLE things (name text, at timestamptz, data jsonb)")
        row = [ODD_TEXT, "2026-11-23T13:00:00.120000+01:00", json.dumps({"text": ODD_TEXT, "big": 10**30})]
        database.execute("INSERT INTO things VALUES (%s, %s, %s)", row)
        for number, entity in enumerate(('{"state": {}, "version": 7}', '{"state": 7}', "[1]")):
            values = [f"order-{number}", 0, entity, False]
            database.execute("INSERT INTO snapshots VALUES (%s, %s, %s, %s)", values)
