"""Proxy is what stands between two processes: a link that passes bytes on, until told to cut, delay, slow or lose them.

One TCP port a link, on loopback; what is behind it may go away and come back. Bytes keep their order, whatever the
link is told meanwhile. All of it runs in the loop it was started in.
"""

import asyncio
import random
from collections import deque
from typing import Literal, cast

from msgspec import Struct

FULL = 1_000_000
"""Bytes that may wait in one direction of a connection before its sender is held back."""

Mode = Literal["open", "refuse", "silent", "lose-answer"]


class Weather(Struct, frozen=True):
    """What a link does to its bytes.

    refuse: connections are reset, and new ones too. silent: nothing comes through, and nobody is told. lose-answer:
    requests go through, and where the answer comes the connection is reset. `delay` and `jitter` are seconds for each
    direction, `rate` is bytes a second (0: unlimited), `answers` is how many answers to lose.
    """

    mode: Mode = "open"
    delay: float = 0.0
    jitter: float = 0.0
    rate: float = 0.0
    answers: int = 1


FAIR = Weather()


class Link:
    """One proxied address."""

    def __init__(self, name: str, port: int, host: str, target: int) -> None:
        self.name, self.port = name, port
        self._host, self._target = host, target
        self._pairs: set[Pair] = set()
        self._server: asyncio.Server | None = None
        self.weather = FAIR
        self.connections, self.lost = 0, 0

    async def start(self) -> None:
        """Listen."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: Pair(self).near, "127.0.0.1", self.port)

    def close(self) -> None:
        """Stop listening and reset what is connected."""
        if self._server is not None:
            self._server.close()
        self.reset()

    def set(self, weather: Weather) -> None:
        """From now on."""
        self.weather = weather
        if weather.mode == "refuse":
            self.reset()
        for pair in list(self._pairs):
            pair.there.pump()
            pair.back.pump()

    def reset(self) -> None:
        """Reset every connection."""
        for pair in list(self._pairs):
            pair.abort()

    def lose_one(self) -> bool:
        """Whether an answer that has just come is to be lost."""
        if self.weather.mode != "lose-answer":
            return False
        self.lost += 1
        left = self.weather.answers - 1
        self.weather = Weather("lose-answer", answers=left) if left > 0 else FAIR
        return True

    def opened(self, pair: "Pair") -> None:
        """A client has come."""
        self.connections += 1
        self._pairs.add(pair)
        if self.weather.mode == "refuse":
            pair.abort()
        else:
            pair.connecting = asyncio.get_running_loop().create_task(self._connect(pair))

    def closed(self, pair: "Pair") -> None:
        """It is gone."""
        self._pairs.discard(pair)

    async def _connect(self, pair: "Pair") -> None:
        try:
            await asyncio.get_running_loop().create_connection(lambda: pair.far, self._host, self._target)
        except OSError:
            pair.abort()


class Pair:
    """A client's connection, and ours to what it asked for."""

    def __init__(self, link: Link) -> None:
        self.link = link
        self.near, self.far = End(self, "near"), End(self, "far")
        self.there, self.back = Stream(self, self.near, self.far), Stream(self, self.far, self.near)
        self.connecting: asyncio.Task[None] | None = None
        self.ends = 0
        """How many of the two are connected."""

    def carry(self, end: "End", data: bytes) -> None:
        """Bytes have come in at one end."""
        if end is self.far and self.link.lose_one():
            self.abort()
        else:
            (self.there if end is self.near else self.back).push(data)

    def ended(self, end: "End") -> None:
        """One end is gone: what it sent is still passed on, then the other goes too."""
        (self.there if end is self.near else self.back).finish()
        self.ends -= 1
        if not self.ends:
            self.link.closed(self)

    def abort(self) -> None:
        """Both ends go at once, and what waits is lost."""
        for stream in (self.there, self.back):
            stream.drop()
        for end in (self.near, self.far):
            if end.transport is not None:
                end.transport.abort()


class End(asyncio.Protocol):
    """One of a pair's two sockets."""

    def __init__(self, pair: Pair, side: Literal["near", "far"]) -> None:
        self._pair, self._side = pair, side
        self.transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)
        self._pair.ends += 1
        if self._side == "near":
            self._pair.link.opened(self._pair)
        elif self._pair.near.transport is None or self._pair.near.transport.is_closing():
            self.transport.abort()
        else:
            self._pair.there.pump()

    def data_received(self, data: bytes) -> None:
        self._pair.carry(self, data)

    def connection_lost(self, error: Exception | None) -> None:
        self._pair.ended(self)

    def pause_writing(self) -> None:
        (self._pair.back if self._side == "near" else self._pair.there).hold(True)

    def resume_writing(self) -> None:
        (self._pair.back if self._side == "near" else self._pair.there).hold(False)


class Stream:
    """One direction of a pair: what waits to be passed on, in order, and when each piece is due."""

    def __init__(self, pair: Pair, source: End, sink: End) -> None:
        self._link, self._source, self._sink = pair.link, source, sink
        self._waiting: deque[tuple[float, bytes]] = deque()
        self._size, self._free_at = 0, 0.0
        self._held, self._over, self._reading = False, False, True
        self._timer: asyncio.TimerHandle | None = None

    def push(self, data: bytes) -> None:
        """Pass on now or later."""
        weather = self._link.weather
        delay = max(0.0, weather.delay + random.uniform(-weather.jitter, weather.jitter))
        self._waiting.append((asyncio.get_running_loop().time() + delay, data))
        self._size += len(data)
        self.pump()

    def pump(self) -> None:
        """Pass on what is due, and come again for the rest."""
        loop, sink = asyncio.get_running_loop(), self._sink.transport
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if sink is not None and sink.is_closing():  # it is reset, and we have not been told yet
            self.drop()
        while self._waiting and sink is not None and not self._held and self._link.weather.mode != "silent":
            due = max(self._waiting[0][0], self._free_at if self._link.weather.rate else 0.0)
            if due > loop.time():
                self._timer = loop.call_at(due, self.pump)
                break
            _, data = self._waiting.popleft()
            self._size -= len(data)
            if rate := self._link.weather.rate:
                self._free_at = max(loop.time(), self._free_at) + len(data) / rate
            sink.write(data)
        self._balance()
        if self._over and not self._waiting and sink is not None:
            sink.close()

    def hold(self, held: bool) -> None:
        """The receiver takes no more for now, or takes more again."""
        self._held = held
        if not held:
            self.pump()

    def finish(self) -> None:
        """Nothing more will come."""
        self._over = True
        self.pump()

    def drop(self) -> None:
        """Forget what waits."""
        self._waiting.clear()
        self._size = 0

    def _balance(self) -> None:
        """Hold the sender back while too much waits."""
        source = self._source.transport
        if source is None or source.is_closing():
            return
        if self._reading and self._size > FULL:
            source.pause_reading()
            self._reading = False
        elif not self._reading and self._size < FULL // 2:
            source.resume_reading()
            self._reading = True
