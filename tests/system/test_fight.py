"""Three writers fight for one partition under kill -9 and SIGSTOP: the log has one history, and no answer was false."""

import asyncio
import random
import signal
import sys
from pathlib import Path
from uuid import uuid4

import pytest

from events.envelope import Envelope
from events.fence import Fence, Verdict
from events.kafka import KafkaLog, create_topics
from events.log import Place, scan
from events.topics import Topic
from workers.local import ChildProcess

pytestmark = [pytest.mark.infra, pytest.mark.anyio, pytest.mark.long]

SECONDS = 20.0


async def test_three_writers_that_are_killed_and_paused_leave_one_history_and_no_false_answer(
    kafka: str, tmp_path: Path
) -> None:
    topic = f"fight-{uuid4()}"
    await create_topics(kafka, [Topic(topic, -1)])
    rng = random.Random(topic)
    fighters = [_start(kafka, topic, tmp_path, number) for number in range(3)]
    paused: set[int] = set()
    deadline = asyncio.get_running_loop().time() + SECONDS
    try:
        while asyncio.get_running_loop().time() < deadline:
            await asyncio.sleep(rng.uniform(0.1, 0.6))
            number = rng.randrange(3)
            if number in paused:
                fighters[number].signal(signal.SIGCONT)
                paused.discard(number)
            elif rng.random() < 0.5:
                fighters[number].signal(signal.SIGSTOP)
                paused.add(number)
            else:
                fighters[number].kill()
                fighters[number] = _start(kafka, topic, tmp_path, number)
    finally:
        for fighter in fighters:
            fighter.kill()

    effective, ignored, claims = await _history(kafka, topic)
    books = _read(tmp_path)
    answered = [line.split()[1] for line in books if line.startswith("answered ") and len(line) == 45]
    fenced = sum(line.startswith("fenced ") for line in books)
    print(f"{len(effective)} effective, {ignored} ignored, {claims} claims, {len(answered)} answers, {fenced} fenced")
    assert [number for _, number in effective] == list(range(1, len(effective) + 1)), "a decision on stale state"
    assert set(answered) <= {name for name, _ in effective}, "a false answer"
    assert claims > 3, "inconclusive: the partition hardly changed hands"
    assert fenced, "inconclusive: nobody was fenced"


def _read(home: Path) -> list[str]:
    return "".join(book.read_text() for book in home.glob("answers-*")).splitlines()


def _start(kafka: str, topic: str, home: Path, number: int) -> ChildProcess:
    command = [sys.executable, "-m", "tests.system.fighter", kafka, topic, str(home / f"answers-{number}")]
    return ChildProcess(command, name=f"fighter-{number}", home=home)


async def _history(kafka: str, topic: str) -> tuple[list[tuple[str, int]], int, int]:
    log, place, fence = KafkaLog(kafka), Place(topic, 0), Fence()
    effective, claims = [], 0
    try:
        async for records in scan(log, place, 0, (await log.bounds(place))[1]):
            for record in records:
                match fence.judge(record.offset, record.headers):
                    case Verdict.EFFECTIVE:
                        effective.append((Envelope.read(record.headers).id, int(record.value)))
                    case Verdict.CLAIM:
                        claims += 1
    finally:
        await log.close()
    return effective, fence.ignored, claims
