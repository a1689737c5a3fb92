"""A story is put in order, and says of each step what it follows from, from records alone."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from xml.etree import ElementTree

import pytest

from events.envelope import CLIENT, Envelope
from events.event import Event
from events.letter import LetterParked, LetterRetried
from events.log import Place, Record
from events.outcome import CommandRejected
from events.registry import command_codec, event_codec
from tests.builders.order import confirmed, place, placed, rejected
from tests.builders.values import A
from workers.analyst.drawing import draw
from workers.analyst.spans import span
from workers.analyst.story import Lying, Step, causes, steps, together

BEGIN = datetime(2017, 1, 1, 12, tzinfo=UTC)
COMMANDS, EVENTS = Place("order.commands", 1), Place("order.events", 1)


def told(ms: int, message: str, cause: str, tag: str, body: bytes, stream: str, version: int = 0) -> Record:
    time = (BEGIN + timedelta(milliseconds=ms)).isoformat()
    claim = {"version": version, "epoch": 1, "writer": "w"} if message != cause else {}
    envelope = Envelope(message, tag, "order", time, stream, "request", cause, CLIENT, position=0, **claim)  # type: ignore[arg-type]
    return Record(ms, stream.encode(), body, dict(envelope.headers()), 0)


def asked(ms: int = 0) -> Lying:
    command = place()
    return COMMANDS, told(ms, "ask", "ask", command.tag, command_codec.encode(command), command.stream)


def happened(ms: int, message: str, cause: str, event: Event, version: int = 0) -> Lying:
    return EVENTS, told(ms, message, cause, event.tag, event_codec.encode(event), event.stream, version)


def kinds(story: Sequence[Step]) -> list[tuple[str, str]]:
    return [(step.kind, step.type) for step in story]


def test_a_command_that_nobody_has_answered_says_so() -> None:
    [step] = steps([], [asked()])
    assert step.says.startswith("no answer is recorded yet")


def test_what_reactions_asked_comes_right_after_what_they_heard() -> None:
    story = steps([happened(8, "placed", "ask", placed(), 1), happened(300, "no", "x", rejected(), 2)], [asked()])
    assert kinds(story)[:3] == [
        ("command", "order.place"),
        ("event", "order.placed.v1"),
        ("command", "product.reserve_stock"),
    ]
    assert [step.number for step in story] == list(range(1, len(story) + 1))
    assert story[1].after == timedelta(milliseconds=8)
    assert causes(story)[story[2].id] == "placed"
    reserve = [group for group in together(story) if group[0].type == "product.reserve_stock"]
    assert [len(group) for group in reserve] == [2]


def test_rejections_and_attempts_are_told_as_such() -> None:
    no = CommandRejected(about=f"order-{A}", code="OrderSettled", detail="it has been delivered")
    parked = LetterParked(
        about=f"order-{A}", letter="l", consumer="order.writer", type="order.place", message="m", subject="s",
        topic="order.commands", partition=1, offset=3, reason="KeyError", key="", value="", attempts=2, behind="",
        blocks=True,
    )  # fmt: skip
    retried = LetterRetried(
        about=f"order-{A}", letter="l", attempts=3, became="accepted", code="", detail="", command=""
    )
    story = steps([happened(n, f"e{n}", "ask", event) for n, event in enumerate((no, parked, retried), 1)], [asked()])
    assert [step.kind for step in story] == ["command", "rejection", "attempt", "attempt"]
    assert [step.says for step in story[1:]] == [
        "OrderSettled, it has been delivered", "attempt 2: KeyError", "attempt 3: accepted"]  # fmt: skip


def test_what_cannot_be_read_is_left_out_or_told_as_unreadable() -> None:
    strange = EVENTS, Record(1, b"k", b"{", {"ce_id": b"x"}, 0)
    broken = EVENTS, told(2, "e", "ask", "order.placed.v1", b"{", f"order-{A}", 1)
    [command, event] = steps([strange, broken], [asked()])
    assert (command.type, event.says) == ("order.place", "cannot be read")


def test_a_drawing_is_xml_whatever_a_stranger_writes() -> None:
    odd = CommandRejected(about="order-\x1b[31m<&>", code="a", detail="\x00]]>")
    story = steps([happened(5, "e", "ask", odd), happened(3000, "f", "e", confirmed(), 2)], [asked()])
    drawn = ElementTree.fromstring(draw(story, "a < b & \x07"))
    assert drawn.tag.endswith("svg")


@pytest.mark.parametrize(
    ("seconds", "says"),
    [(0, "0 ms"), (0.0124, "12 ms"), (3.44, "3.4 s"), (310, "5 min 10 s"), (7260, "2 h 1 min"), (259_200, "3 d 0 h")],
)
def test_durations_are_told_as_people_do(seconds: float, says: str) -> None:
    assert span(timedelta(seconds=seconds)) == says
