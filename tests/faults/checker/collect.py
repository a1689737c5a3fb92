"""Collect writes the dump of a run: topics, tables, the ledger and the mails, each as lines of JSON.

The databases are read before the topics: so the log reaches at least as far as every checkpoint.
"""

import json
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, TextIO

import psycopg
from confluent_kafka import Consumer, KafkaException, TopicPartition
from psycopg import conninfo, sql

from tests.faults.checker.contexts import CONTEXTS
from tests.faults.checker.wire import name_of, to_line

PATIENCE = 30.0
"""Seconds without a record, while records are still missing, after which the broker is taken to be gone."""

TABLES = {
    "order": ("orders",),
    "product": ("products",),
    "payment": ("payments",),
    "user": ("users",),
    "notification": ("notifications", "statistics"),
}
COMMON = {
    "checkpoints": "SELECT * FROM checkpoints ORDER BY partition",
    "history": "SELECT * FROM history ORDER BY partition, position",
    "outcomes": "SELECT * FROM outcomes",
    "dead_letters": """SELECT partition AS home, position AS recorded, id, status, topic, of_partition AS partition,
        of_position AS position, reason, stream, at FROM dead_letters ORDER BY home, recorded""",
    "resume_points": "SELECT partition, next, epoch, writer, aggregates FROM resume_points",
    "snapshots": "SELECT stream, partition, entity->>'version' AS version FROM snapshots",
}


class Incomplete(Exception):
    """The evidence cannot be had: the verdict is unknown."""


def collect(run: Path, say: Callable[[str], None] = print) -> None:
    """Write RUN/dump from what RUN/evidence.json names.

    Raises:
        Incomplete: a server cannot be reached.
    """
    said = json.loads((run / "evidence.json").read_text())
    dump = run / "dump"
    shutil.rmtree(dump, ignore_errors=True)
    dump.mkdir()
    began = time.monotonic()
    try:
        rows = sum(_database(said["postgres"], context, dump / "tables" / context) for context in CONTEXTS)
        say(f"{rows:,} rows of tables after {time.monotonic() - began:.1f} s")
        records = _topics(said["kafka"], dump)
        say(f"{records:,} records of topics after {time.monotonic() - began:.1f} s")
    except (psycopg.Error, KafkaException, OSError) as error:
        raise Incomplete(f"the dump could not be made: {error}") from error
    entries, mails = _ledger(Path(said["ledger"]), dump), _mails(Path(said["mail"]), dump)
    say(f"{entries:,} entries of the ledger, {mails:,} mails after {time.monotonic() - began:.1f} s")


def _database(url: str, context: str, folder: Path) -> int:
    """The tables of a context, as they are at one moment."""
    folder.mkdir(parents=True)
    queries = {**COMMON, **{name: f"SELECT * FROM {name}" for name in TABLES[context]}}
    with psycopg.connect(conninfo.make_conninfo(url, dbname=f"orderlog_{context}")) as connection:
        connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        connection.execute("SET LOCAL timezone TO 'UTC'")
        return sum(_table(connection, query, folder / f"{name}.jsonl") for name, query in queries.items())


def _table(connection: psycopg.Connection[Any], query: str, path: Path) -> int:
    """A query's rows as JSON. Quote and delimiter are characters that JSON escapes, so that nothing is quoted twice."""
    copy = sql.SQL("COPY (SELECT row_to_json(row) FROM ({}) AS row) TO STDOUT").format(sql.SQL(query))
    options = sql.SQL(" WITH (FORMAT csv, DELIMITER E'\\x01', QUOTE E'\\x02')")
    with path.open("wb") as file, connection.cursor() as cursor:
        with cursor.copy(copy + options) as rows:
            for block in rows:
                file.write(block)
        return cursor.rowcount


