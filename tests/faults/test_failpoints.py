"""Failpoints are where the registry says, cost nothing unarmed, and strike the process when it is their turn."""

import ast
import asyncio
import json
import os
import signal
import subprocess
import sys
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType
from uuid import uuid4

import pytest

from events import failpoints as points
from events.fence import CLAIM
from events.kafka import KafkaLog, create_topics
from events.log import Place
from events.topics import Topic
from tests.faults import failpoints
from tests.faults.bugs import BUGS
from tests.faults.failpoints import Failpoint, parse
from tests.faults.worker import listed, shift

ROOT = Path(__file__).parents[2]
LAYERS = ("events", "aggregates", "projections", "workers", "api")

THREE_TIMES = """
from events.failpoints import reach
from tests.faults.failpoints import arm
arm()
for n in range(3):
    print(n, flush=True)
    reach("writer.decided")
"""

CLAIM_ONCE = """
import asyncio, sys
from events.fence import Fence
from events.fenced import claim
from events.kafka import KafkaLog
from events.log import Place
from tests.faults.failpoints import arm
from workers.loop import new_loop

async def main():
    await claim(KafkaLog(sys.argv[1]), Place(sys.argv[2], 0), Fence(), print)

arm()
new_loop().run_until_complete(main())
"""


def begin(script: str, *words: str, point: str, log: Path | None = None) -> subprocess.Popen[str]:
    """A process that runs a script with a failpoint armed."""
    env = {**os.environ, "ORDERLOG_FAILPOINT": point, **({"ORDERLOG_FAILPOINT_LOG": str(log)} if log else {})}
    return subprocess.Popen(
        [sys.executable, "-c", script, *words], cwd=ROOT, env=env, stdout=subprocess.PIPE, text=True
    )


def reached_in_code() -> Counter[str]:
    """Every name that is reached somewhere in the application."""
    found: Counter[str] = Counter()
    for path in (path for layer in LAYERS for path in (ROOT / layer).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "reach":
                found[ast.literal_eval(node.args[0])] += 1
    return found


def test_every_failpoint_is_reached_at_one_place_in_the_code() -> None:
    assert reached_in_code() == Counter(points.FAILPOINTS.keys())


def test_unarmed_nothing_happens_and_armed_the_name_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[str] = []
    points.reach("writer.decided")
    monkeypatch.setattr(points, "armed", told.append)
    points.reach("writer.decided")
    assert told == ["writer.decided"]


def test_several_may_be_asked_for() -> None:
    found = parse("provider.captured@3:kill, append.in_flight@1:stop")
    assert found == [Failpoint("provider.captured", 3, "kill"), Failpoint("append.in_flight", 1, "stop")]
    assert parse("") == []


@pytest.mark.parametrize(
    "text", ["typo@1:kill", "writer.decided@0:kill", "writer.decided:kill", "writer.decided@1:nap"]
)
def test_what_makes_no_sense_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is no failpoint"):
        parse(text)


def test_the_second_time_kills_and_is_written_down(tmp_path: Path) -> None:
    log = tmp_path / "log"
    process = begin(THREE_TIMES, point="writer.decided@2:kill", log=log)
    assert process.communicate(timeout=30)[0].split() == ["0", "1"]
    assert process.returncode == -signal.SIGKILL
    said = json.loads(log.read_text())
    assert (said["failpoint"], said["n"], said["action"]) == ("writer.decided", 2, "kill")
    assert said["pid"] == process.pid


def test_a_stopped_process_goes_on_when_it_is_told_to() -> None:
    process = begin(THREE_TIMES, point="writer.decided@1:stop")
    _, status = os.waitpid(process.pid, os.WUNTRACED)
    assert os.WIFSTOPPED(status)
    process.send_signal(signal.SIGCONT)
    assert process.communicate(timeout=30)[0].split() == ["0", "1", "2"]
    assert process.returncode == 0


def test_the_lists_that_a_harness_asks_for(capsys: pytest.CaptureFixture[str]) -> None:
    for option, names in (("--list-failpoints", [*failpoints.NAMES]), ("--list-bugs", [*BUGS])):
        assert listed([option])
        assert capsys.readouterr().out.splitlines() == names
    assert not listed(["worker", "--contexts", "order"])


def test_a_wish_that_makes_no_sense_ends_the_process_before_it_begins() -> None:
    command = [sys.executable, "-m", "tests.faults.worker", "worker"]
    ended = subprocess.run(
        command, cwd=ROOT, env={**os.environ, "ORDERLOG_BUG": "typo"}, capture_output=True, text=True
    )
    assert ended.returncode == 1
    assert "there is no bug 'typo'" in ended.stderr


def test_a_clock_can_be_put_off_and_is_looked_up_every_time(tmp_path: Path) -> None:
    file, module = tmp_path / "clock", ModuleType("clockmaker")
    module.datetime = datetime  # type: ignore[attr-defined]
    shift(file, module)

    def off() -> float:
        return float((module.datetime.now(UTC) - datetime.now(UTC)).total_seconds())

    assert off() == pytest.approx(0, abs=1)
    for seconds in (600, -3000.5):
        file.write_text(str(seconds))
        assert off() == pytest.approx(seconds, abs=1)


@pytest.mark.infra
@pytest.mark.anyio
async def test_in_flight_means_that_the_record_comes_though_its_sender_is_dead(kafka: str, tmp_path: Path) -> None:
    topic, log_file = f"flight-{uuid4().hex[:8]}.events", tmp_path / "log"
    await create_topics(kafka, [Topic(topic, -1)])
    process = begin(CLAIM_ONCE, kafka, topic, point="append.in_flight@1:kill", log=log_file)
    assert await asyncio.to_thread(process.wait, 60) == -signal.SIGKILL
    assert "append.in_flight" in log_file.read_text()
    log = KafkaLog(kafka)
    try:
        reader = await log.reader({Place(topic, 0): 0})
        [record] = (await reader.batch(timeout=10))[Place(topic, 0)]
        assert record.headers["ce_type"] == CLAIM.encode()
        await reader.close()
    finally:
        await log.close()
        process.communicate()
