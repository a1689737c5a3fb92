"""Recorder lets the `eventsourcing` library stand on the log: one partition is one application sequence.

A notification's id is its record's offset + 1, so that a rebuild gives the same ids; claims and what stale writers
wrote take offsets too, so ids ascend with gaps, as the library allows. Kafka cannot refuse a version that exists
already: the index can, for it is the fold of everything that counts, and an append that it did not foresee is fenced
(docs/fenced-log.md). Every select first reads the partition to its end. The index keeps the partition's events in
memory: this is for tools, tests and replay, not for the hot path.
"""

import asyncio
import logging
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from datetime import UTC, datetime
from threading import Event
from typing import Any, TypeVar
from uuid import UUID, uuid4

from eventsourcing.persistence import (
    AggregateRecorder,
    ApplicationRecorder,
    InfrastructureFactory,
    InfrastructureFactoryError,
    IntegrityError,
    ListenNotifySubscription,
    Notification,
    NotSupportedError,
    ProcessRecorder,
    StoredEvent,
    TrackingRecorder,
)
from eventsourcing.popo import POPOTrackingRecorder
from eventsourcing.utils import Environment, EnvType, resolve_topic, strtobool

from events.bridge import Bridge
from events.envelope import Envelope
from events.errors import Fenced, LogError
from events.fence import Fence, Verdict
from events.fenced import Owner, catch_up, claim
from events.ids import derive
from events.kafka import KafkaLog, create_topics
from events.log import Log, Place, Record
from events.registry import OUTCOMES
from events.topics import Topic

logger = logging.getLogger(__name__)
T = TypeVar("T")
OriginatorId = UUID | str

ATTEMPTS = 10
"""How often one insert claims the partition again before it gives up."""

_UNVERSIONED = frozenset(cls.tag for cls in OUTCOMES)


class _Index:
    """The events that count: in the order of the partition, and by stream and version."""

    def __init__(self) -> None:
        self.ids: list[int] = []
        self.events: list[StoredEvent] = []
        self.streams: dict[str, dict[int, StoredEvent]] = defaultdict(dict)

    def add(self, offset: int, event: StoredEvent) -> None:
        self.ids.append(offset + 1)
        self.events.append(event)
        if event.topic not in _UNVERSIONED:
            self.streams[str(event.originator_id)][event.originator_version] = event

    def refuse_known(self, events: Sequence[StoredEvent]) -> None:
        fresh = set()
        for event in events:
            stream, version = str(event.originator_id), event.originator_version
            if (stream, version) in fresh or version in self.streams.get(stream, ()):
                raise IntegrityError(f"{stream} has a version {version} already")
            fresh.add((stream, version))

    def select(self, stream: str, fits: Callable[[int], bool], desc: bool, limit: int | None) -> list[StoredEvent]:
        held = self.streams.get(stream, {})
        versions = sorted(filter(fits, held), reverse=desc)
        return [held[version] for version in versions[:limit]]

    def notifications(self, start: int, stop: int | None, limit: int, topics: Sequence[str]) -> list[Notification]:
        found: list[Notification] = []
        for place in range(bisect_left(self.ids, start), len(self.ids)):
            if len(found) == limit or (stop is not None and self.ids[place] > stop):
                break
            event = self.events[place]
            if not topics or event.topic in topics:
                found.append(Notification(**vars(event), id=self.ids[place]))
        return found


