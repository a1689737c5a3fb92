"""What the machine has to offer: how much CPU each process has used, and a small disk that can be filled up."""

import os
import subprocess
import time
from collections.abc import Callable, Mapping
from pathlib import Path

DISK_MB = 4000
"""The broker's disk, where it can have one of its own."""


class Cores:
    """CPU that processes use from now on."""

    def __init__(self, pids: Mapping[str, int]) -> None:
        self._began, self._used = time.monotonic(), cpu_seconds(pids)

    def used(self, pids: Mapping[str, int]) -> dict[str, float]:
        """Cores that each has used on average; those that were not there all the time are left out."""
        passed = time.monotonic() - self._began
        now = cpu_seconds(pids)
        return {name: round((now[name] - used) / passed, 3) for name, used in self._used.items() if name in now}


def cpu_seconds(pids: Mapping[str, int]) -> dict[str, float]:
    """CPU seconds that each of these processes has used so far; those that are gone are left out."""
    ticks, found = os.sysconf("SC_CLK_TCK"), {}
    for name, pid in pids.items():
        try:
            fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
        except OSError:
            continue
        found[f"{name}/{pid}"] = (int(fields[11]) + int(fields[12])) / ticks
    return found


def small_disk(folder: Path, say: Callable[[str], None]) -> Callable[[], object] | None:
    """Put a disk of its own, in memory, at this folder; returns what takes it away, or None where we may not."""
    folder.mkdir(parents=True, exist_ok=True)
    mount = ["mount", "-t", "tmpfs", "-o", f"size={DISK_MB}m", "faults", str(folder)]
    try:
        done = subprocess.run(mount, capture_output=True, text=True, timeout=20)
    except OSError as error:
        say(f"no disk of its own for the broker: {error}")
        return None
    if done.returncode:
        say(f"no disk of its own for the broker: {done.stderr.strip()}")
        return None
    return lambda: subprocess.run(["umount", str(folder)], capture_output=True, timeout=20)
