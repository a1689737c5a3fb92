"""The account Postgres runs under: it refuses to be root, so root starts it as the owner of its data, or nobody."""

import os
import pwd
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from workers.local.errors import Unavailable


@dataclass(frozen=True)
class Account:
    """A user and its group, by number."""

    user: int
    group: int


def for_postgres(data: Path) -> Account | None:
    """None when the launcher's own account will do."""
    if os.geteuid() != 0:
        return None
    owner = data.stat().st_uid if data.exists() else 0
    try:
        entry = pwd.getpwuid(owner) if owner else pwd.getpwnam("nobody")
    except KeyError as error:
        raise Unavailable("Postgres refuses to run as root, and there is no account 'nobody'") from error
    return Account(entry.pw_uid, entry.pw_gid)


def may(account: Account | None, right: str, path: Path) -> bool:
    """Whether the account has the right, r, w or x, on the path: asked as that account, folders above included."""
    if account is None:
        return os.access(path, {"r": os.R_OK, "w": os.W_OK, "x": os.X_OK}[right])
    return ask(["test", f"-{right}", path], account).returncode == 0


def ask(command: Sequence[str | Path], account: Account | None = None) -> subprocess.CompletedProcess[str]:
    """Run a program that answers a question at once."""
    if account is None:
        return subprocess.run(command, capture_output=True, text=True, timeout=20)  # noqa: S603 - words of ours
    who, group = account.user, account.group
    return subprocess.run(  # noqa: S603 - words of ours
        command, capture_output=True, text=True, timeout=20, user=who, group=group, extra_groups=[], cwd="/"
    )
