"""Servers that are down are told in one line and an exit code, soon; a local run is found without any variable."""

import asyncio
import time
from pathlib import Path

import pytest

from tests.operator.conftest import Orders, cli_in, create_topics_of
from workers.local import Servers
from workers.operator.ground import find_settings
from workers.operator.terms import printable

NOBODY = "127.0.0.1:1"
ASKING = [
    ("audit",),
    ("status",),
    ("consumers",),
    ("doctor",),
    ("topics", "show"),
    ("topics", "check"),
    ("topics", "create", "--yes"),
    ("snapshots", "check"),
    ("snapshots", "drop", "order", "--yes"),
    ("log", "tail"),
    ("log", "show", "order-1"),
    ("log", "find", "--correlation", "1"),
]


@pytest.fixture
def nowhere(tmp_path: Path) -> Orders:
    return cli_in(
        {"ORDERLOG_KAFKA": NOBODY, "ORDERLOG_POSTGRES": f"postgresql://x@{NOBODY}/x", "ORDERLOG_HOME": str(tmp_path)}
    )


@pytest.mark.parametrize("words", ASKING, ids=" ".join)
def test_without_servers_every_command_says_so_soon(nowhere: Orders, words: tuple[str, ...]) -> None:
    began = time.monotonic()
    said = nowhere(*words)
    assert said.code == 4
    assert "no answer" in said.err
    assert "Traceback" not in said.err
    assert time.monotonic() - began < 5


@pytest.mark.infra
@pytest.mark.parametrize("words", [("snapshots", "check"), ("log", "find", "--correlation", "1")], ids=" ".join)
def test_without_postgres_alone_too(kafka: str, words: tuple[str, ...], tmp_path: Path) -> None:
    asyncio.run(create_topics_of(kafka))
    said = cli_in({"ORDERLOG_KAFKA": kafka, "ORDERLOG_POSTGRES": f"postgresql://x@{NOBODY}/x"})(*words)
    assert said.code == 4
    assert "Postgres" in said.err


def test_settings_that_make_no_sense_are_named(tmp_path: Path) -> None:
    said = cli_in({"ORDERLOG_HOME": str(tmp_path), "ORDERLOG_CONTEXTS": "order,nix"})("status")
    assert (said.code, "nix" in said.err) == (1, True)


@pytest.mark.infra
def test_a_local_run_is_found_by_its_home_and_the_environment_wins(
    servers: Servers, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("KAFKA", "POSTGRES"):
        monkeypatch.delenv(f"ORDERLOG_{name}", raising=False)
    monkeypatch.setenv("ORDERLOG_HOME", str(servers._home.folder))
    found = find_settings()
    assert (found.kafka, found.postgres) == (servers.kafka.url, servers.postgres.url)
    assert "local run" in capsys.readouterr().err
    monkeypatch.setenv("ORDERLOG_KAFKA", NOBODY)
    assert find_settings().kafka == NOBODY
    assert capsys.readouterr().err == ""


def test_what_strangers_wrote_cannot_paint_a_terminal() -> None:
    assert printable("a\x1b[31mb\r\x07") == "a�[31mb��"
