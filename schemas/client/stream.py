"""Stream reads server-sent events, and remembers where it was cut."""

import json
from collections.abc import AsyncIterator
from typing import Any, NamedTuple

KIND = "text/event-stream"
SILENCE = 45.0
"""Seconds; a stream says every 15 that it is still there."""


class Happening(NamedTuple):
    """An event of a live stream: what its id, its type and its data are."""

    id: str
    type: str
    data: dict[str, Any]


class Resumed:
    """A stream over all its connections, each from where the one before was cut; `heard` if the last said anything."""

    def __init__(self, after: str = "") -> None:
        self.after, self.pause, self.over = after, 1.0, False
        self.heard = False

    def headers(self) -> dict[str, str]:
        """What asks for the rest."""
        self.heard = False
        return {"Accept": KIND, **({"Last-Event-ID": self.after} if self.after else {})}

    async def read(self, lines: AsyncIterator[str]) -> AsyncIterator[Happening]:
        """The events of one connection; one that was not sent to its end comes again with the next."""
        fields: dict[str, str] = {}
        async for line in lines:
            self.heard = True
            if line:
                name, _, value = line.partition(":")
                fields[name] = value.removeprefix(" ")
                continue
            self.after = fields.get("id", self.after)
            self.pause = int(fields["retry"]) / 1000 if "retry" in fields else self.pause
            if fields.get("event") == "end":
                self.over = True
                return
            if "data" in fields:
                yield Happening(self.after, fields.get("event", ""), json.loads(fields["data"]))
            fields = {}
