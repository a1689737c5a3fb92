"""House starts what a benchmark measures: the servers, and worker processes as a user starts them."""

import asyncio
import os
import resource
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

from events import topics
from events.envelope import CLIENT, Envelope
from events.kafka import KafkaLog
from events.log import Draft, Place
from events.registry import command_codec
from schemas.values import Command
from workers.local import ChildProcess
from workers.reactor import batches

Start = Callable[..., ChildProcess]
TICKS = os.sysconf("SC_CLK_TCK")


def environment(kafka: str, postgres: str, home: Path, **more: str) -> dict[str, str]:
    """The environment of our processes."""
    named = {"KAFKA": kafka, "POSTGRES": postgres, "HOME": str(home), "PROVIDER": "in-process", "SMTP": "in-process"}
    return {**os.environ, **{f"ORDERLOG_{key}": value for key, value in (named | more).items()}}


def worker(home: Path, env: dict[str, str], *contexts: str) -> ChildProcess:
    """A worker process for some contexts."""
    command = [sys.executable, "-m", "workers", "worker", "--contexts", ",".join(contexts)]
    return ChildProcess(command, name="worker-" + "-".join(contexts), home=home, env=env)


def writers(home: Path, env: dict[str, str], *contexts: str) -> ChildProcess:
    """A process of some contexts' writers and reactions alone."""
    command = [sys.executable, "-m", "tests.bench.writers", ",".join(contexts)]
    return ChildProcess(command, name="writers-" + "-".join(contexts), home=home, env=env)


def cpu_seconds(pids: Iterable[int]) -> float:
    """CPU seconds that these processes have used so far."""
    total = 0
    for pid in pids:
        fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
        total += int(fields[11]) + int(fields[12])
    return total / TICKS


def machine_seconds() -> float:
    """CPU seconds that the whole machine has used so far."""
    fields = Path("/proc/stat").read_text().splitlines()[0].split()[1:9]
    return (sum(map(int, fields)) - int(fields[3]) - int(fields[4])) / TICKS


def own_seconds() -> float:
    """CPU seconds that this process has used so far."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


async def send(log: KafkaLog, context: str, commands: Iterable[Command]) -> None:
    """Put commands into a context's topic, as its API would."""
    waiting: dict[int, list[Draft]] = {}
    now = datetime.now(UTC).isoformat()
    for command in commands:
        name = str(uuid4())
        envelope = Envelope(name, command.tag, "bench", now, command.stream, name, name, CLIENT)
        draft = Draft(command.stream, command_codec.encode(command), envelope.headers())
        waiting.setdefault(topics.partition_of(command.stream), []).append(draft)
    for partition, drafts in waiting.items():
        for batch in batches(drafts):
            await log.append(Place(topics.commands(context), partition), batch)


async def ends(log: KafkaLog, names: Sequence[str]) -> dict[Place, int]:
    """Where topics end now."""
    places = [Place(topic, p) for topic in names for p in range(topics.PARTITIONS)]
    return {place: (await log.bounds(place))[1] for place in places}


async def watch(log: KafkaLog, starts: dict[Place, int], types: Iterable[str], count: int, timeout: float) -> float:
    """Wait until so many events of these types have come, and return when (time.time()) the last came.

    Raises:
        TimeoutError: they did not.
    """
    wanted, seen, last = {name.encode() for name in types}, 0, 0.0
    reader = await log.reader(starts)
    try:
        async with asyncio.timeout(timeout):
            while seen < count:
                for records in (await reader.batch(5000)).values():
                    seen += sum(record.headers.get("ce_type") in wanted for record in records)
                    last = time.time()
    finally:
        await reader.close()
    return last
