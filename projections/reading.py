"""Reading says of a record whether it counts, and decodes it as far as possible."""

from events.envelope import Envelope
from events.errors import Undecodable
from events.fence import CLAIM, Fence, Verdict
from events.log import Record
from events.registry import event_codec
from projections.recorded import Effective


def judged(fence: Fence, record: Record) -> Effective | None:
    """The record if it counts, or if it is no message at all: that goes to the dead letters."""
    verdict = fence.judge(record.offset, record.headers)
    if verdict is Verdict.EFFECTIVE:
        return decoded(record)
    if verdict is Verdict.IGNORED and record.headers.get("ce_type") != CLAIM.encode():
        try:
            Envelope.read(record.headers)
        except Undecodable as error:
            return Effective(record, None, None, str(error))
    return None


def decoded(record: Record) -> Effective:
    """A record that counts, as far as it can be decoded."""
    try:
        envelope = Envelope.read(record.headers)
    except Undecodable as error:
        return Effective(record, None, None, str(error))
    try:
        return Effective(record, envelope, event_codec.decode(envelope.type, record.value))
    except Undecodable as error:
        return Effective(record, envelope, None, str(error))
