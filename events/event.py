"""Event is the base of everything that is recorded: frozen, tolerant of fields it does not know, tagged for ever."""

from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict


class Event(BaseModel):
    """A fact about one aggregate; the tag, such as `order.placed.v1`, never changes once recorded."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    tag: ClassVar[str] = ""

    def __init_subclass__(cls, *, tag: str = "", **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        cls.tag = tag

    @property
    def stream(self) -> str:
        """The aggregate that this happened to, such as `order-<uuid>`."""
        raise NotImplementedError
