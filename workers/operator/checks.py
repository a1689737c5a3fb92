"""Checks of the doctor's that need no server: settings, this code's schemas, the disk; and the shape of them all."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from msgspec import Struct

from schemas.settings import Settings
from workers.local import addresses
from workers.printing.shapes import files

ROOT = Path(__file__).parents[2]

Level = Literal["ok", "warn", "fail"]

LEAST_FREE, FEW_FREE = 500_000_000, 5_000_000_000
"""Bytes on the disk of a local run: with less it stops soon, with few it is time to look."""
SESSION_MS = (3_000, 30_000)
"""Shorter, and a slow moment costs a worker its partitions; longer, and a dead worker's wait for so long."""


class Check(Struct, frozen=True):
    """What was looked at, how it is, and the way out where it is not well; `silent` if a server gave no answer."""

    name: str
    level: Level
    said: str
    way_out: str = ""
    silent: bool = False


def ok(name: str, said: str) -> Check:
    """All is well with it."""
    return Check(name, "ok", said)


def of_settings(settings: Settings) -> Iterator[Check]:
    """The environment."""
    production = settings.replication > 1
    if settings.inside == "open" and settings.api_host not in ("127.0.0.1", "::1", "localhost"):
        said = f"whoever reaches {settings.api_host}:{settings.api_port} may do everything, without a token"
        yield Check("settings: inside", "fail" if production else "warn", said, "ORDERLOG_INSIDE=closed, or tokens")
    else:
        yield ok("settings: inside", "nobody from outside comes past the gateway")
    if settings.account_secret == Settings.model_fields["account_secret"].default:
        said = "tokens that refresh a login or reset a password follow from a key that everybody can read in the code"
        yield Check("settings: accounts", "fail" if production else "warn", said, "set ORDERLOG_ACCOUNT_SECRET")
    else:
        yield ok("settings: accounts", "tokens that refresh a login or reset a password follow from a key of your own")
    if settings.public_url and settings.link_secret == Settings.model_fields["link_secret"].default:
        said = "links in mails are signed with the key that everybody can read in the code"
        yield Check("settings: links", "fail" if production else "warn", said, "set ORDERLOG_LINK_SECRET")
    yield _sealing(settings)
    yield _session(settings.session_timeout_ms)
    if settings.hold_seconds <= settings.overdue_seconds:
        said = f"stock is held for {settings.hold_seconds:g} s, the provider may take {settings.overdue_seconds:g} s"
        yield Check("settings: deadlines", "warn", said, "ORDERLOG_HOLD_SECONDS must be above ORDERLOG_OVERDUE_SECONDS")
    else:
        yield ok("settings: deadlines", "stock is held for longer than the provider may take")
    if "in-process" in (settings.provider, settings.smtp):
        said = "money or mail goes to a twin in the process, and to nobody else"
        yield Check("settings: outside", "fail" if production else "warn", said, "ORDERLOG_PROVIDER, ORDERLOG_SMTP")
    else:
        yield ok("settings: outside", f"provider {settings.provider}, mail {settings.smtp}")


def _sealing(settings: Settings) -> Check:
    chosen = settings.chosen()
    if not settings.seal:
        said = "what clients say of persons is recorded readably, for ever: nobody can be erased"
        return Check("settings: persons", "warn", said, "ORDERLOG_SEAL=true")
    if "user" not in chosen and "notification" in chosen and not settings.keys_url:
        said = "mails wait: what they say is sealed, and nobody says where the keys are"
        return Check("settings: persons", "fail", said, "ORDERLOG_KEYS_URL is the URL of the user context's API")
    return ok("settings: persons", "what clients say of persons is sealed with keys of theirs")


def _session(milliseconds: int) -> Check:
    low, high = SESSION_MS
    said = f"a silent worker loses its partitions after {milliseconds / 1000:g} s"
    if low <= milliseconds <= high:
        return ok("settings: session", said)
    return Check("settings: session", "warn", said, f"ORDERLOG_SESSION_TIMEOUT_MS between {low} and {high}")


def of_schemas() -> Check:
    """The JSON Schemas that others were given, against the classes of this code."""
    wanted = files()
    if not (ROOT / "schemas/json").is_dir():
        return ok("schemas: published", f"{len(wanted)} types; the published files are not installed here")
    if differing := [path for path, text in wanted.items() if not _says(ROOT / path, text)]:
        said = f"{len(differing)} published schemas say something else than the code: {differing[0]}"
        return Check("schemas: published", "fail", said, "a recorded shape is never changed: give it a new tag")
    return ok("schemas: published", f"{len(wanted)} types, and the published files say the same")


def _says(path: Path, text: str) -> bool:
    return path.exists() and path.read_text(encoding="utf-8") == text


def of_disk(settings: Settings) -> Check:
    """Where a local run keeps its data; elsewhere the disks are others'."""
    if not addresses(settings.home):
        return ok("disk", "no local run: the servers' disks are not seen from here")
    free = shutil.disk_usage(settings.home).free
    said = f"{free / 1e9:.1f} GB are free for {settings.home}"
    if free >= FEW_FREE:
        return ok("disk", said)
    return Check("disk", "warn" if free >= LEAST_FREE else "fail", said, "make room, or name another ORDERLOG_HOME")
