"""Version says which code this is."""

from importlib.metadata import PackageNotFoundError, version


def this_version() -> str:
    """The version that is installed."""
    try:
        return version("orderlog")
    except PackageNotFoundError:
        return "unknown"
