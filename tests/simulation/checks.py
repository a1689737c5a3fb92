"""Checks are what must hold when all is quiet: the laws of every saga, and all that is derived from the log."""

from collections import Counter
from collections.abc import Iterator
from typing import Any, Protocol

import msgspec

from aggregates.repository import Entity, Handled, Repository
from events import topics
from events.envelope import CLIENT, Envelope
from events.fence import Fence, Verdict
from events.log import Place, Record
from events.registry import event_codec
from events.topics import PARTITIONS
from projections.registry import PROJECTIONS
from projections.view import Projection
from tests.scenarios import laws
from tests.scenarios.read_models import word_of
from tests.scenarios.shop import CONTEXT_OF
from tests.simulation.answers import Answered
from tests.simulation.broker import Broker
from tests.simulation.node import Node
from tests.simulation.tables import Row, Tables
from workers.hotset import HotSet, decoded
from workers.writer import Tenure


class Quiet(Protocol):
    """A town in which nothing happens any more."""

    facts: laws.Facts
    answered: list[Answered]
    broker: Broker
    names: tuple[str, ...]
    nodes: dict[str, Node]
    tables: dict[str, Tables]
    poison: list[tuple[Place, int]]


def check(town: Quiet) -> None:
    """All of them.

    Raises:
        AssertionError: the first that does not hold.
    """
    laws.check(town.facts)
    for check in CHECKS:
        check(town)


def effective(town: Quiet, context: str, p: int) -> Iterator[tuple[Record, Envelope]]:
    """What counts in one partition of a context's events."""
    place = Place(topics.events(context), p)
    fence = Fence()
    for record in town.broker.log.records[place]:
        if fence.judge(record.offset, record.headers) is Verdict.EFFECTIVE:
            yield record, Envelope.read(record.headers)


def every_view_is_the_fold_of_its_log(town: Quiet) -> None:
    for context in town.names:
        for projection in PROJECTIONS[context]:
            expected = _projected(town, context, projection)
            found = town.tables[context].views[projection.name]
            assert found.keys() == expected.keys(), (projection.name, sorted(found.keys() ^ expected.keys()))
            for key, row in expected.items():
                assert found[key] == row, f"{projection.name} {key}: {found[key]} should be {row}"


def _projected(town: Quiet, context: str, projection: Projection) -> dict[str, Row]:
    rows: dict[str, Row] = {}
    for p in range(PARTITIONS):
        for record, envelope in effective(town, context, p):
            event = event_codec.decode(envelope.type, record.value)
            if not (envelope.version and (key := projection.key_of(event))):
                continue
            view = projection.project(rows[key].view if key in rows else None, event, envelope.at)
            if view is not None:
                rows[key] = Row(view, envelope.version, p, record.offset)
    return rows


def every_checkpoint_is_at_the_head_and_every_event_in_the_history(town: Quiet) -> None:
    for context in town.names:
        tables = town.tables[context]
        for p in range(PARTITIONS):
            head = len(town.broker.log.records[Place(topics.events(context), p)])
            assert tables.checkpoints[p]["next"] == head, f"{context}/{p}: {tables.checkpoints[p]}, the head is {head}"
            ids = [(p, record.offset, envelope.id) for record, envelope in effective(town, context, p)]
            rows = [(q, position, row["id"]) for (q, position), row in tables.rows["history"].items() if q == p]
            assert sorted(rows) == ids, f"history of {context}/{p}"


def every_client_is_told_what_became_of_his_command(town: Quiet) -> None:
    rows = [row for tables in town.tables.values() for row in tables.rows["outcomes"].items()]
    told = {key: row["status"] for (key, _), row in sorted(rows, key=lambda each: each[0])}
    outcomes = town.facts.chronicle.outcomes
    for command_id, command in town.facts.sent.items():
        first = outcomes[command_id][0]
        assert first.envelope.origin == CLIENT, command
        expected = word_of(town.facts.chronicle, command_id)
        assert told.get(command_id) == expected, f"{command_id}: {told.get(command_id)}, not {expected}"
    assert CONTEXT_OF


def every_commit_that_an_owner_was_told_of_counts(town: Quiet) -> None:
    counts = {
        Place(topics.events(context), p): {record.offset for record, _ in effective(town, context, p)}
        for context in town.names
        for p in range(PARTITIONS)
    }
    for commit in town.answered:
        offsets = range(commit.base, commit.base + commit.records)
        assert counts[commit.place].issuperset(offsets), f"{commit} does not"


def every_owner_knows_what_the_log_says(town: Quiet) -> None:
    for node in town.nodes.values():
        for context in node.contexts.values():
            for tenure in context.writer.tenures.values():
                _knows(town, tenure)


def _knows(town: Quiet, tenure: Tenure) -> None:
    place = tenure.owner.place
    if town.facts.chronicle.fences[place].writer != tenure.owner.writer:
        return  # it was one, and has nothing to do that would tell it
    truth, known = town.facts.chronicle.repositories[place], tenure.repository
    assert _handled(known.handled) == _handled(truth.handled), f"{place}: {known.handled}, not {truth.handled}"
    for stream, entity in known.entities.items():
        expected = truth.entities.get(stream) or Entity(truth.decider.initial_of(stream))
        assert entity == expected, f"{stream}: {entity} should be {expected}"


def _handled(handled: Handled) -> tuple[int, dict[str, tuple[int, int]]]:
    return handled.position, {source: (place[0], place[1]) for source, place in handled.origins.items()}


def every_snapshot_is_the_fold_up_to_its_resume_point(town: Quiet) -> None:
    for context in town.names:
        tables = town.tables[context]
        for p, (point, aggregates) in tables.points.items():
            rows = {stream: entity for stream, (q, entity, _) in tables.snapshots.items() if q == p}
            if len(rows) != aggregates:
                continue  # spoiled, and known to be
            repository = Repository(town.facts.chronicle.repositories[Place(topics.events(context), p)].decider)
            for record, _ in effective(town, context, p):
                if record.offset < point.next:
                    repository.fold(record)
            hot = HotSet(repository.decider, p, None)
            found = {stream: decoded(hot._decider, stream, entity) for stream, entity in rows.items() if entity != "[]"}
            for stream, entity in found.items():
                expected = repository.entities.get(stream) or Entity(repository.decider.initial_of(stream))
                assert entity == expected, f"{context}/{p}: {entity} should be {expected} at {point.next}"
            assert msgspec.json.decode(point.handled, type=Handled) == repository.handled, f"{context}/{p}: {point}"


def every_dead_letter_is_poison_and_all_poison_a_dead_letter(town: Quiet) -> None:
    parked: Counter[tuple[Place, int]] = Counter(
        (Place(event.topic, event.partition), event.offset) for event in town.facts.chronicle.parked
    )
    assert parked == Counter(town.poison), f"parked {parked}, poison {town.poison}"


CHECKS: tuple[Any, ...] = (
    every_view_is_the_fold_of_its_log,
    every_checkpoint_is_at_the_head_and_every_event_in_the_history,
    every_client_is_told_what_became_of_his_command,
    every_commit_that_an_owner_was_told_of_counts,
    every_owner_knows_what_the_log_says,
    every_snapshot_is_the_fold_up_to_its_resume_point,
    every_dead_letter_is_poison_and_all_poison_a_dead_letter,
)
