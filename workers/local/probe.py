"""Probes ask a port, in a few hand-made bytes, whether it really is the server it should be.

Each returns None when the server is usable, and otherwise the reason why not, as the end of a sentence.
"""

import socket
import struct
from urllib.parse import unquote, urlsplit

from workers.local.errors import Unavailable

SILENT = "does not answer"
METADATA, METADATA_VERSION = 3, 4


def kafka(bootstrap: str, timeout: float = 2) -> str | None:
    """Whether a broker answers, and lives at an address that can be reached from here."""
    try:
        host, port = broker_address(bootstrap.split(",")[0], timeout)
    except ConnectionRefusedError:
        return SILENT
    except (OSError, struct.error, UnicodeDecodeError):
        return "does not speak Kafka"
    except Unavailable as why:
        return str(why)
    try:
        socket.create_connection((host, port), timeout).close()
    except OSError:
        return f"tells clients to use {host}:{port}, which cannot be reached from here"
    return None


def broker_address(address: str, timeout: float) -> tuple[str, int]:
    """The address that the first broker in the cluster's metadata tells clients to use."""
    host, _, port = address.rpartition(":")
    no_topics_no_creation = struct.pack(">i?", 0, False)
    header = struct.pack(">hhi", METADATA, METADATA_VERSION, 1) + string(b"orderlog")
    with socket.create_connection((host, int(port)), timeout) as connection:
        connection.sendall(sized(header + no_topics_no_creation))
        answer = receive(connection, struct.unpack(">i", receive(connection, 4))[0])
    correlation, _throttled, brokers = struct.unpack_from(">iii", answer)
    if correlation != 1:
        raise OSError("not an answer to our request")
    if not brokers:
        raise Unavailable("has no broker ready yet")
    _node, length = struct.unpack_from(">ih", answer, 12)
    return answer[18 : 18 + length].decode(), struct.unpack_from(">i", answer, 18 + length)[0]


def postgres(url: str, timeout: float = 2) -> str | None:
    """Whether a server answers and lets the URL's user into its database; a password is not tried."""
    parts = urlsplit(url)
    user, database = unquote(parts.username or "orderlog"), parts.path.lstrip("/") or "postgres"
    words = b"\0".join(word.encode() for word in ("user", user, "database", database))
    try:
        with socket.create_connection((parts.hostname or "127.0.0.1", parts.port or 5432), timeout) as connection:
            connection.sendall(sized(struct.pack(">i", 3 << 16) + words + b"\0\0", counts_itself=True))
            return refusal(connection)
    except ConnectionRefusedError:
        return SILENT
    except (OSError, struct.error):
        return "does not speak Postgres"


def refusal(connection: socket.socket) -> str | None:
    """Read the answer to a startup message up to 'ready for query', or to what stands in its way."""
    while True:
        kind, length = struct.unpack(">ci", receive(connection, 5))
        if kind not in b"RSKNZE":
            return "does not speak Postgres"
        body = receive(connection, length - 4)
        if kind == b"Z":
            return None
        if kind == b"R" and body[:4] != b"\0\0\0\0":
            return "asks for a password"
        if kind == b"E":
            texts = (field[1:].decode(errors="replace") for field in body.split(b"\0") if field[:1] == b"M")
            return f"says: {next(texts, 'no')}"


def sized(body: bytes, counts_itself: bool = False) -> bytes:
    return struct.pack(">i", len(body) + (4 if counts_itself else 0)) + body


def string(text: bytes) -> bytes:
    return struct.pack(">h", len(text)) + text


def receive(connection: socket.socket, size: int) -> bytes:
    if not 0 <= size < 1_000_000:
        raise OSError("not a length that this protocol would send")
    received = b""
    while len(received) < size:
        part = connection.recv(size - len(received))
        if not part:
            raise OSError("closed in the middle of an answer")
        received += part
    return received
