"""Outgoing is an answer on its way to a client: links and fields as clients call them, headers as the table says."""

from collections.abc import Callable

from starlette.types import Message, Send

from api.naming import Naming
from api.paths import PREFIX, outward, relinked, relinked_header
from api.quota import Count
from api.transform import Headers

JSON, PROBLEM = b"application/json", b"application/problem+json"


class Outgoing:
    """Sends it on, with the quota's headers beside; JSON as a whole, anything else as it comes."""

    def __init__(self, send: Send, asked: str, dress: Callable[[Headers], Headers]) -> None:
        self.prefix = PREFIX
        self.extra: Headers = []
        self.count: Count | None = None
        self.started = False
        self._rename: dict[bytes, Callable[[bytes], bytes]] = {}
        self._send, self._asked, self._dress = send, asked, dress
        self._start: Message | None = None
        self._body = bytearray()

    def named(self, naming: Naming, method: str) -> None:
        """Answer as this version has it; the names in a question's URL are today's, so its problems' are."""
        self._rename[JSON] = naming.answer
        if method not in ("GET", "HEAD"):
            self._rename[PROBLEM] = naming.problem

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._start, self._body = {**message, "headers": self._headers(message["headers"])}, bytearray()
            if kind_of(message["headers"]) not in (JSON, PROBLEM):
                await self._begin(self._start)
        elif self.started:
            await self._send(message)
        else:
            self._body += message.get("body", b"")
            if not message.get("more_body"):
                await self._all()

    def _called(self, path: str) -> str:
        return path if path.startswith(f"{PREFIX}/") else outward(path, self.prefix)

    async def _all(self) -> None:
        assert self._start is not None  # noqa: S101  a body comes after its start
        body = relinked(bytes(self._body), self._called, self._asked)
        if body and (rename := self._rename.get(kind_of(self._start["headers"]))):
            body = rename(body)
        headers = [(k, v) for k, v in self._start["headers"] if k != b"content-length"]
        headers.append((b"content-length", str(len(body)).encode()))
        await self._begin({**self._start, "headers": headers})
        await self._send({"type": "http.response.body", "body": body})

    async def _begin(self, start: Message) -> None:
        self.started = True
        await self._send(start)

    def _headers(self, headers: Headers) -> Headers:
        linked = [(k, self._linked(v) if k in (b"location", b"link") else v) for k, v in headers]
        counted = self.count.headers() if self.count else []
        return self._dress([*linked, *self.extra, *counted])

    def _linked(self, value: bytes) -> bytes:
        return relinked_header(value.decode("latin-1"), self._called).encode("latin-1")


def kind_of(headers: Headers) -> bytes:
    """The media type, without its parameters."""
    said = next((value for name, value in headers if name == b"content-type"), b"")
    return said.partition(b";")[0].strip().lower()
