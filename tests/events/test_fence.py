"""Readers agree on which records count, from whatever checkpoint they begin, whoever writes whatever."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from events.fence import CLAIM, Fence, Verdict
from tests.aggregates.laws import moderately

Headers = dict[str, bytes]


def claim(epoch: int, writer: str) -> Headers:
    return {"ce_type": CLAIM.encode(), "epoch": b"%d" % epoch, "writer": writer.encode()}


def event(epoch: int, writer: str) -> Headers:
    return {**claim(epoch, writer), "ce_type": b"order.placed.v1"}


def judged(fence: Fence, *records: Headers) -> list[Verdict]:
    return [fence.judge(offset, headers) for offset, headers in enumerate(records, fence.next)]


CLAIMED, COUNTS, IGNORED = Verdict.CLAIM, Verdict.EFFECTIVE, Verdict.IGNORED


def test_events_of_the_writer_who_claimed_count() -> None:
    assert judged(Fence(), claim(1, "x"), event(1, "x"), event(1, "x")) == [CLAIMED, COUNTS, COUNTS]


def test_nothing_counts_before_the_first_claim() -> None:
    assert judged(Fence(), event(1, "x"), event(0, ""), event(0, "x")) == [IGNORED, IGNORED, IGNORED]


def test_after_a_higher_claim_a_stale_writers_events_do_not_count() -> None:
    assert judged(Fence(), claim(1, "x"), claim(2, "y"), event(1, "x"), event(2, "y")) == [
        CLAIMED,
        CLAIMED,
        IGNORED,
        COUNTS,
    ]


def test_of_two_claims_of_one_epoch_the_first_takes_effect() -> None:
    fence = Fence()
    assert judged(fence, claim(1, "x"), claim(1, "y"), event(1, "y"), event(1, "x")) == [
        CLAIMED,
        IGNORED,
        IGNORED,
        COUNTS,
    ]
    assert (fence.epoch, fence.writer, fence.next, fence.ignored) == (1, "x", 4, 2)


def test_a_late_claim_of_a_lower_epoch_does_not_take_effect() -> None:
    assert judged(Fence(5, 3, "x"), claim(2, "y"), claim(3, "y"), event(3, "x")) == [IGNORED, IGNORED, COUNTS]


def test_an_event_needs_the_epoch_and_the_writer_of_the_claim() -> None:
    assert judged(Fence(0, 2, "x"), event(2, "y"), event(1, "x"), event(3, "x")) == [IGNORED] * 3


def test_a_claim_without_a_writer_takes_no_effect() -> None:
    assert judged(Fence(), claim(1, "")) == [IGNORED]


@pytest.mark.parametrize(
    "junk",
    [
        {},
        {"epoch": b"", "writer": b"x"},
        {"epoch": b"one", "writer": b"x"},
        {"epoch": b"1", "writer": b"\xff"},
        {"epoch": b"\xff", "writer": b"x"},
        {"epoch": b"9" * 5000, "writer": b"x"},
        {"epoch": b"1.0", "writer": b"x"},
        {"ce_type": CLAIM.encode()},
    ],
)
def test_junk_on_the_topic_is_ignored_and_counted(junk: Headers) -> None:
    fence = Fence(7, 1, "x")
    assert judged(fence, junk, event(1, "x")) == [IGNORED, COUNTS]
    assert (fence.next, fence.ignored) == (9, 1)


writers = st.sampled_from(["x", "y", "z"])
epochs = st.integers(0, 4)
logs = st.lists(st.one_of(st.builds(claim, epochs, writers), st.builds(event, epochs, writers)), max_size=30)
bytes_of_any_kind = st.dictionaries(st.sampled_from(["ce_type", "epoch", "writer", "other"]), st.binary(max_size=6))


@moderately
@given(logs, st.integers(0, 30))
def test_reading_on_from_any_checkpoint_is_reading_it_all(log: list[Headers], cut: int) -> None:
    whole, parts = Fence(), Fence()
    verdicts = judged(whole, *log)
    begun = judged(parts, *log[:cut])
    resumed = replace(parts)
    assert begun + judged(resumed, *log[cut:]) == verdicts
    assert resumed == whole


@moderately
@given(logs)
def test_epochs_only_rise_and_only_the_current_claims_events_count(log: list[Headers]) -> None:
    fence = Fence()
    for headers in log:
        before = replace(fence)
        verdict = fence.judge(fence.next, headers)
        said = (int(headers["epoch"]), headers["writer"].decode())
        assert verdict is not CLAIMED or said[0] > before.epoch
        assert verdict is not COUNTS or said == (before.epoch, before.writer) == (fence.epoch, fence.writer)
        assert verdict is not IGNORED or (fence.epoch, fence.writer) == (before.epoch, before.writer)


@moderately
@given(logs, bytes_of_any_kind)
def test_bytes_of_any_kind_never_stop_a_reader(log: list[Headers], junk: Headers) -> None:
    fence = Fence()
    judged(fence, *log, junk)
    assert fence.next == len(log) + 1
