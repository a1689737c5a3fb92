"""The analysts' guide is followed word by word: every command is run, and says what the guide says that it does."""

import contextlib
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from tests.docs.guide import agree, steps
from tests.operator.conftest import cli_in
from workers.print_docs import ROOT

pytestmark = pytest.mark.infra

GUIDE = ROOT / "docs/analysts.md"
PYTHON = re.compile(r"^```python\n(.*?)^```\n\n```\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def test_the_guide_can_be_followed_word_by_word(window: Path, tmp_path: Path) -> None:
    orders = cli_in({"ORDERLOG_HOME": str(window)})
    run = 0
    with contextlib.chdir(tmp_path):
        for command, wanted in steps(GUIDE):
            name, *words = shlex.split(command)
            assert name == "orders"
            said = orders(*words)
            agree(command, said.out + said.err, wanted)
            run += 1
    assert run >= 15
    files = sorted(path.name for path in tmp_path.iterdir())
    assert files == ["cancelled.parquet", "order.svg", "revenue.parquet"]
    assert (tmp_path / "order.svg").read_text().startswith("<svg")


def test_the_guides_python_says_what_it_says(window: Path) -> None:
    [(code, wanted)] = PYTHON.findall(GUIDE.read_text())
    environment = {**os.environ, "ORDERLOG_HOME": str(window)}
    said = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False)
    assert said.returncode == 0, said.stderr
    assert said.stdout == wanted
