"""Starting and stopping a mailbox that runs as a process of its own."""

import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Self

from workers.mailbox import Mail, list_mail


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


class MailboxProcess:
    """A mailbox and its folder."""

    def __init__(self, folder: Path, *more: str) -> None:
        self.folder, self.port, self._more = folder, free_port(), more
        self.start()

    def start(self) -> None:
        command = [sys.executable, "-m", "workers.mailbox", "--port", str(self.port), "--folder", str(self.folder)]
        self.process = subprocess.Popen([*command, *self._more])
        deadline = time.monotonic() + 20
        while not self._listens():
            assert self.process.poll() is None, "the mailbox has ended"
            assert time.monotonic() < deadline, "the mailbox does not listen"
            time.sleep(0.02)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()

    def of(self, notification_id: object) -> list[Mail]:
        return [mail for mail in list_mail(self.folder) if str(notification_id) in mail.message_id]

    def _listens(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0
