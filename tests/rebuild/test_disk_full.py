"""The disk is full in the middle of a rebuild: readers see what they saw, and with more room it goes on."""

import os
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from projections.postgres import DatabaseUnavailable
from schemas.settings import Settings
from tests.rebuild.past import ORDERS_WRITTEN, count, fill, versions_on
from workers.local.account import for_postgres
from workers.rebuild import nothing

pytestmark = [pytest.mark.infra, pytest.mark.anyio]

SMALL, LARGE = "256k", "64m"


@pytest.fixture
def disk() -> Iterator[Path]:
    """A small disk, in memory, that Postgres may write to."""
    folder = Path(tempfile.mkdtemp(prefix="small-disk-"))
    mounted = _mount(folder, f"size={SMALL}")
    if mounted.returncode:
        folder.rmdir()
        pytest.skip(f"no disk of our own can be had here: {mounted.stderr.strip()}")
    try:
        if account := for_postgres(folder / "none"):
            os.chown(folder, account.user, account.group)
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)
        folder.rmdir()


def _mount(folder: Path, options: str) -> subprocess.CompletedProcess[str]:
    command = ["mount", "-t", "tmpfs", "-o", options, "tests", str(folder)]
    return subprocess.run(command, capture_output=True, text=True)


async def test_a_full_disk_touches_nothing_that_readers_see(past: Settings, disk: Path) -> None:
    async with versions_on(past) as versions:
        [live] = [v for v in await versions.all() if v.name == "orders" and v.live]
        before = await count(versions, "orders")
        with psycopg.connect(past.postgres, autocommit=True) as postgres:
            postgres.execute(f"CREATE TABLESPACE small LOCATION '{disk}'")
            postgres.execute("ALTER DATABASE orderlog_order SET default_tablespace = small")
    async with versions_on(past) as versions:  # connections that have the setting
        with pytest.raises(DatabaseUnavailable, match="No space left on device"):
            await fill(past, versions, nothing)
        [building] = [v for v in await versions.all() if v.name == "orders" and v.state == "building"]
        assert not building.live
        assert [v.number for v in await versions.all() if v.name == "orders" and v.live] == [live.number]
        assert await count(versions, "orders") == before

        assert _mount(disk, f"remount,size={LARGE}").returncode == 0
        mended = await fill(past, versions, nothing)
        assert mended.number == building.number, "it went on with the same one"
        assert await count(versions, mended.table) == ORDERS_WRITTEN
        await versions.drop(mended)
    with psycopg.connect(past.postgres, autocommit=True) as postgres:
        postgres.execute("ALTER DATABASE orderlog_order RESET default_tablespace")
