"""The guide to writing a projection is followed word by word: code is written, commands are run, outputs are seen.

A block of Python is a file, named by its first line; a block of diff changes the lines it shows; in a console block
what is after a `$` is run, what follows is what it says, and a line in parentheses is what somebody does meanwhile.
"""

import asyncio
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple
from uuid import uuid4

import httpx2
import psycopg
import pytest

from events.kafka import KafkaLog
from schemas.order import CancelOrder, ConfirmOrder, RecordCommitment, RecordReservation, ShipOrder
from schemas.values import Command
from tests.builders.order import SKUS, place
from tests.builders.values import A, B, C
from tests.docs.guide import agree
from tests.scenarios.shop import client_draft, place_of
from workers.local import Servers
from workers.local.home import Home
from workers.print_docs import ROOT

pytestmark = pytest.mark.infra

CODE = ("schemas", "events", "aggregates", "projections", "workers", "api", "tests")
GUIDE = ROOT / "docs/write-a-projection.md"
BLOCK = re.compile(r"^```(python|diff|console)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
MEANWHILE = "(start the workers again, in another terminal)"


class House:
    """The copied code, the servers, a worker of the orders' context and, once somebody asks, an API."""

    def __init__(self, home: Path, servers: Servers) -> None:
        self.code = home / "code"
        for folder in CODE:  # with what is compiled: times are copied, so it is valid
            shutil.copytree(ROOT / folder, self.code / folder)
        shutil.copy(ROOT / "pyproject.toml", self.code)
        self.port = Home(home).port("api")
        self.postgres, self.kafka = servers.postgres.url, servers.kafka.url
        ours = {
            "KAFKA": self.kafka, "POSTGRES": self.postgres, "CONTEXTS": "order", "HOME": str(home), "WHO": "ada",
            "API_PORT": str(self.port), "PROVIDER": "in-process", "SMTP": "in-process", "SESSION_TIMEOUT_MS": "6000",
            "INSIDE": "open",
        }  # fmt: skip
        git = {f"GIT_{who}_{what}": "ada@example.org" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
        self.env = {**os.environ, **git, **{f"ORDERLOG_{name}": value for name, value in ours.items()}}
        self._log = (home / "processes.log").open("wb")
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        self.shell("git init --quiet && git add --all && git commit --quiet --message code")

    def start(self, *words: str) -> None:
        """Start a process of the copied code, or start it again."""
        self.stop(words[0])
        command = [sys.executable, "-m", *words]
        self._running[words[0]] = subprocess.Popen(
            command, cwd=self.code, env=self.env, stdout=self._log, stderr=self._log
        )

    def stop(self, name: str) -> None:
        """End a process, if it runs."""
        if process := self._running.pop(name, None):
            process.terminate()
            process.wait(20)

    def close(self) -> None:
        """End all of them."""
        for name in list(self._running):
            self.stop(name)
        self._log.close()

    def shell(self, command: str) -> None:
        """Run a command of no interest."""
        subprocess.run(command, shell=True, cwd=self.code, env=self.env, check=True)

    def begin(self, command: str) -> subprocess.Popen[str]:
        """Run a command of the guide, by the copied code."""
        for name, module in (("orders ", "workers "), ("pytest ", "pytest ")):
            if command.startswith(name):
                command = f"{sys.executable} -m {module}{command.removeprefix(name)}"
        pipe, same = subprocess.PIPE, subprocess.STDOUT
        return subprocess.Popen(command, shell=True, cwd=self.code, env=self.env, stdout=pipe, stderr=same, text=True)

    def worker(self) -> None:
        """Start the workers again, as the guide asks, and wait until they keep every live version."""
        self.start("workers", "worker", "--contexts", "order")
        self.until(
            "SELECT joined FROM view_versions WHERE live", lambda rows: all(row[0] for row in rows) and bool(rows)
        )

    def until(self, query: str, holds: Callable[[list[Any]], bool]) -> None:
        """Wait until what the database says is so."""
        deadline = time.monotonic() + 40
        while not holds(self._asked(query)):
            assert time.monotonic() < deadline, f"{query}: {Path(self._log.name).read_text()[-3000:]}"
            time.sleep(0.05)

    def _asked(self, query: str) -> list[Any]:
        try:
            with psycopg.connect(self.postgres, dbname="orderlog_order") as connection:
                return connection.execute(query).fetchall()
        except psycopg.Error:
            return []

    def get(self, path: str) -> str:
        """What the API says, started when it is asked for the first time."""
        if "api" not in self._running:
            self.start("api")
        deadline = time.monotonic() + 20
        while True:
            try:
                answer = httpx2.get(f"http://127.0.0.1:{self.port}{path}")
                if answer.status_code == 200 or time.monotonic() > deadline:
                    return answer.text
            except httpx2.HTTPError:
                assert time.monotonic() < deadline, "the API does not answer"
            time.sleep(0.05)


async def send(kafka: str, commands: list[Command]) -> None:
    log = KafkaLog(kafka)
    try:
        for command in commands:
            await log.append(place_of(command), [client_draft(command, str(uuid4()))])
    finally:
        await log.close()


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    """With one order shipped, one cancelled and one that waits."""
    with Servers.start(tmp_path, print) as servers:
        house = House(tmp_path, servers)
        try:
            house.start("workers", "worker", "--contexts", "order")
            house.until("SELECT FROM pg_views WHERE viewname = 'orders'", bool)
            shipped = [RecordReservation(order_id=A, skus=SKUS), ConfirmOrder(order_id=A),
                       RecordCommitment(order_id=A, skus=SKUS), ShipOrder(order_id=A)]  # fmt: skip
            asyncio.run(send(house.kafka, [place(A), place(B), place(C), *shipped, CancelOrder(order_id=B)]))
            done = "SELECT FROM orders WHERE status IN ('shipped', 'cancelled', 'placed')"
            house.until(done, lambda rows: len(rows) == 3)
            house.until("SELECT FROM orders WHERE status = 'placed'", lambda rows: len(rows) == 1)
            yield house
        finally:
            house.close()


class Block(NamedTuple):
    kind: str
    text: str


def test_the_guide_can_be_followed_word_by_word(house: House) -> None:
    for block in (Block(*found) for found in BLOCK.findall(GUIDE.read_text())):
        first, _, rest = block.text.partition("\n")
        if block.kind == "python":
            (house.code / first.removeprefix("# ")).write_text(rest)
        elif block.kind == "diff":
            change(house.code / first.removeprefix("--- "), rest.splitlines())
        else:
            for step in re.split(r"^\$ ", block.text, flags=re.MULTILINE)[1:]:
                command, _, said = step.partition("\n")
                follow(house, command, said)


def change(file: Path, lines: list[str]) -> None:
    """Change the lines that a diff shows: they must be there once."""
    before = "".join(f"{line[1:]}\n" for line in lines if line[:1] != "+")
    after = "".join(f"{line[1:]}\n" for line in lines if line[:1] != "-")
    text = file.read_text()
    assert text.count(before) == 1, f"{file.name} has not once:\n{before}"
    file.write_text(text.replace(before, after))


def follow(house: House, command: str, wanted: str) -> None:
    """Run a command, and see that it says what the guide says."""
    if command.startswith("curl"):
        agree(command, house.get("/" + command.rpartition(":8080/")[2]), wanted)
        return
    before, meanwhile, after = wanted.partition(MEANWHILE)
    running = house.begin(command)
    assert running.stdout is not None
    said = ""
    if meanwhile and after.strip():  # the command waits for the workers
        while "waiting" not in said:
            line = running.stdout.readline()
            assert line, said
            said += line
        house.worker()
    said += running.communicate(timeout=60)[0]
    agree(command, said, before + after)
    if meanwhile and not after.strip():
        house.worker()
