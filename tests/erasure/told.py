"""Told is all that somebody tells of themselves, in words that nobody else uses; and where each of them is found."""

import base64
import binascii
import re
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple
from uuid import uuid4

from aiokafka import AIOKafkaConsumer
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.structs import TopicPartition
from pyarrow import parquet

from projections.postgres import Database

_BASE64 = re.compile(r"[A-Za-z0-9+/]{24,}={0,2}")


class Told(NamedTuple):
    """The words of one person."""

    email: str
    name: str
    second_name: str
    phone: str
    label: str
    street: str
    city: str
    new_street: str
    note: str
    reason: str
    comment: str
    too_many: str
    changed_mind: str
    tracking: str
    goodwill: str

    def place(self, street: str) -> dict[str, str]:
        """Where they receive goods."""
        return {"name": self.name, "street": street, "city": self.city, "postal_code": "10121", "country": "IT"}


def told() -> Told:
    """The words of somebody new."""
    words = [uuid4().hex[:12] for _ in Told._fields]
    found = dict(zip(Told._fields, words, strict=True))
    return Told(**{**found, "email": f"{found['email']}@example.org", "phone": f"+43{int(found['phone'][:8], 16)}"})


def found_in(texts: Iterable[str], said: Told) -> set[str]:
    """Which of somebody's words are in these texts, as they are or inside of Base64."""
    left, found = dict(said._asdict()), set()
    for text in texts:
        for part in (text, *_decoded(text)):
            for name in [name for name, word in left.items() if word in part]:
                found.add(name)
                del left[name]
    return found


def _decoded(text: str) -> Iterator[str]:
    for each in _BASE64.findall(text):
        try:
            yield base64.b64decode(each + "=" * (-len(each) % 4)).decode(errors="replace")
        except binascii.Error:
            continue


async def in_topics(kafka: str) -> list[str]:
    """Every record of every topic that there is: key, value and headers."""
    places = await _places(kafka)
    consumer = AIOKafkaConsumer(bootstrap_servers=kafka, enable_auto_commit=False)
    await consumer.start()
    try:
        consumer.assign(places)
        await consumer.seek_to_beginning(*places)
        left, found = await consumer.end_offsets(places), []
        while left:
            for records in (await consumer.getmany(timeout_ms=100)).values():
                found += [_text(record) for record in records]
            left = {place: last for place, last in left.items() if await consumer.position(place) < last}
        return found
    finally:
        await consumer.stop()


async def _places(kafka: str) -> list[TopicPartition]:
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka)
    await admin.start()
    try:
        topics = await admin.describe_topics(await admin.list_topics())
    finally:
        await admin.close()
    return [TopicPartition(topic["topic"], each["partition"]) for topic in topics for each in topic["partitions"]]


def _text(record: Any) -> str:
    parts = record.key, record.value, *(value for _, value in record.headers)
    return "\n".join(part.decode(errors="replace") for part in parts if part)


async def in_tables(databases: Iterable[Database]) -> list[str]:
    """Every row of every table, as text."""
    found: list[str] = []
    for database in databases:
        for table in await database.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'public'"):
            query = f"SELECT t::text AS said FROM {table['tablename']} AS t"
            found += [row["said"] for row in await database.fetch(query)]
    return found


def in_export(folder: Path) -> list[str]:
    """Every row of every file of an export."""
    return [repr(parquet.ParquetFile(path).read().to_pylist()) for path in sorted(folder.rglob("*.parquet"))]


def in_files(folders: Iterable[Path], but: Path) -> Iterator[tuple[Path, bytes]]:
    """Every file below some folders, without what is below one; Kafka's indexes have numbers only, and many."""
    for path in sorted(path for folder in folders for path in folder.rglob("*")):
        if path.is_file() and not path.is_relative_to(but) and path.suffix not in (".index", ".timeindex"):
            with suppress(FileNotFoundError):  # a server's own, of a moment ago
                yield path, path.read_bytes()


def words_in(files: Iterable[tuple[Path, bytes]], *several: Told) -> list[dict[str, Path]]:
    """For each of several people, the first file in which each of their words is."""
    found: list[dict[str, Path]] = [{} for _ in several]
    for path, content in files:
        for said, known in zip(several, found, strict=True):
            for name, word in said._asdict().items():
                if name not in known and word.encode() in content:
                    known[name] = path
    return found


def without(row: dict[str, Any], *names: str) -> dict[str, Any]:
    """A row without some of its columns."""
    return {name: value for name, value in row.items() if name not in names}
