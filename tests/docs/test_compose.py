"""docker-compose.yml starts what the code offers, with settings that the code has."""

import importlib.util
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic, sleep

import pytest
import typer

from schemas.settings import CONTEXTS, Settings
from tests.docs.compose import FILE, lists, variables
from workers.cli import cli

COMMANDS = lists("command")
WORKERS = {name: words for name, words in COMMANDS.items() if words[:2] == ["orders", "worker"]}
SMALL = {"provider": "8090", "mailbox": "1025"}
"""Services that need nothing else, and the port of each."""


def test_every_variable_is_a_setting_of_ours() -> None:
    named = {name for name, _ in variables()}
    assert {"ORDERLOG_KAFKA", "ORDERLOG_POSTGRES", "ORDERLOG_API_HOST"} <= named
    assert named <= {f"ORDERLOG_{name.upper()}" for name in Settings.model_fields}


def test_every_value_is_one_that_the_settings_take(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in variables():
        monkeypatch.setenv(name, value)
    settings = Settings()
    assert settings.api_host == "0.0.0.0"
    assert settings.chosen() == ("user",)  # of the service that others ask for keys


@pytest.mark.parametrize("service", WORKERS)
def test_a_workers_command_is_one_of_our_command_line(service: str) -> None:
    group = typer.main.get_command(cli)
    _, name, *words = WORKERS[service]
    command = group.get_command(group.make_context("orders", [name]), name)  # type: ignore[attr-defined]
    asked = command.make_context(name, words).params["contexts"]
    assert Settings(contexts=asked or ",".join(CONTEXTS)).chosen() == (CONTEXTS if service == "worker" else (service,))


def test_there_is_a_worker_for_each_context_and_one_for_all() -> None:
    assert WORKERS.keys() == {*CONTEXTS, "worker"}


def test_every_other_command_is_a_module_that_can_be_run() -> None:
    others = [words for name, words in COMMANDS.items() if name not in WORKERS]
    assert len(others) == 4
    for python, option, module, *_ in others:
        assert (python, option) == ("python", "-m")
        assert importlib.util.find_spec(module), module


@pytest.mark.parametrize("service", SMALL)
def test_a_small_service_starts_with_its_command_and_is_found_healthy(service: str, tmp_path: Path) -> None:
    usual, port = SMALL[service], str(_free_port())
    command, check = COMMANDS[service], lists("test")[service][1:]
    with _running([_here(word, tmp_path, usual, port) for word in command]) as process:
        deadline = monotonic() + 20
        while not _listens(int(port)) and process.poll() is None and monotonic() < deadline:
            sleep(0.02)
        subprocess.run([_here(word, tmp_path, usual, port) for word in check], check=True, timeout=10)


def test_where_no_profile_is_named_the_all_in_one_worker_is_started() -> None:
    assert "COMPOSE_PROFILES=all" in (FILE.parent / ".env").read_text().splitlines()


@pytest.mark.parametrize("profile", ["all", "split"])
def test_docker_understands_the_file(profile: str) -> None:
    if shutil.which("docker") is None:
        pytest.skip("there is no docker client here")
    if subprocess.run(["docker", "compose", "version"], capture_output=True).returncode:
        pytest.skip("the docker client here has no compose plugin")
    words = ["docker", "compose", "--file", str(FILE), "--profile", profile, "config", "--quiet"]
    said = subprocess.run(words, capture_output=True, text=True)
    assert (said.returncode, said.stderr) == (0, "")


def _here(word: str, folder: Path, usual: str, port: str) -> str:
    """A word of a container's command, for this machine: our Python, loopback, a free port, a folder of ours."""
    if word == "python":
        return sys.executable
    return word.replace("0.0.0.0", "127.0.0.1").replace(usual, port).replace("/data", str(folder))


def _listens(port: int) -> bool:
    with socket.socket() as asking:
        return asking.connect_ex(("127.0.0.1", port)) == 0


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return int(listening.getsockname()[1])


@contextmanager
def _running(words: list[str]) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(words)
    try:
        yield process
    finally:
        process.terminate()
        process.wait(10)
