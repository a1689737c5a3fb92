"""The two servers the project stands on, found or started, for as long as a `with` lasts."""

import shutil
from pathlib import Path
from types import TracebackType

from workers.local.child import ChildProcess
from workers.local.errors import LauncherError
from workers.local.fetch import OnProgress
from workers.local.home import Home
from workers.local.locks import is_held
from workers.local.postgres import ELSEWHERE
from workers.local.resolve import KAFKA, POSTGRES, Kind, Own, Say, Server, resolve
from workers.local.steps import together

OWN_FOLDERS = ("kafka", "postgres", "run", "logs")


class Servers:
    """A Kafka and a Postgres; those that were started here end with this process, whatever ends it."""

    def __init__(self, home: Home) -> None:
        self._home = home
        self._own: dict[str, Own] = {}
        self._found: dict[str, Server] = {}

    @classmethod
    def start(
        cls,
        home: Path,
        say: Say,
        progress: OnProgress | None = None,
        kafka: bool = True,
        postgres: bool = True,
    ) -> "Servers":
        """Claim the data folder and return once the servers asked for are ready."""
        servers = cls(Home(home))
        servers._home.claim()
        try:
            servers._start([kind for kind, asked in ((POSTGRES, postgres), (KAFKA, kafka)) if asked], say, progress)
        except BaseException as error:
            servers.stop()
            if isinstance(error, PermissionError):
                raise LauncherError(f"Parts of {home} belong to another account: {error}") from error
            raise
        return servers

    @property
    def kafka(self) -> Server:
        return self._server("kafka")

    @property
    def postgres(self) -> Server:
        return self._server("postgres")

    def stop(self) -> None:
        """End what was started here, orderly, and give the data folder back."""
        children = [own.child for own in self._own.values() if own.child is not None]
        try:
            for child in children:  # all are told before the first is waited for
                child.ask_to_stop()
            for child in children:
                child.stop()
        finally:
            self._home.release()

    def child(self, kind: str) -> ChildProcess:
        """The process of a server that was started here."""
        return self._started(kind)

    def kill(self, kind: str) -> None:
        """End a server as a power cut would."""
        self._started(kind).kill()

    def restart(self, kind: str) -> None:
        """Stop a server, unless it was killed, and start it again at the same address with the same data."""
        self._started(kind).stop()
        together(self._own[kind].run())
        self._note()

    def __enter__(self) -> "Servers":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.stop()

    def _start(self, kinds: list[Kind], say: Say, progress: OnProgress | None) -> None:
        self._home.remember("servers", {})
        for kind in kinds:
            server = resolve(kind, self._home, say, progress)
            if isinstance(server, Server):
                self._found[kind.name] = server
            else:
                self._own[kind.name] = server
        together(*(own.run() for own in self._own.values()))
        self._note()

    def _note(self) -> None:
        urls = {kind: self._server(kind).url for kind in (*self._found, *self._own)}
        self._home.remember("servers", urls)

    def _server(self, kind: str) -> Server:
        if kind in self._found:
            return self._found[kind]
        child = self._started(kind)
        own = self._own[kind]
        return Server(kind, own.url, own.origin, True, child.log, child.pid)

    def _started(self, kind: str) -> ChildProcess:
        own = self._own.get(kind)
        if own is None or own.child is None:
            raise LauncherError(f"No {kind} was started here.")
        return own.child


def addresses(home: Path) -> dict[str, str]:
    """The URLs of the servers that a launcher on this folder has running, by kind."""
    return dict(Home(home).recall("servers") or {}) if is_held(home / "launcher.lock") else {}


def clean(home: Path, *more: str) -> None:
    """Delete the servers' data, logs and memory, and what else is named, but nothing else in the folder."""
    place = Home(home)
    place.claim()
    try:
        for pid_file in home.glob("run/*.pid"):
            if is_held(pid_file):
                raise LauncherError(f"{pid_file.stem} still runs on {home}: wait until it has stopped.")
        delete(place, [*OWN_FOLDERS, *more])
    finally:
        place.release()


def delete(home: Home, names: list[str]) -> None:
    for path in map(Path, filter(None, (home.recall(ELSEWHERE), *(home.folder / name for name in names)))):
        if path.is_file():
            path.unlink()
        else:
            shutil.rmtree(path, ignore_errors=True)
    home.forget()
