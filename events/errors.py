"""The errors of the log.

LogError
├── Fenced           another writer owns the partition, or nobody knows whether an append was written
├── Unavailable      the log cannot be reached now
├── Truncated        the log begins after the position asked for: history is missing
├── TooLarge         one commit does not fit into one batch
└── Undecodable      bytes that are no message
    └── UnknownTag   a message of a type that this code does not know
"""


class LogError(Exception):
    """The base of all of these; a subclass's docstring is its message."""

    def __init__(self, detail: str = "") -> None:
        super().__init__(detail or type(self).__doc__)


class Fenced(LogError):
    """The append cannot be counted on: claim the partition again."""


class Unavailable(LogError):
    """The log cannot be reached now."""


class Truncated(LogError):
    """The log begins after the position asked for."""


class TooLarge(LogError):
    """The records of one commit do not fit into one batch."""


class Undecodable(LogError):
    """The bytes are no message."""


class UnknownTag(Undecodable):
    """The message is of a type that this code does not know."""
