"""Record writes the golden files that are missing; one that is there is never written again.

python -m tests.golden.record
"""

import json
from pathlib import Path
from typing import Any

from events.audit import OPERATOR, SOURCE
from events.envelope import CLIENT, Envelope
from events.registry import EVENTS as REGISTERED
from events.registry import OPERATIONS, command_codec, event_codec
from tests.builders.values import NOON, A
from tests.golden.examples import COMMANDS, EVENTS

FOLDER = Path(__file__).parent


CONTEXT_OF = {cls.tag: context for context, classes in REGISTERED.items() for cls in classes}
CONTEXT_OF |= {cls.tag: SOURCE for cls in OPERATIONS}


def envelope(tag: str, stream: str, **owned: Any) -> Envelope:
    """The circumstances of an example: a client's command, or what it led to."""
    return Envelope(
        id="11111111-1111-5111-8111-111111111111",
        type=tag,
        source=CONTEXT_OF.get(tag, "order") if owned["origin"] != CLIENT else "api",
        time=NOON.isoformat(),
        subject=stream,
        correlation=A,
        causation=A,
        traceparent="00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        **owned,
    )


def golden(circumstances: Envelope, body: bytes) -> str:
    """A message as it lies in Kafka, readable by people."""
    headers = {name: value.decode() for name, value in circumstances.headers()}
    return json.dumps({"headers": headers, "body": json.loads(body)}, indent=2) + "\n"


def all_golden() -> dict[str, str]:
    """One file per tag."""
    owned = {"origin": "order.commands/0/4/0", "version": 1, "epoch": 2, "writer": A, "position": 4}
    plain = {"origin": OPERATOR}
    acts = {cls.tag for cls in OPERATIONS}
    events = {
        tag: golden(envelope(tag, event.stream, **(plain if tag in acts else owned)), event_codec.encode(event))
        for tag, event in EVENTS.items()
    }
    commands = {
        tag: golden(envelope(tag, command.stream, origin=CLIENT), command_codec.encode(command))
        for tag, command in COMMANDS.items()
    }
    return events | commands


def main() -> None:
    """Write what is missing."""
    for tag, text in all_golden().items():
        path = FOLDER / f"{tag}.json"
        if not path.exists():
            path.write_text(text, encoding="utf-8")
            print(f"recorded {path.name}")


if __name__ == "__main__":
    main()
