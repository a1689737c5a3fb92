"""Wire is a Kafka record as a line of JSON, and back. Bytes that are no text stand as base64."""

import base64
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

Text: TypeAlias = str | bytes | None
"""What a key, a value or a header holds; bytes where it is no UTF-8, or has a NUL."""


class Record(NamedTuple):
    """A record as it lies in the log; `timestamp` is milliseconds since 1970, of two equal headers the last counts."""

    topic: str
    partition: int
    offset: int
    timestamp: int
    key: Text
    value: Text
    headers: dict[str, Text]

    @property
    def place(self) -> str:
        """Such as `order.events/2/118`."""
        return f"{self.topic}/{self.partition}/{self.offset}"


class Decoder:
    """JSON with an eye on numbers that are no integers: `floats` counts those of the last text."""

    def __init__(self) -> None:
        self.floats = 0
        self._decode = json.JSONDecoder(parse_float=self._float, parse_constant=self._float).decode

    def decode(self, text: str) -> Any:
        """The value.

        Raises:
            ValueError: it is no JSON.
        """
        self.floats = 0
        return self._decode(text)

    def _float(self, text: str) -> float:
        self.floats += 1
        return float(text)


def to_line(
    offset: int,
    timestamp: int,
    key: bytes | None,
    value: bytes | None,
    headers: Sequence[tuple[str, bytes | None]],
) -> str:
    """A record as a line."""
    named: Any = {name: _out(content) for name, content in headers}
    if len(named) < len(headers):  # a name that comes twice
        named = [[name, _out(content)] for name, content in headers]
    line = {"offset": offset, "timestamp": timestamp, "key": _out(key), "headers": named, "value": _out(value)}
    return json.dumps(line, ensure_ascii=False, separators=(",", ":")) + "\n"


def name_of(topic: str, partition: int) -> str:
    """The file of a partition within the dump."""
    return f"{topic}-{partition}.jsonl"


def records(folder: Path, topic: str, partition: int) -> Iterator[Record]:
    """The records of a partition, in order; none if it was not collected."""
    path = folder / name_of(topic, partition)
    if not path.exists():
        return
    decode = json.JSONDecoder().raw_decode  # we wrote the lines: nothing but one value is in them
    with path.open(encoding="utf-8", newline="\n") as lines:
        for line in lines:
            row = decode(line)[0]
            key, value, headers = row["key"], row["value"], row["headers"]
            if type(headers) is list:
                headers = dict(headers)
            if type(key) is dict or type(value) is dict or dict in map(type, headers.values()):
                key, value = _in(key), _in(value)
                headers = {name: _in(content) for name, content in headers.items()}
            yield Record(topic, partition, row["offset"], row["timestamp"], key, value, headers)


def lines(path: Path) -> Iterator[dict[str, Any]]:
    """The objects of a file of lines; a last line that was cut short, by a kill, is left out."""
    if not path.exists():
        return
    decode = json.JSONDecoder().raw_decode
    with path.open(encoding="utf-8", newline="\n") as rows:
        for row in rows:
            if row.endswith("\n"):
                yield decode(row)[0]


def _out(content: bytes | None) -> Any:
    if content is None:
        return None
    try:
        if b"\0" not in content:  # JSON would spend six characters on each
            return content.decode()
    except UnicodeDecodeError:
        pass
    return {"base64": base64.b64encode(content).decode()}


def _in(content: Any) -> Text:
    return base64.b64decode(content["base64"]) if isinstance(content, dict) else content