class KafkaAggregateRecorder(AggregateRecorder):
    """One partition as aggregates' sequences.

    claims: own the partition before the first insert. Without claims nobody is fenced, and only a writer that
    appends between two of ours is noticed; a partition is written either way for all its life.
    read_only: refuse inserts, as one must on the project's own topics, whose writers are elsewhere.
    originator_id: the type of ids, which are text on the wire.
    """

    def __init__(
        self,
        bridge: Bridge,
        place: Place,
        *,
        claims: bool = True,
        read_only: bool = False,
        originator_id: type[UUID] | type[str] = UUID,
    ) -> None:
        self.place = place
        self._bridge, self._log, self._claims, self._read_only = bridge, bridge.log, claims, read_only
        self._originator_id = originator_id
        self._fence = Fence() if claims else Fence(epoch=1, writer="unclaimed")
        self._index = _Index()
        self._lock = asyncio.Lock()
        self._owner: Owner | None = None
        self._writer = ""
        self._commit_id, self._landed = b"", -1

    def insert_events(self, stored_events: Sequence[StoredEvent], **kwargs: Any) -> Sequence[int] | None:
        """Write all or nothing, as one batch.

        Raises:
            IntegrityError: a version exists already; nothing was written.
            DataError: too much for one batch; nothing was written.
            OperationalError: the log cannot be reached, or others claim the partition again and again; whether it
                was written will be seen when the log is back.
            NotSupportedError: read only, or a position was to be written along.
        """
        self._insert_events(stored_events, **kwargs)
        return None

    def select_events(
        self,
        originator_id: OriginatorId,
        *,
        gt: int | None = None,
        lte: int | None = None,
        desc: bool = False,
        limit: int | None = None,
    ) -> Sequence[StoredEvent]:
        """The events of a stream with versions above `gt`, up to `lte`."""
        self._bridge.run(self._refresh())
        stream = str(originator_id)

        def fits(version: int) -> bool:
            return (gt is None or version > gt) and (lte is None or version <= lte)

        return self._query(lambda: self._index.select(stream, fits, desc, limit))

    def _query(self, question: Callable[[], T]) -> T:
        async def ask() -> T:
            return question()

        return self._bridge.run(ask())

    def _insert_events(self, stored_events: Sequence[StoredEvent], tracking: object = None, **_: Any) -> list[int]:
        if self._read_only:
            raise NotSupportedError(f"{self.place} is read only: its events come from its own writer")
        if tracking is not None:
            raise NotSupportedError("positions are kept beside the views, not in the log")
        if not stored_events:
            return []
        base = self._bridge.run(self._insert(stored_events))
        return [offset + 1 for offset in range(base, base + len(stored_events))]

    async def _insert(self, events: Sequence[StoredEvent]) -> int:
        async with self._lock:
            commit_id = str(uuid4())
            self._commit_id, self._landed = commit_id.encode(), -1
            for _ in range(ATTEMPTS):
                try:
                    return await self._attempt(events, commit_id)
                except Fenced as error:
                    logger.info("claiming again: %s", error)
                    self._owner = None
            raise Fenced(f"{self.place}: claimed by others again and again")

    async def _attempt(self, events: Sequence[StoredEvent], commit_id: str) -> int:
        owner = self._owner = self._owner or await self._own()
        # A fenced attempt may have been written in time to count: then our claim has just read it, and to write
        # it again would repeat it. If it was not, it never will count: its writer id is superseded.
        if self._landed < 0:
            self._index.refuse_known(events)
            base = await owner.append(self._commit(events, commit_id, owner))
            for offset, event in enumerate(events, base):
                self._index.add(offset, event)
            self._landed = base
        self._grown()
        return self._landed

    async def _own(self) -> Owner:
        if self._claims:
            owner = await claim(self._log, self.place, self._fence, self._fold)
            self._writer = owner.writer
            return owner
        _, end = await self._log.bounds(self.place)
        await catch_up(self._log, self.place, self._fence, end, self._fold)
        return Owner(self._log, self.place, self._fence)

    def _commit(self, events: Sequence[StoredEvent], commit_id: str, owner: Owner) -> list[tuple[Envelope, bytes]]:
        now = datetime.now(UTC).isoformat()
        return [
            (
                Envelope(
                    id=derive(commit_id, str(index)),
                    type=event.topic,
                    source=self.place.topic,
                    time=now,
                    subject=str(event.originator_id),
                    correlation=commit_id,
                    causation=commit_id,
                    origin="recorder",
                    version=event.originator_version,
                    epoch=owner.epoch,
                    writer=owner.writer,
                ),
                event.state,
            )
            for index, event in enumerate(events)
        ]

    def _fold(self, record: Record) -> None:
        headers = record.headers
        if self._landed < 0 and headers["causation"] == self._commit_id:
            self._landed = record.offset
        stream, version = headers["ce_subject"].decode(), int(headers["version"])
        event = StoredEvent(self._originator_id(stream), version, headers["ce_type"].decode(), record.value)
        self._index.add(record.offset, event)

    async def _refresh(self) -> None:
        async with self._lock:
            _, end = await self._log.bounds(self.place)
            await catch_up(self._log, self.place, self._fence, end, self._fold)
            self._disown_if_claimed()

    def _disown_if_claimed(self) -> None:
        # The fence now bears the name of whoever claimed last; to append under it would be to forge.
        if self._claims and self._fence.writer != self._writer:
            self._owner = None

    def _grown(self) -> None:
        """Something was appended."""


