"""A real Kafka and a real Postgres on a machine that has neither, and child processes that leave no orphans."""

from workers.local.child import ChildProcess
from workers.local.errors import LauncherError, Unavailable
from workers.local.fetch import Progress
from workers.local.resolve import Server
from workers.local.servers import Servers, addresses, clean

__all__ = ["ChildProcess", "LauncherError", "Progress", "Server", "Servers", "Unavailable", "addresses", "clean"]
