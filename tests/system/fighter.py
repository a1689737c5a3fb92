"""Fighter is a writer process that wants one partition for itself, and counts upwards on it.

Each event says which number it decided on, so a decision on stale state shows. Every answer it gives, it writes down
first-hand: an answer that the log does not bear out was false.
"""

import asyncio
import sys
from uuid import uuid4

from events.envelope import Envelope
from events.errors import Fenced, Unavailable
from events.fence import Fence
from events.fenced import claim
from events.kafka import KafkaLog
from events.log import Place, Record


async def fight(bootstrap: str, topic: str, answers: str) -> None:
    """Claim, count, and begin again whenever fenced, until killed."""
    log, place = KafkaLog(bootstrap), Place(topic, 0)
    with open(answers, "a", buffering=1, encoding="ascii") as book:  # noqa: ASYNC230
        while True:
            numbers: list[int] = [0]

            def fold(record: Record, numbers: list[int] = numbers) -> None:
                numbers[0] = int(record.value)

            try:
                owner = await claim(log, place, Fence(), fold)
                for _ in range(10_000):
                    name = str(uuid4())
                    seen = numbers[0]
                    envelope = Envelope(
                        name, "counted", "fight", "", "counter", name, name, "client",
                        version=seen + 1, epoch=owner.epoch, writer=owner.writer,
                    )  # fmt: skip
                    await owner.append([(envelope, b"%d" % (seen + 1))])
                    numbers[0] = seen + 1
                    book.write(f"answered {name}\n")
            except Fenced as fenced:
                book.write(f"fenced {fenced}\n")
                await asyncio.sleep(0.2)
            except Unavailable:
                await asyncio.sleep(0.2)


if __name__ == "__main__":
    asyncio.run(fight(*sys.argv[1:]))
