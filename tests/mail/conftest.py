"""One mailbox for all tests of this folder, in its normal mode before each."""

from collections.abc import Iterator

import pytest

from tests.mail.mailbox import MailboxProcess
from workers.mailbox import set_mode


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="session")
def listening(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MailboxProcess]:
    with MailboxProcess(tmp_path_factory.mktemp("mailbox") / "mail") as mailbox:
        yield mailbox


@pytest.fixture
def mailbox(listening: MailboxProcess) -> MailboxProcess:
    set_mode(listening.folder, "normal")
    return listening
