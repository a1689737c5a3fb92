"""Writing puts records on the topics as strangers would: with their own client, and whatever bytes they like."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from aiokafka.producer import message_accumulator
from aiokafka.record import default_records
from confluent_kafka import KafkaError, Message, Producer

from events.log import Place
from tests.attacks.records import Poison

Written = list[tuple[Place, int, Poison]]
"""Where each record lies."""


def write(bootstrap: str, records: Iterable[tuple[Place, Poison]], **options: Any) -> Written:
    """Write the records, in order per place, and return their offsets; `options` are the producer's.

    Raises:
        AssertionError: the broker did not take one.
    """
    producer = Producer({"bootstrap.servers": bootstrap, "message.max.bytes": 1_090_000, "linger.ms": 5, **options})
    written: Written = []
    refused: list[KafkaError] = []

    for place, poison in records:

        def delivered(
            error: KafkaError | None, message: Message, place: Place = place, poison: Poison = poison
        ) -> None:
            if error is not None:
                refused.append(error)
            else:
                written.append((place, message.offset() or 0, poison))

        while True:
            try:
                producer.produce(
                    place.topic, poison.value, poison.key, place.partition, delivered, headers=[*poison.headers]
                )
                break
            except BufferError:
                producer.poll(0.1)
        producer.poll(0)
    producer.flush(60)
    assert not refused, refused[0]
    return written


class Noise(str):
    """A header's name that becomes bytes that are no text, as clients in other languages can write it."""

    __slots__ = ()

    def encode(self, *_: str) -> bytes:
        return b"\xff\xfe"


@contextmanager
def any_names() -> Iterator[None]:
    """Our own producer writes any name that a header has."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(message_accumulator, "DefaultRecordBatchBuilder", default_records._DefaultRecordBatchBuilderPy)
        yield
