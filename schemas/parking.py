"""Parking is what any context can be asked: to record that a record could not be handled."""

from schemas.values import Command


class ParkRecord(Command, tag="record.park"):
    """Record where a record lies, why it cannot be handled, and its bytes (base64); `about` is a stream of ours."""

    about: str
    topic: str
    partition: int
    offset: int
    reason: str
    key: str
    value: str

    @property
    def stream(self) -> str:
        return self.about
