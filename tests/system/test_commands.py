"""The README's commands do what it says: a demo that ends, a run that stays, finds its data again and cleans up."""

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

ORDERS = [sys.executable, "-m", "workers"]
pytestmark = pytest.mark.infra


def environment(home: Path) -> dict[str, str]:
    return {**os.environ, "ORDERLOG_HOME": str(home), "COLUMNS": "140"}


def test_a_demo_settles_and_tells_and_exits_by_itself(tmp_path: Path) -> None:
    done = subprocess.run(
        [*ORDERS, "demo", "--orders", "40"], env=environment(tmp_path), capture_output=True, text=True, timeout=240
    )

    assert done.returncode == 0, done.stdout + done.stderr
    for words in ("Orders", "Money", "Stock", "Mail", "Speed", "Settled, and the books balance."):
        assert words in done.stdout
    assert not _processes(tmp_path)


def test_a_run_stays_until_it_is_interrupted_and_a_second_one_finds_its_data(tmp_path: Path) -> None:
    first = _until_up(tmp_path)
    second = _until_up(tmp_path)

    assert "placed 20 orders" in first
    assert "Found its 20 orders from before" in second
    cleaned = subprocess.run([*ORDERS, "clean"], env=environment(tmp_path), capture_output=True, text=True, timeout=60)
    assert cleaned.returncode == 0
    assert not (tmp_path / "kafka").exists()


def test_a_day_that_ends_before_it_begins_is_refused_with_the_option_named() -> None:
    command = [*ORDERS, "demo", "--from", "2017-10-10", "--to", "2017-10-09"]

    done = subprocess.run(command, capture_output=True, text=True, timeout=60)

    assert done.returncode == 2
    assert "--to" in done.stderr


def test_an_unknown_context_is_refused_with_those_that_exist() -> None:
    done = subprocess.run([*ORDERS, "worker", "--contexts", "oder"], capture_output=True, text=True, timeout=60)

    assert done.returncode == 2
    assert "there are order, product, payment, user, notification" in " ".join(re.findall(r"[\w,]+", done.stderr))


def _until_up(home: Path) -> str:
    """Run until it says that it is up, interrupt it as Ctrl-C would, and hear that nothing is left running."""
    said = home.parent / "said"
    with said.open("w") as output:
        words = [*ORDERS, "run", "--orders", "20"]
        running = subprocess.Popen(words, env=environment(home), stdout=output, preexec_fn=heeding_ctrl_c)
        try:
            deadline = time.monotonic() + 240
            while "Up." not in said.read_text():
                assert time.monotonic() < deadline, said.read_text()
                assert running.poll() is None, said.read_text()
                time.sleep(0.2)
            running.send_signal(signal.SIGINT)
            assert running.wait(60) == 0
        finally:
            running.kill()
    assert not _processes(home)
    return said.read_text()


def heeding_ctrl_c() -> None:
    """A shell's background jobs, and all they start, are deaf to it."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


def _processes(home: Path) -> list[str]:
    """Command lines of processes that work on this folder."""
    found = []
    for line in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = line.read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
        if str(home) in words and str(os.getpid()) not in str(line):
            found.append(words)
    return found
