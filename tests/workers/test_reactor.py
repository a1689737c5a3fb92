"""What a reaction sends follows from the event alone, and what cannot be understood is asked to be parked."""

from events.envelope import Envelope
from events.event import Event
from events.log import Draft, Place, Record
from events.registry import command_codec, event_codec
from events.topics import MAX_BATCH_BYTES, partition_of
from schemas.order import ConfirmOrder
from schemas.parking import ParkEvent, ParkRecord
from schemas.values import Command
from tests.builders import order, payment
from tests.builders.values import NOON, A
from workers.order import confirm_when_authorized
from workers.policy import Reaction, on
from workers.product import reserve_when_placed
from workers.reacting import asked_by, draft_of, reaction_of
from workers.reactor import batches

PLACE = Place("payment.events", 2)
AUTHORIZED, PLACED = payment.authorized(), order.placed()


def record(event: Event, body: bytes | None = None) -> Record:
    """An event as it lies in the log, at offset 41."""
    envelope = Envelope(
        id="1b000000-0000-4000-8000-00000000000b",
        type=event.tag,
        source="payment",
        time=NOON.isoformat(),
        subject=event.stream,
        correlation="the request",
        causation="the command",
        origin="client",
        traceparent="00-trace-span-01",
        version=2,
        epoch=1,
        writer="w",
    )
    value = event_codec.encode(event) if body is None else body
    return Record(41, event.stream.encode(), value, dict(envelope.headers()), 0)


def sent(context: str, event: Record, reaction: Reaction) -> list[tuple[int, Draft]]:
    return [(one.partition, draft_of(one)) for one in asked_by(context, PLACE, event, reaction)]


def test_a_command_names_its_cause_its_origin_and_the_request_that_began_it_all() -> None:
    [(partition, draft)] = sent("order", record(AUTHORIZED), on(type(AUTHORIZED), confirm_when_authorized))
    envelope = Envelope.read(dict(draft.headers))
    assert (envelope.causation, envelope.correlation) == ("1b000000-0000-4000-8000-00000000000b", "the request")
    assert (envelope.origin, envelope.traceparent) == ("payment.events/2/41/0", "00-trace-span-01")
    assert (partition, draft.key) == (partition_of(f"order-{A}"), f"order-{A}")
    assert command_codec.decode(envelope.type, draft.value) == ConfirmOrder(order_id=A)


def test_reacting_again_sends_the_very_same_again() -> None:
    table = on(type(PLACED), reserve_when_placed)
    first, again = (sent("product", record(PLACED), table) for _ in range(2))
    assert first == again
    ids = [dict(draft.headers)["ce_id"] for _, draft in first]
    assert len(set(ids)) == len(ids) == 2


def test_a_question_for_a_shelf_goes_to_that_shelf() -> None:
    table = on(type(PLACED), reserve_when_placed)
    assert [p for p, _ in sent("product", record(PLACED), table)] == [0, 1]


def test_what_cannot_be_decoded_is_asked_to_be_parked_where_it_lies() -> None:
    table = on(type(AUTHORIZED), confirm_when_authorized)
    _, [asked] = reaction_of("order", PLACE, record(AUTHORIZED, b"{}"), table)
    assert isinstance(asked, ParkEvent)
    assert (asked.topic, asked.partition, asked.offset) == ("payment.events", 2, 41)
    assert (asked.stream, asked.shelf) == (f"order-hears-payment-{A}", 2)
    assert "order_id: Field required" in asked.reason


def test_a_record_whose_headers_cannot_be_read_is_asked_to_be_parked_too() -> None:
    table = on(type(AUTHORIZED), confirm_when_authorized)
    nameless = record(AUTHORIZED)._replace(headers={"ce_type": AUTHORIZED.tag.encode()})
    [(_, draft)] = sent("order", nameless, table)
    envelope = Envelope.read(dict(draft.headers))
    asked = command_codec.decode(envelope.type, draft.value)
    assert isinstance(asked, ParkRecord)
    assert (asked.topic, asked.partition, asked.offset) == ("payment.events", 2, 41)
    assert (envelope.origin, "'ce_id' is missing" in asked.reason) == ("payment.events/2/41/0", True)


def test_a_bug_in_a_reaction_is_asked_to_be_parked() -> None:
    def confirm_with_a_bug(event: Event) -> list[Command]:
        raise ZeroDivisionError(event.tag)

    _, [asked] = reaction_of("order", PLACE, record(AUTHORIZED), on(type(AUTHORIZED), confirm_with_a_bug))
    assert isinstance(asked, ParkEvent)
    assert "ZeroDivisionError" in asked.reason


def test_many_commands_are_cut_into_batches_that_fit_and_keep_their_order() -> None:
    drafts = [Draft(str(n), b"x" * 90_000, []) for n in range(20)]
    cut = list(batches(drafts))
    assert [draft for batch in cut for draft in batch] == drafts
    assert all(sum(draft.size() for draft in batch) <= MAX_BATCH_BYTES for batch in cut)


def test_a_command_too_large_to_share_a_batch_goes_alone() -> None:
    large = Draft("large", b"x" * 900_000, [])
    small = Draft("small", b"x", [])
    assert list(batches([small, large, small])) == [[small], [large], [small]]
    assert list(batches([])) == []
