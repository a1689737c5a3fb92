"""Envelope is what is known of a message beside its body; on the wire: Kafka headers (CloudEvents, binary mode)."""

from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache

import msgspec

from events.errors import Undecodable
from events.ids import derive

CLIENT = "client"
"""The origin of a command that somebody outside sent: its id is remembered by the aggregate."""

LONGEST = 1000
"""Bytes of all of a message's header values together; ours are half as long."""

ASKING = 700
"""The same for a command: what is recorded because of it has as many again, and a few more."""


_SPECVERSION = ("ce_specversion", b"1.0")


@lru_cache(maxsize=4096)
def _header(name: str, value: str) -> tuple[str, bytes]:
    """A header whose value comes again and again; building them anew was an eighth of a writer's work."""
    return name, value.encode()


class Envelope(msgspec.Struct, frozen=True, gc=False):
    """A message's circumstances.

    id: UUID of this message. type: its tag. source: the context that wrote it. time: ISO 8601, UTC.
    subject: the stream. correlation: id of the request that began it all. causation: id of the message directly
    before. origin: where the command came from: `topic/partition/offset/index` when a reaction sent it.
    Recorded events carry more: version of the aggregate (gapless from 1; 0 for outcomes), epoch and writer (who
    claims to own the partition) and position (offset of the command in `<context>.commands`; -1 when it came
    from the owner itself).
    """

    id: str
    type: str
    source: str
    time: str
    subject: str
    correlation: str
    causation: str
    origin: str
    traceparent: str = ""
    version: int = 0
    epoch: int = 0
    writer: str = ""
    position: int = -1

    def headers(self) -> list[tuple[str, bytes]]:
        """As Kafka headers."""
        named = [
            _SPECVERSION,
            ("ce_id", self.id.encode()),
            _header("ce_type", self.type),
            _header("ce_source", self.source),
            _header("ce_time", self.time),
            ("ce_subject", self.subject.encode()),
            ("correlation", self.correlation.encode()),
            ("causation", self.causation.encode()),
            ("origin", self.origin.encode()),
        ]
        if self.traceparent:
            named.append(("traceparent", self.traceparent.encode()))
        if self.epoch:
            named += (
                _header("version", str(self.version)),
                _header("epoch", str(self.epoch)),
                _header("writer", self.writer),
                ("position", b"%d" % self.position),
            )
        return named

    @classmethod
    def read(cls, headers: Mapping[str, bytes]) -> "Envelope":
        """From Kafka headers.

        Raises:
            Undecodable: naming the header that is missing or senseless.
        """
        try:
            values = b"".join(headers.values())
            if len(values) > LONGEST or b"\0" in values:  # what follows from a message inherits them, and must fit too
                raise Undecodable(f"headers longer than {LONGEST} bytes, or with a NUL, which no database takes")
            if not headers["ce_id"]:  # else two of them would be taken for one that came twice
                raise Undecodable("header 'ce_id' is empty")
            return cls(
                headers["ce_id"].decode(),
                headers["ce_type"].decode(),
                headers["ce_source"].decode(),
                headers["ce_time"].decode(),
                headers["ce_subject"].decode(),
                headers["correlation"].decode(),
                headers["causation"].decode(),
                headers["origin"].decode(),
                headers.get("traceparent", b"").decode(),
                int(headers.get("version", 0)),
                int(headers.get("epoch", 0)),
                headers.get("writer", b"").decode(),
                int(headers.get("position", -1)),
            )
        except KeyError as missing:
            raise Undecodable(f"header {missing} is missing") from None
        except (ValueError, TypeError) as senseless:
            raise Undecodable(f"a header makes no sense: {senseless}") from None

    @classmethod
    def unread(cls, source: str, offset: int, key: bytes) -> "Envelope":
        """For a message whose headers cannot be read: of unknown type, and its own cause."""
        cause = derive(source, str(offset))
        return cls(cause, "", "", "", key.decode(errors="replace"), cause, cause, "")

    @property
    def at(self) -> datetime:
        """The time as a datetime."""
        return datetime.fromisoformat(self.time)
