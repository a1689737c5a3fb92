"""Readers agree on every log that the model can write, and the production fold is one of them."""

import pytest

from events.fence import CLAIM, Fence, Verdict
from tests.model.fenced import FencedLog
from tests.model.readers import Checkpoint, Readers, Record, read, records
from tests.model.rules import Rules
from tests.model.search import search


@pytest.fixture(scope="module")
def logs() -> list[list[Record]]:
    """Every log that three writers with three claims can leave behind, each checked from every checkpoint."""
    readers = Readers(FencedLog(Rules(), writers=3, claims=3, keep_log=True))
    report = search(readers)
    print(f"readers: {report}, {len(readers.logs):,} logs")
    assert not report.broken, report
    return [list(records(readers.model, log)) for log in readers.logs]


def test_every_reader_agrees_on_every_log_from_every_checkpoint(logs: list[list[Record]]) -> None:
    assert len(logs) > 30_000


def test_the_production_fence_agrees_with_the_model_on_every_log(logs: list[list[Record]]) -> None:
    for log in logs:
        fence = Fence()
        for offset, (record, (counts, checkpoint)) in enumerate(zip(log, read(log, Checkpoint()), strict=True)):
            verdict = fence.judge(offset, headers(record))
            assert (verdict is not Verdict.IGNORED) == counts
            assert (verdict is Verdict.CLAIM) == (counts and record.entry is None)
            assert (fence.next, fence.epoch, fence.writer or "0") == (
                checkpoint.offset,
                checkpoint.epoch,
                str(checkpoint.writer),
            )


def headers(record: Record) -> dict[str, bytes]:
    """A record of the model as Kafka would bring it."""
    kind = CLAIM if record.entry is None else "stock.reserved.v1"
    return {"ce_type": kind.encode(), "epoch": b"%d" % record.epoch, "writer": b"%d" % record.writer}
