"""What was recorded once is read for ever: a golden file is never changed, a new shape gets a new tag.

A field that is added with a default leaves the shape as it was: records of before have what it means not to be said.
"""

import json
from pathlib import Path
from typing import Any

import pytest

from events.codec import Codec
from events.envelope import Envelope
from events.registry import command_codec, event_codec

FILES = {path.stem: path for path in sorted(Path(__file__).parent.glob("*.json"))}
TYPES = event_codec.types | command_codec.types


def read(tag: str) -> tuple[dict[str, bytes], Any]:
    found = json.loads(FILES[tag].read_text(encoding="utf-8"))
    return {name: value.encode() for name, value in found["headers"].items()}, found["body"]


@pytest.mark.parametrize("tag", TYPES)
def test_every_tag_has_a_golden_file(tag: str) -> None:
    assert tag in FILES, "python -m tests.golden.record writes what is missing"


@pytest.mark.parametrize("tag", FILES)
def test_a_golden_message_is_read_in_every_build(tag: str) -> None:
    headers, body = read(tag)
    codec: Codec[Any] = event_codec if tag.rpartition(".v")[2].isdecimal() else command_codec
    message = codec.decode(tag, json.dumps(body).encode())
    assert message.stream == headers["ce_subject"].decode()
    if tag in TYPES:
        encoded = json.loads(codec.encode(message))
        unasked = {name for name, field in TYPES[tag].model_fields.items() if not field.is_required()}
        added = {name: value for name, value in encoded.items() if name not in body}
        assert added.keys() <= unasked, f"{tag} needs what its records of before lack: give it a new tag"
        assert encoded == {**body, **added}, f"the shape of {tag} was changed: give it a new tag"


@pytest.mark.parametrize("tag", FILES)
def test_golden_headers_are_read_in_every_build(tag: str) -> None:
    headers, _ = read(tag)
    envelope = Envelope.read(headers)
    assert envelope.type == tag
    assert dict(envelope.headers()) == headers
