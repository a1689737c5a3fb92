"""Application is history at one's fingertips: the state of any aggregate at any version, read from the log.

It reads `<context>.events` through the `eventsourcing` library and writes nothing. For tools, tests and analysts; the
writers have repositories of their own. The library's `Application` reads the same partitions, given `environment`.
"""

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from eventsourcing.application import Repository
from eventsourcing.persistence import EventStore, JSONTranscoder

from aggregates import notification, order, payment, reservation, user
from aggregates.decider import Decider
from events.bridge import Bridge
from events.log import Log, Place
from events.mapper import PydanticMapper, Recorded
from events.recorder import KafkaApplicationRecorder
from events.topics import events, partition_of

_NEVER = timedelta()
DECIDERS = (
    order.DECIDER,
    reservation.decider(hold=_NEVER),
    payment.decider(overdue=_NEVER),
    user.DECIDER,
    notification.DECIDER,
)
"""Rules to fold by; nothing is decided here, so deadlines do not matter."""

_BY_CONTEXT: dict[str, Decider] = {decider.context: decider for decider in DECIDERS}


def environment(bootstrap: str, context: str, partition: int) -> dict[str, str]:
    """The variables by which the library's `Application[str]` reads one partition of a context."""
    return {
        "PERSISTENCE_MODULE": "events.recorder",
        "MAPPER_TOPIC": "events.mapper:PydanticMapper",
        "ORIGINATOR_ID_TYPE": "text",
        "KAFKA_BOOTSTRAP": bootstrap,
        "KAFKA_TOPIC": events(context),
        "KAFKA_PARTITION": str(partition),
        "KAFKA_READ_ONLY": "y",
    }


class History:
    """Every context's past. Partitions are read when first asked for and followed from then on; close it."""

    def __init__(self, log: Log) -> None:
        self._bridge = Bridge(log)
        self._recorders: dict[Place, KafkaApplicationRecorder] = {}

    def state_of(self, context: str, stream: str, version: int | None = None) -> Any:
        """The state of a stream after `version` (None: now; above the newest: the newest).

        Raises:
            AggregateNotFoundError: nothing has happened to it, or not by that version.
        """
        repository = Repository[str](self._store(context, stream))
        return repository.get(stream, version=version, projector_func=projector(_BY_CONTEXT[context], stream))

    def events_of(self, context: str, stream: str, after: int | None = None) -> list[Recorded]:
        """What happened to a stream, in order, above a version."""
        return list(self._store(context, stream).get(stream, gt=after))  # type: ignore[arg-type]

    def recorder(self, context: str, partition: int) -> KafkaApplicationRecorder:
        """One partition as the library's application sequence, outcomes of commands included; read only."""
        place = Place(events(context), partition)
        if place not in self._recorders:
            self._recorders[place] = KafkaApplicationRecorder(self._bridge, place, read_only=True, originator_id=str)
        return self._recorders[place]

    def close(self) -> None:
        """Let go of the log."""
        self._bridge.close()

    def __enter__(self) -> "History":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _store(self, context: str, stream: str) -> EventStore[str]:
        return EventStore(PydanticMapper(JSONTranscoder()), self.recorder(context, place_of(stream)))


def place_of(stream: str) -> int:
    """The partition where a stream lives: reservations live with their stock, and say where."""
    kind, _, name = stream.partition("-")
    return int(name.partition("-")[0]) if kind == "reservation" else partition_of(stream)


def projector(decider: Decider, stream: str) -> Any:
    """The library's projector function for a stream: our initial and evolve."""

    def project(state: Any, happened: Iterable[Recorded]) -> Any:
        for recorded in happened:
            state = decider.evolve(decider.initial_of(stream) if state is None else state, recorded.event)
        return state

    return project
