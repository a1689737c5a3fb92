"""Codec turns messages into bytes and back, over a closed registry: a tag is looked up, never imported.

A recorded shape is never edited. A new shape gets a new tag (`order.placed.v2`) and an upcaster from the old one;
whoever reads sees today's class only.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from typing import Any, Generic, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import from_json, to_json

from events.errors import Undecodable, UnknownTag

_NUL = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")
"""A NUL character in JSON: `\\u0000`, whose backslash is not itself the second of a pair."""

_BACKSLASH = 0x5C

REMEMBERED = 2048
"""Messages that are remembered with their bytes: what one reader of a process has decoded, the others need not."""

M = TypeVar("M", bound=BaseModel)
Upcaster = Callable[[dict[str, Any]], dict[str, Any]]


class Codec(Generic[M]):
    """Bytes ⇄ one of the given classes; `upcasters` maps an old tag to its next tag and the change of its fields."""

    def __init__(self, types: Iterable[type[M]], upcasters: Mapping[str, tuple[str, Upcaster]] | None = None) -> None:
        self.types: dict[str, type[M]] = {}
        for cls in types:
            tag: str = cls.tag  # type: ignore[attr-defined]
            if not tag or tag in self.types:
                raise ValueError(f"{cls.__name__} needs a tag of its own, not {tag!r}")
            self.types[tag] = cls
        self._upcasters = dict(upcasters or {})
        for old in self._upcasters:
            self._newest(old)
        # Asking a class for its validator costs a third of what the validator needs for a small event.
        self._validate: dict[str, Callable[[bytes], M]] = {
            tag: cls.__pydantic_validator__.validate_json for tag, cls in self.types.items()
        }
        self._known = lru_cache(REMEMBERED)(self.fresh)

    def encode(self, message: M) -> bytes:
        """The message's body as JSON."""
        return message.__pydantic_serializer__.to_json(message)

    def tags(self, cls: type[BaseModel]) -> list[str]:
        """Every tag that is read as this class: its own, and those of its former shapes."""
        return [tag for tag in (*self.types, *self._upcasters) if self._newest(tag) is cls]

    def decode(self, tag: str, body: bytes) -> M:
        """The message that a body is; whoever asks again may get the same object.

        Raises:
            UnknownTag: the registry has no such tag.
            Undecodable: the body does not fit the tag; the message names the field.
        """
        return self._known(tag, body)

    def fresh(self, tag: str, body: bytes) -> M:
        """The same, always anew: for those who read history, where nothing comes twice."""
        if _BACKSLASH in body and _NUL.search(body):
            raise Undecodable(f"{tag}: a NUL character, which no database takes")
        validate = self._validate.get(tag)
        try:
            return validate(body) if validate is not None else self._upcast(tag, body)
        except ValidationError as error:
            raise Undecodable(f"{tag}: {_first(error)}") from None
        except (ValueError, KeyError, TypeError) as error:
            raise Undecodable(f"{tag}: {error}") from None

    def _upcast(self, tag: str, body: bytes) -> M:
        newest, fields = self._newest(tag), from_json(body)
        if not isinstance(fields, dict):
            raise Undecodable(f"{tag}: not an object")
        while tag in self._upcasters:
            tag, change = self._upcasters[tag]
            fields = change(fields)
        return newest.model_validate_json(to_json(fields))

    def _newest(self, tag: str) -> type[M]:
        """The class at the end of a tag's chain; a gap or a circle is found at start, not in mid-replay."""
        seen = {tag}
        while tag in self._upcasters:
            tag = self._upcasters[tag][0]
            if tag in seen:
                raise ValueError(f"the upcasters of {tag!r} go round in a circle")
            seen.add(tag)
        if tag not in self.types:
            raise UnknownTag(f"unknown tag {tag!r}")
        return self.types[tag]


def _first(error: ValidationError) -> str:
    problem = error.errors(include_url=False, include_context=False, include_input=False)[0]
    where = ".".join(str(part) for part in problem["loc"]) or "body"
    return f"{where}: {problem['msg']}"
