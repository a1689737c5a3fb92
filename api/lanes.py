"""Lanes put clients' commands on their topics; requests for the same place that come together share one batch.

An acknowledged command is durable and will have exactly one outcome. One that is not acknowledged in time may still
have been written: sent again under the same command id it takes effect once, for the writer drops the repeat.
"""

import asyncio
import logging
from collections import deque
from datetime import UTC, datetime
from typing import NamedTuple

from api.traced import sending
from events.envelope import CLIENT, Envelope
from events.errors import LogError
from events.failpoints import reach
from events.log import Draft, Log, Place
from events.registry import COMMANDS, command_codec
from events.topics import MAX_BATCH_BYTES, commands, partition_asked
from events.tracing import span
from schemas.values import Command

logger = logging.getLogger(__name__)

PATIENCE = 1.5
"""Seconds that a request waits for the log."""

CONTEXT_OF = {command: context for context, classes in COMMANDS.items() for command in classes}


class Unanswered(Exception):
    """The log has not confirmed the command in time."""


class Receipt(NamedTuple):
    """Where a command lies: durable, not yet decided."""

    command_id: str
    context: str
    stream: str
    place: Place
    offset: int


class Lane:
    """One place's queue: while an append is under way, those that arrive gather into the next."""

    def __init__(self, log: Log, place: Place) -> None:
        self._log, self._place = log, place
        self._waiting: deque[tuple[Draft, asyncio.Future[int]]] = deque()
        self._task: asyncio.Task[None] | None = None

    async def append(self, draft: Draft) -> int:
        """The offset of the draft, once it is durable.

        Raises:
            LogError: as Log.append.
        """
        future: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._waiting.append((draft, future))
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._drain())
        return await future

    async def drained(self) -> None:
        """Nothing waits any more."""
        if self._task is not None:
            await self._task

    async def _drain(self) -> None:
        while batch := self._next_batch():
            try:
                reach("api.sending")
                base = await self._log.append(self._place, [draft for draft, _ in batch])
                reach("api.acked")
            except Exception as error:
                if not isinstance(error, LogError):
                    logger.exception("bug in an append to %s", self._place)
                for _, future in batch:
                    if not future.done():
                        future.set_exception(error)
            else:
                for offset, (_, future) in enumerate(batch, base):
                    if not future.done():
                        future.set_result(offset)

    def _next_batch(self) -> list[tuple[Draft, asyncio.Future[int]]]:
        """As many as fit; those whose request has given up while they waited are left out."""
        batch: list[tuple[Draft, asyncio.Future[int]]] = []
        size = 0
        while self._waiting:
            draft, future = self._waiting[0]
            size += draft.size()
            if batch and size > MAX_BATCH_BYTES - 10_000:
                break
            self._waiting.popleft()
            if not future.done():
                batch.append((draft, future))
        return batch


class Lanes:
    """The way in."""

    def __init__(self, log: Log) -> None:
        self._log = log
        self._lanes: dict[Place, Lane] = {}

    async def send(
        self,
        command: Command,
        *,
        command_id: str,
        correlation: str,
        causation: str,
        traceparent: str = "",
        context: str = "",
        expected: str = "",
    ) -> Receipt:
        """Append the command; `correlation` and `causation` are ids of the request behind it.

        `context` is who is asked, where the command does not say so; `expected` is as in Envelope.

        Raises:
            Unavailable, TooLarge: nothing was written.
            Fenced, Unanswered: nobody knows; send it again under the same command id.
        """
        context, stream = context or CONTEXT_OF[type(command)], command.stream
        place = Place(commands(context), partition_asked(command))
        now = datetime.now(UTC).isoformat()
        facts = {"messaging.message.id": command_id, "messaging.message.conversation_id": correlation}
        with span("api", f"send {place.topic}", "producer", traceparent, facts=facts | sending(place, command)) as told:
            envelope = Envelope(
                id=command_id,
                type=command.tag,
                source="api",
                time=now,
                subject=stream,
                correlation=correlation,
                causation=causation,
                origin=CLIENT,
                traceparent=told.traceparent,
                expected=expected,
            )
            draft = Draft(stream, command_codec.encode(command), envelope.headers())
            lane = self._lanes.get(place) or self._lanes.setdefault(place, Lane(self._log, place))
            try:
                async with asyncio.timeout(PATIENCE):
                    return Receipt(command_id, context, stream, place, await lane.append(draft))
            except TimeoutError:
                raise Unanswered from None

    async def close(self) -> None:
        """Let what is under way arrive."""
        lanes = [asyncio.create_task(lane.drained()) for lane in self._lanes.values()]
        if lanes:
            await asyncio.wait(lanes, timeout=PATIENCE)
