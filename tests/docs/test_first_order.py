"""The clients' guide is followed word by word, with all contexts in one process and with each one apart."""

import asyncio
import os
import subprocess
from pathlib import Path
from uuid import uuid4

import pytest
from rich.console import Console

from tests.docs.guide import agree, steps
from workers.baskets import YEAR
from workers.print_docs import ROOT
from workers.run import Plan, Run, ready

pytestmark = pytest.mark.infra

GUIDE = ROOT / "docs/first-order.md"


class Shell:
    """One bash for all of it, as a reader's is."""

    def __init__(self, home: Path) -> None:
        env = {**os.environ, "ORDERLOG_HOME": str(home)}
        self._bash = subprocess.Popen(
            ["bash"],
            cwd=ROOT,
            env=env,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def __call__(self, command: str) -> str:
        """What it says, until it is done."""
        assert self._bash.stdin is not None
        assert self._bash.stdout is not None
        end = f"end {uuid4().hex}"
        self._bash.stdin.write(f"{command}\nprintf '\\n%s\\n' '{end}'\n")
        self._bash.stdin.flush()
        return "".join(iter(self._bash.stdout.readline, f"{end}\n"))

    def close(self) -> None:
        self._bash.kill()
        self._bash.communicate()


@pytest.mark.parametrize("apart", [False, True], ids=["together", "apart"])
def test_the_guide_can_be_followed_word_by_word(tmp_path: Path, apart: bool) -> None:
    plan = Plan(tmp_path, YEAR, workers=((),), apart=apart)
    with Run(plan, Console(quiet=True)) as run:
        asyncio.run(ready(run))
        shell, count = Shell(tmp_path), 0
        try:
            for command, wanted in steps(GUIDE):
                said = shell(command.replace("http://localhost:8080", run.address.api))
                agree(command, said, wanted)
                count += 1
        finally:
            shell.close()
    assert count > 20
