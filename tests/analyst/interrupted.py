"""An export that is to be killed: of everything on a Kafka into a folder, in small steps."""

import asyncio
import sys
from pathlib import Path

from events.kafka import KafkaLog
from workers.analyst import crew, folder
from workers.analyst.export import export
from workers.analyst.folder import Asked

crew.SMALL, folder.PATIENCE = 2_000, 1.0
STEP = 2_000


async def main(kafka: str, place: str) -> None:
    log = KafkaLog(kafka)
    try:
        print(await export(log, Path(place), Asked("a log"), step=STEP))
    finally:
        await log.close()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
