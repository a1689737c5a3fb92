"""No orphans: whatever ends the launcher ends its children, and the next start recovers."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.local.conftest import Choose, eventually, lives, start
from workers.local import ChildProcess, LauncherError, Servers, clean

pytestmark = pytest.mark.infra

LAUNCHER = """
import signal, sys
from pathlib import Path
from workers.local import Servers
servers = Servers.start(Path(sys.argv[1]), lambda line: None)
print(servers.kafka.pid, servers.postgres.pid, flush=True)
signal.pause()
"""
SLEEPER = """
import sys
from pathlib import Path
from workers.local import ChildProcess
child = ChildProcess(["sh", "-c", "sleep 600 & echo $!; wait"], name="sleeper", home=Path(sys.argv[1]))
print(child.pid, flush=True)
sys.stdin.read()
"""


def launch(program: str, home: Path) -> tuple[subprocess.Popen[str], list[int]]:
    launcher = subprocess.Popen(
        [sys.executable, "-c", program, str(home)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert launcher.stdout is not None
    return launcher, [int(pid) for pid in launcher.stdout.readline().split()]


def end(launcher: subprocess.Popen[str], number: signal.Signals) -> None:
    launcher.send_signal(number)
    launcher.communicate()


def test_a_killed_launcher_leaves_no_server_behind_and_the_next_one_starts_at_once(home: Path, choose: Choose) -> None:
    choose("system")
    launcher, pids = launch(LAUNCHER, home)
    if not pids:
        launcher.communicate()
        pytest.skip("this machine has no Java or no Postgres of its own")
    end(launcher, signal.SIGKILL)
    with start(home) as servers:  # the old servers may still be stopping
        assert not any(lives(pid) for pid in pids)
        assert servers.kafka.pid not in pids


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGHUP, signal.SIGTERM])
def test_a_child_and_its_children_end_with_the_launcher(number: signal.Signals, home: Path) -> None:
    launcher, (pid,) = launch(SLEEPER, home)
    eventually(lambda: (home / "logs/sleeper.log").read_text() != "")
    grandchild = int((home / "logs/sleeper.log").read_text())
    assert lives(pid)
    assert lives(grandchild)
    end(launcher, number)
    eventually(lambda: not lives(pid) and not lives(grandchild))


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends a child with its parent")
def test_a_child_ends_even_with_its_guard(home: Path) -> None:
    child = ChildProcess(["sleep", "600"], name="sleeper", home=home)
    guard = int(Path(f"/proc/{child.pid}/stat").read_text().split()[3])
    os.kill(guard, signal.SIGKILL)
    eventually(lambda: not lives(child.pid))
    child.wait()


def test_a_child_tells_how_it_ended(home: Path) -> None:
    assert ChildProcess(["sh", "-c", "echo done; exit 3"], name="short", home=home).wait(20) == 3
    assert (home / "logs/short.log").read_text() == "done\n"
    assert ChildProcess(["sleep", "600"], name="short", home=home).stop() == 128 + signal.SIGTERM
    deaf = ChildProcess(["sh", "-c", "trap '' TERM; echo deaf; sleep 600"], name="deaf", home=home)
    eventually(lambda: deaf.log.read_text() != "")
    deaf.signal(signal.SIGSTOP)
    assert deaf.stop(grace_seconds=0.2) == 128 + signal.SIGKILL
    with pytest.raises(LauncherError, match=r"could not be started: .*no-such-program"):
        ChildProcess(["no-such-program"], name="absent", home=home)


def test_a_second_launcher_on_the_same_folder_is_refused(home: Path) -> None:
    with Servers.start(home, print, kafka=False, postgres=False):
        with pytest.raises(LauncherError, match=f"in use by process {os.getpid()}"):
            Servers.start(home, print)
        with pytest.raises(LauncherError, match="in use"):
            clean(home)
    Servers.start(home, print, kafka=False, postgres=False).stop()


def test_cleaning_takes_only_what_the_launcher_made(home: Path) -> None:
    Servers.start(home, print, kafka=False, postgres=False).stop()
    (home / "kafka").mkdir()
    (home / "mine").mkdir()
    (home / "ledger.jsonl").touch()
    clean(home, "ledger.jsonl")
    assert not (home / "kafka").exists()
    assert not (home / "ledger.jsonl").exists()
    assert (home / "mine").exists()
