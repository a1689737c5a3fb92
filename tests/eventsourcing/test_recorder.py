"""A recorder on the log keeps what the library's own recorder in memory keeps, and survives rivals and rebuilds."""

import random
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from uuid import UUID, uuid4

import pytest
from eventsourcing.persistence import (
    DataError,
    IntegrityError,
    InterfaceError,
    NotSupportedError,
    StoredEvent,
    Tracking,
)
from eventsourcing.popo import POPOApplicationRecorder

from events.envelope import Envelope
from events.fenced import claim_draft
from events.log import Draft, Record, scan
from events.recorder import KafkaApplicationRecorder
from tests.eventsourcing.ground import Ground, stored

Story = list[tuple[int, UUID | str, int, bytes]]


def test_a_rebuild_gives_identical_ids(ground: Ground) -> None:
    first = ground.recorder()
    ids = [first.insert_events([stored(uuid4(), version) for version in range(1, 4)]) for _ in range(5)]
    again = ground.recorder(first.place)
    assert story(again) == story(first)
    assert [entry[0] for entry in story(again)] == [id_ for of_one in ids for id_ in of_one or ()]


def test_what_a_stale_writer_appends_is_no_notification(ground: Ground) -> None:
    recorder, thing = ground.recorder(), uuid4()
    recorder.insert_events([stored(thing, 1)])
    stale = stale_draft(recorder, stored(thing, 2, b"stale"))
    rival = ground.recorder(recorder.place)
    rival.insert_events([stored(thing, 2, b"rival")])
    append(ground, recorder, stale)
    for reader in (recorder, rival, ground.recorder(recorder.place)):
        assert states(reader.select_events(thing)) == [b"{}", b"rival"]
        assert len(story(reader)) == 2


def test_an_insert_of_a_superseded_writer_takes_effect_once(ground: Ground) -> None:
    recorder, thing = ground.recorder(), uuid4()
    recorder.insert_events([stored(uuid4(), 1)])
    ground.recorder(recorder.place).insert_events([stored(uuid4(), 1)])
    ids = recorder.insert_events([stored(thing, 1), stored(thing, 2)])
    assert [entry[:3] for entry in story(recorder)[2:]] == [
        (id_, thing, v) for id_, v in zip(ids or (), (1, 2), strict=True)
    ]
    assert story(ground.recorder(recorder.place)) == story(recorder)


def test_two_writers_cannot_both_record_a_version(ground: Ground) -> None:
    one, thing = ground.recorder(), uuid4()
    one.insert_events([stored(thing, 1)])
    other = ground.recorder(one.place)
    other.insert_events([stored(thing, 2, b"other")])
    with pytest.raises(IntegrityError):
        one.insert_events([stored(thing, 2, b"one")])
    assert states(one.select_events(thing)) == [b"{}", b"other"]


def test_a_writer_that_has_read_of_a_rivals_claim_does_not_write_in_its_name(ground: Ground) -> None:
    recorder, rival = rivals(ground)
    recorder.insert_events([stored(uuid4(), 1)])
    rival.insert_events([stored(uuid4(), 1)])
    assert recorder.max_notification_id() == rival.max_notification_id()
    recorder.insert_events([stored(uuid4(), 1)])
    writers = [record.headers["writer"] for record in raw(ground, recorder)]
    assert len(set(writers)) == 3  # a claim and an event each
    assert writers == [writer for writer in dict.fromkeys(writers) for _ in range(2)]


def test_an_insert_that_an_ineffective_record_disturbed_is_not_written_twice(ground: Ground) -> None:
    recorder, thing = ground.recorder(), uuid4()
    recorder.insert_events([stored(thing, 1)])
    append(ground, recorder, claim_draft(recorder.place, 0, "too low to take effect"))
    recorder.insert_events([stored(thing, 2)])
    assert [event.originator_version for event in recorder.select_events(thing)] == [1, 2]
    assert len(story(ground.recorder(recorder.place))) == 2


def test_a_subscription_hears_of_other_writers_events(ground: Ground) -> None:
    (recorder, rival), thing = rivals(ground), uuid4()
    with recorder.subscribe() as subscription:
        ids = rival.insert_events([stored(thing, 1), stored(thing, 2)]) or ()
        assert [next(subscription).id, next(subscription).id] == list(ids)


