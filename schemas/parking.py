"""Parking is what any context can be asked: to record that a record could not be handled."""

from typing import Annotated

from pydantic import Field

from schemas.values import Command


class ParkRecord(Command, tag="record.park"):
    """Record where a record lies, why it cannot be handled, and its bytes (base64); `about` is a stream of ours."""

    about: str
    topic: str
    partition: Annotated[int, Field(ge=-1, lt=2**31)]
    offset: Annotated[int, Field(ge=-1, lt=2**63)]
    reason: str
    key: str
    value: str

    @property
    def stream(self) -> str:
        return self.about