def _topics(bootstrap: str, dump: Path) -> int:
    """Every record of every topic of ours, from the log's start to its end as of now, whoever wrote it."""
    consumer = Consumer(
        {
            "bootstrap.servers": bootstrap,
            "group.id": "orderlog-checker",  # asked for, never joined: partitions are assigned, nothing is committed
            "enable.auto.commit": False,
            "enable.auto.offset.store": False,
            "isolation.level": "read_uncommitted",
            "auto.offset.reset": "error",
            "queued.max.messages.kbytes": 65_536,
        }
    )
    try:
        bounds = dict(_bounds(consumer))
        _write_layout(bounds, dump)
        return _consume(consumer, bounds, dump)
    finally:
        consumer.close()


def _bounds(consumer: Consumer) -> Iterator[tuple[tuple[str, int], tuple[int, int]]]:
    found = consumer.list_topics(timeout=PATIENCE).topics
    for topic in (f"{context}.{kind}" for context in CONTEXTS for kind in ("commands", "events")):
        if topic not in found:
            raise Incomplete(f"there is no topic {topic}")
        for partition in found[topic].partitions:
            first, end = consumer.get_watermark_offsets(TopicPartition(topic, partition), timeout=PATIENCE)
            yield (topic, partition), (first, end)


def _write_layout(bounds: dict[tuple[str, int], tuple[int, int]], dump: Path) -> None:
    places = {f"{topic}/{partition}": list(ends) for (topic, partition), ends in bounds.items()}
    partitions = 1 + max(partition for _, partition in bounds)
    layout = {"at": time.time(), "partitions": partitions, "bounds": places}
    (dump / "layout.json").write_text(json.dumps(layout, indent=1))


def _consume(consumer: Consumer, bounds: dict[tuple[str, int], tuple[int, int]], dump: Path) -> int:
    with ExitStack() as files:
        outs: dict[tuple[str, int], TextIO] = {
            place: files.enter_context((dump / name_of(*place)).open("w", encoding="utf-8", newline="\n"))
            for place in bounds
        }
        left = {place: end for place, (first, end) in bounds.items() if first < end}
        consumer.assign([TopicPartition(*place, bounds[place][0]) for place in left])
        count, heard = 0, time.monotonic()
        while left:
            messages = consumer.consume(5000, timeout=1.0)
            if messages:
                heard = time.monotonic()
            elif time.monotonic() - heard > PATIENCE:
                raise Incomplete(f"no records for {PATIENCE:.0f} s; still missing: {sorted(left)}")
            for message in messages:
                if error := message.error():
                    raise KafkaException(error)
                count += _write(message, outs, left)
        return count


def _write(message: Any, outs: dict[tuple[str, int], TextIO], left: dict[tuple[str, int], int]) -> int:
    place = message.topic(), message.partition()
    offset = message.offset()
    if offset >= left.get(place, 0):
        return 0  # written since we asked for the end
    line = to_line(offset, message.timestamp()[1], message.key(), message.value(), message.headers() or ())
    outs[place].write(line)
    if offset + 1 == left[place]:
        del left[place]
    return 1


def _ledger(path: Path, dump: Path) -> int:
    shutil.copyfile(path, dump / "ledger.jsonl")
    with path.open("rb") as lines:
        return sum(1 for _ in lines)


def _mails(folder: Path, dump: Path) -> int:
    count = 0
    with (dump / "mails.jsonl").open("w", encoding="utf-8") as out:
        for path in sorted(folder.glob("*.eml")):
            again = path.with_suffix(".again")
            headers = _headers(path.read_bytes())
            mail = {
                "id": headers.get("message-id", "").strip("<> ").rpartition("@")[0],
                "to": headers.get("to", ""),
                "subject": headers.get("subject", ""),
                "at": path.stat().st_mtime,
                "repeats": again.stat().st_size if again.exists() else 0,
            }
            out.write(json.dumps(mail) + "\n")
            count += 1
    return count


def _headers(content: bytes) -> dict[str, str]:
    """The headers of a mail by name, unfolded. (The library's parser takes ten times as long.)"""
    head = content.replace(b"\r\n", b"\n").partition(b"\n\n")[0].decode(errors="replace")
    unfolded = head.replace("\n ", " ").replace("\n\t", " ")
    pairs = (line.partition(":") for line in unfolded.split("\n"))
    return {name.lower(): content.strip() for name, _, content in pairs}