class KafkaApplicationRecorder(KafkaAggregateRecorder, ApplicationRecorder):
    """One partition as an application's sequence, too."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._listeners: set[Event] = set()
        self._watching: Future[None] | None = None

    def insert_events(self, stored_events: Sequence[StoredEvent], **kwargs: Any) -> Sequence[int] | None:
        """As KafkaAggregateRecorder; returns the notifications' ids."""
        return self._insert_events(stored_events, **kwargs)

    def select_notifications(
        self,
        start: int | None,
        limit: int,
        stop: int | None = None,
        topics: Sequence[str] = (),
        *,
        inclusive_of_start: bool = True,
    ) -> Sequence[Notification]:
        """Notifications from `start` up to and including `stop`, of these topics (none: all)."""
        self._bridge.run(self._refresh())
        first = (start or 0) + (0 if inclusive_of_start else 1)
        return self._query(lambda: self._index.notifications(first, stop, limit, topics))

    def max_notification_id(self) -> int | None:
        """The id of the newest notification; None if there is none."""
        self._bridge.run(self._refresh())
        return self._query(lambda: self._index.ids[-1] if self._index.ids else None)

    def subscribe(self, gt: int | None = None, topics: Sequence[str] = ()) -> "KafkaSubscription":
        """Notifications above `gt` for ever, whoever writes them."""
        return KafkaSubscription(self, gt, topics)

    def listen(self, listener: Event) -> None:
        """Set the listener whenever something is appended, here or elsewhere; the first one starts the watch."""
        self._listeners.add(listener)
        listener.set()  # for what came just before
        if self._watching is None:
            self._watching = self._bridge.start(self._watch())

    def unlisten(self, listener: Event) -> None:
        """Leave the listener alone."""
        self._listeners.discard(listener)

    def _grown(self) -> None:
        for listener in tuple(self._listeners):
            listener.set()

    async def _watch(self) -> None:
        while True:
            try:
                await self._follow()
            except LogError as error:
                logger.warning("%s is not being watched: %s", self.place, error)
            self._grown()  # a listener that asks now meets the error itself
            await asyncio.sleep(1)

    async def _follow(self) -> None:
        opening = asyncio.ensure_future(self._log.reader({self.place: self._fence.next}))
        try:
            reader = await asyncio.shield(opening)
        except asyncio.CancelledError:
            await (await opening).close()  # a reader is not to be left half open
            raise
        try:
            while True:
                for records in (await reader.batch()).values():
                    await self._take(records)
        finally:
            await reader.close()

    async def _take(self, records: list[Record]) -> None:
        async with self._lock:
            for record in records:
                # What was read before we had the lock may have been folded by others meanwhile.
                if record.offset < self._fence.next:
                    continue
                if self._fence.judge(record.offset, record.headers) is Verdict.EFFECTIVE:
                    self._fold(record)
            self._disown_if_claimed()
        self._grown()


class KafkaSubscription(ListenNotifySubscription[KafkaApplicationRecorder]):
    """Follows a partition, woken by the log itself."""

    def __init__(self, recorder: KafkaApplicationRecorder, gt: int | None, topics: Sequence[str]) -> None:
        super().__init__(recorder=recorder, gt=gt, topics=topics)
        recorder.listen(self._has_been_notified)

    def stop(self) -> None:
        """End the iteration."""
        super().stop()
        self._recorder.unlisten(self._has_been_notified)


class Factory(InfrastructureFactory[TrackingRecorder]):
    """Sets up an application on the log, by `PERSISTENCE_MODULE=events.recorder` and these variables.

    KAFKA_BOOTSTRAP: host:port. KAFKA_TOPIC, KAFKA_PARTITION (0): where the events are; other purposes, such as
    snapshots, have a topic of their own beside it. KAFKA_CLAIMS (y), KAFKA_READ_ONLY (n) and ORIGINATOR_ID_TYPE (uuid
    or text): as KafkaAggregateRecorder. CREATE_TABLE (y): create missing topics. Positions are kept in memory:
    they belong beside the views, in Postgres (projections/tracking.py), so there is no process recorder.
    """

    def __init__(self, env: Environment | EnvType | None) -> None:
        super().__init__(env)
        self._bridge: Bridge | None = None

    def aggregate_recorder(self, purpose: str = "events") -> AggregateRecorder:
        """A recorder for one purpose."""
        return self._recorder(KafkaAggregateRecorder, "" if purpose == "events" else f".{purpose}")

    def application_recorder(self) -> ApplicationRecorder:
        """The recorder of the application's events."""
        return self._recorder(KafkaApplicationRecorder, "")

    def tracking_recorder(self, tracking_recorder_class: type[TrackingRecorder] | None = None) -> TrackingRecorder:
        """Positions in memory."""
        topic = self.env.get(self.TRACKING_RECORDER_TOPIC)
        chosen = tracking_recorder_class or (resolve_topic(topic) if topic else POPOTrackingRecorder)
        return chosen()

    def process_recorder(self) -> ProcessRecorder:
        """There is none: the log and the views cannot be one write."""
        raise NotSupportedError("positions are kept beside the views, not in the log")

    def close(self) -> None:
        """Let go of the log."""
        if self._bridge is not None:
            self._bridge.close()

    def log(self) -> Log:
        """The log to stand on."""
        return KafkaLog(self._required("KAFKA_BOOTSTRAP"))

    def _recorder(self, cls: type[T], suffix: str) -> T:
        self._bridge = self._bridge or Bridge(self.log())
        place = Place(self._required("KAFKA_TOPIC") + suffix, int(self.env.get("KAFKA_PARTITION", "0")))
        read_only = self._flag("KAFKA_READ_ONLY", "n")
        if self._flag("CREATE_TABLE", "y") and not read_only and isinstance(self._bridge.log, KafkaLog):
            self._bridge.run(create_topics(self._bridge.log.bootstrap, [Topic(place.topic, -1)]))
        ids = str if self.env.get("ORIGINATOR_ID_TYPE", "uuid") == "text" else UUID
        claims = self._flag("KAFKA_CLAIMS", "y")
        return cls(self._bridge, place, claims=claims, read_only=read_only, originator_id=ids)  # type: ignore[call-arg]

    def _flag(self, name: str, default: str) -> bool:
        return strtobool(self.env.get(name, default) or default)

    def _required(self, name: str) -> str:
        value = self.env.get(name)
        if not value:
            raise InfrastructureFactoryError(f"{name} is not set")
        return value
