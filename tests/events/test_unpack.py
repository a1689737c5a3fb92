"""A batch read in one pass is the batch that aiokafka unpacks, whatever is in it, or it is not read in one pass."""

from collections.abc import Sequence

from aiokafka.record.default_records import _DefaultRecordBatchBuilderPy
from hypothesis import given
from hypothesis import strategies as st

from events import unpack
from events.envelope import Envelope
from events.fence import CLAIM
from events.ids import derive
from events.lenient import Whole
from events.sweep import Found
from tests.aggregates.laws import moderately

ID = derive("an", "order")
Headers = list[tuple[str, bytes | None]]
Written = tuple[bytes | None, bytes | None, Headers, int]

NAMED: Headers = [
    *Envelope(
        id=ID,
        type="order.placed.v1",
        source="order",
        time="2026-11-27T12:00:00+00:00",
        subject=f"order-{ID}",
        correlation=ID,
        causation=ID,
        origin="client",
        version=1,
        epoch=1,
        writer=ID,
        position=17,
    ).headers()
]
PLAIN: Written = (f"order-{ID}".encode(), b'{"a": "\xc3\xbc"}', NAMED, 5)


def batch(records: Sequence[Written], base: int = 0) -> bytes:
    builder = _DefaultRecordBatchBuilderPy(2, 0, False, -1, -1, -1, 1 << 22)
    for offset, (key, value, headers, timestamp) in enumerate(records):
        builder.append(offset, timestamp, key, value, headers)
    return base.to_bytes(8, "big") + bytes(builder.build())[8:]


def looked_at(found: Found) -> tuple[object, ...]:
    said = (found.type, found.stream, found.version, found.time, found.epoch, found.writer, found.reason)
    return (*said, found.offset, found.body, found.timestamp, found.record)


def carefully(whole: Whole) -> list[Found]:
    return [Found.of(unpack.record_of(each)) for each in unpack._carefully(whole)]


def assert_same(raw: bytes, start: int = 0) -> None:
    whole = Whole(raw, start)
    assert [*map(looked_at, unpack.unpack(whole))] == [*map(looked_at, carefully(whole))]


def test_what_we_write_is_read_in_one_pass() -> None:
    traced = [*NAMED[:9], ("traceparent", b"t" * 55), *NAMED[9:]]
    for records in ([PLAIN], [PLAIN] * 200, [PLAIN, (PLAIN[0], b"x" * 500_000, traced, 5), PLAIN]):
        raw = batch(records, 1000)
        assert unpack._quickly(raw) is not None
        assert_same(raw)
        assert_same(raw, 1002)


def test_a_batch_with_anything_else_in_it_is_not() -> None:
    for name, value in (("ce_type", CLAIM.encode()), ("version", b"-1"), ("ce_id", b"short"), ("ce_subject", b"else")):
        odd: Headers = [(n, value if n == name else v) for n, v in NAMED]
        raw = batch([PLAIN, (PLAIN[0], b"", odd, 5), PLAIN])
        assert unpack._quickly(raw) is None
        assert_same(raw)


values = st.one_of(
    st.sampled_from([b"", b"1", b"01", b"-1", b"client", b"order", ID.encode(), CLAIM.encode(), b"\x0cwriter", None]),
    st.binary(max_size=70),
    st.text("0123456789", max_size=25).map(str.encode),
)
changes = st.one_of(
    st.just(lambda named: named),
    st.builds(
        lambda at, v: lambda named: [*named[:at], (named[at][0], v), *named[at + 1 :]], st.integers(0, 12), values
    ),
    st.builds(lambda at, to: lambda named: [*named[:at], *named[to:]], st.integers(0, 12), st.integers(0, 13)),
    st.builds(
        lambda at, n, v: lambda named: [*named[:at], (n, v), *named[at:]],
        st.integers(0, 13),
        st.sampled_from(["traceparent", "epoch", "writer", "ce_type", "x", "ä"]),
        values,
    ),
)
keys = st.one_of(st.just(PLAIN[0]), st.none(), st.binary(max_size=80), st.just(b"k" * 64))
bodies = st.one_of(st.none(), st.binary(max_size=200), st.integers(0, 20_000).map(lambda n: b"v" * n))
odd = st.builds(
    lambda key, body, change, time: (key, body, change(NAMED), time), keys, bodies, changes, st.integers(4, 6)
)


@moderately
@given(st.lists(st.one_of(st.just(PLAIN), odd), min_size=1, max_size=5), st.integers(0, 4))
def test_any_batch_is_read_as_aiokafka_reads_it(records: list[Written], start: int) -> None:
    assert_same(batch(records), start)


@moderately
@given(st.data())
def test_a_byte_that_is_another_changes_nothing_of_that(data: st.DataObject) -> None:
    raw = bytearray(batch([PLAIN, PLAIN]))
    for _ in range(data.draw(st.integers(1, 2))):
        raw[data.draw(st.integers(61, len(raw) - 1))] = data.draw(st.integers(0, 255))
    try:
        expected = [*map(looked_at, carefully(Whole(bytes(raw), 0)))]
    except Exception:  # no broker takes such a batch
        return
    assert [*map(looked_at, unpack.unpack(Whole(bytes(raw), 0)))] == expected