def test_random_inserts_leave_the_same_as_in_the_librarys_own_recorder(ground: Ground) -> None:
    ours, theirs = ground.recorder(), POPOApplicationRecorder()
    chance = random.Random(11)
    things = [uuid4() for _ in range(5)]
    for _ in range(150):
        commit = [
            stored(chance.choice(things), chance.randrange(40), b"%d" % chance.randrange(9))
            for _ in range(chance.randrange(1, 4))
        ]
        assert outcome(ours, commit) == outcome(theirs, commit)
    assert [entry[1:] for entry in story(ours)] == [entry[1:] for entry in story(theirs)]
    for thing in things:
        by_version = sorted(theirs.select_events(thing), key=lambda event: event.originator_version)
        assert ours.select_events(thing) == by_version
        assert ours.select_events(thing, gt=9, lte=30) == [e for e in by_version if 9 < e.originator_version <= 30]


def test_a_read_only_recorder_reads_and_refuses_to_write(ground: Ground) -> None:
    writer, thing = ground.recorder(), uuid4()
    reader = ground.recorder(writer.place, read_only=True)
    assert reader.max_notification_id() is None
    ids = writer.insert_events([stored(thing, 1)]) or ()
    assert reader.max_notification_id() == ids[0]
    with pytest.raises(NotSupportedError):
        reader.insert_events([stored(thing, 2)])
    assert len(story(writer)) == 1


def test_what_cannot_be_one_write_is_refused_and_nothing_is_written(ground: Ground) -> None:
    recorder = ground.recorder()
    with pytest.raises(NotSupportedError):
        recorder.insert_events([stored(uuid4(), 1)], tracking=Tracking("upstream", 1))
    with pytest.raises(DataError):
        recorder.insert_events([stored(uuid4(), 1, b"x" * 600_000), stored(uuid4(), 1, b"x" * 600_000)])
    assert story(recorder) == []
    recorder.insert_events([stored(uuid4(), 1)])


def test_a_closed_log_says_so(ground: Ground) -> None:
    recorder = ground.recorder()
    recorder.insert_events([stored(uuid4(), 1)])
    ground.close()
    with pytest.raises(InterfaceError):
        recorder.max_notification_id()


def test_whoever_waits_for_an_answer_is_told_when_the_log_is_closed(ground: Ground) -> None:
    recorder = ground.recorder()
    with ThreadPoolExecutor() as threads:
        asking = [threads.submit(ask_for_ever, recorder) for _ in range(4)]
        recorder.insert_events([stored(uuid4(), 1)])
        ground.close()
        assert [type(future.exception(timeout=10)) for future in asking] == [InterfaceError] * 4


def ask_for_ever(recorder: KafkaApplicationRecorder) -> None:
    while True:
        recorder.max_notification_id()


def rivals(ground: Ground) -> tuple[KafkaApplicationRecorder, KafkaApplicationRecorder]:
    recorder = ground.recorder()
    return recorder, ground.recorder(recorder.place)


def story(recorder: KafkaApplicationRecorder | POPOApplicationRecorder) -> Story:
    return [
        (found.id, found.originator_id, found.originator_version, found.state)
        for found in recorder.select_notifications(None, 10_000)
    ]


def states(found: Sequence[StoredEvent]) -> list[bytes]:
    return [event.state for event in found]


def outcome(recorder: KafkaApplicationRecorder | POPOApplicationRecorder, commit: list[StoredEvent]) -> str:
    try:
        recorder.insert_events(commit)
    except IntegrityError:
        return "refused"
    return "written"


def stale_draft(recorder: KafkaApplicationRecorder, event: StoredEvent) -> Draft:
    """What the recorder would append as the owner that it is now."""
    owner = recorder._owner
    assert owner is not None
    (envelope, body), *_ = recorder._commit([event], str(uuid4()), owner)
    assert isinstance(envelope, Envelope)
    return Draft(envelope.subject, body, envelope.headers())


def append(ground: Ground, recorder: KafkaApplicationRecorder, draft: Draft) -> None:
    bridge = ground.bridge()
    bridge.run(bridge.log.append(recorder.place, [draft]))


def raw(ground: Ground, recorder: KafkaApplicationRecorder) -> list[Record]:
    """Every record of the partition, whether it counts or not."""
    bridge = ground.bridge()

    async def read() -> list[Record]:
        first, end = await bridge.log.bounds(recorder.place)
        return [record async for records in scan(bridge.log, recorder.place, first, end) for record in records]

    return bridge.run(read())
