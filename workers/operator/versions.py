"""Versions say which code is at work."""

from importlib.metadata import PackageNotFoundError, version


def this_version() -> str:
    """The version that is installed."""
    try:
        return version("orderlog")
    except PackageNotFoundError:
        return "unknown"
