"""What can go wrong in starting a server of one's own.

LauncherError          the text says what was tried and what to do
└── Unavailable        one way of several is not possible here; the next one is tried
"""


class LauncherError(Exception):
    """No server could be started, or the data folder is in use."""


class Unavailable(LauncherError):
    """This way of getting a server is not possible on this machine."""
