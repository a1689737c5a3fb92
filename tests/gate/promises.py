"""Promises are what others rely on: that recorded events can be read, that clients' requests are taken, and that
answers hold what they held.
"""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from tests.gate.narrowing import Pair, Schema, narrowed, resolved

JSON = "application/json"
METHODS = ("get", "put", "post", "delete", "patch")


class Broken(NamedTuple):
    """A promise that the code does not keep any more, and the way out."""

    where: str
    field: str
    why: str
    way_out: str

    def __str__(self) -> str:
        return f"{self.where}: {f'{self.field} ' if self.field else ''}{self.why}\n    {self.way_out}"


def promised(root: Path) -> tuple[dict[str, Schema], Schema]:
    """What is checked in: the messages by tag, and the API."""
    messages = {path.stem: json.loads(path.read_text()) for path in (root / "schemas/json").glob("*.json")}
    api = root / "schemas/openapi.json"
    return messages, json.loads(api.read_text()) if api.exists() else {}


def broken_messages(old: Mapping[str, Schema], new: Mapping[str, Schema]) -> Iterator[Broken]:
    """What is recorded, or lies on a topic, and cannot be read any more."""
    for tag, was in sorted(old.items()):
        event = tag.rpartition(".v")[2].isdigit()
        way_out = (
            "Events are for ever: give the field a default, or record a new version and write an upcaster."
            if event
            else "Commands lie on their topics for 7 days: give the field a default, or take both for so long."
        )
        if tag not in new:
            yield Broken(tag, "", "is not there any more", "Its class must stay for as long as there are logs.")
            continue
        for field, why in narrowed(Pair(was, new[tag]), was, new[tag]):
            yield Broken(tag, field, why, way_out)


def broken_api(old: Schema, new: Schema) -> Iterator[Broken]:
    """What clients send that is not taken any more, and what they are used to and do not get."""
    for path, method, was in operations(old):
        where = f"{method.upper()} {path}"
        now = new.get("paths", {}).get(path, {}).get(method)
        if now is None:
            yield Broken(where, "", "is gone", "Clients call it: keep it, marked as deprecated, until its sunset.")
            continue
        yield from _requests(Pair(old, new), where, was, now)
        yield from _answers(Pair(old, new), where, was, now)


def operations(document: Schema) -> Iterator[tuple[str, str, Schema]]:
    """Path, method and operation of all that can be called."""
    for path, methods in document.get("paths", {}).items():
        for method in METHODS:
            if method in methods:
                yield path, method, methods[method]


def _requests(pair: Pair, where: str, was: Schema, now: Schema) -> Iterator[Broken]:
    way_out = "Clients of yesterday send it as it was: take both, or offer a new path."
    had, has = _parameters(pair.old, was), _parameters(pair.new, now)
    for name, parameter in has.items():
        if parameter.get("required") and not had.get(name, {}).get("required"):
            yield Broken(where, name, "has become required", way_out)
    for name, parameter in had.items():
        if name not in has:
            yield Broken(where, name, "is not known any more", way_out)
            continue
        for field, why in narrowed(pair, parameter.get("schema", {}), has[name].get("schema", {}), name):
            yield Broken(where, field, why, way_out)
    before, after = was.get("requestBody", {}), now.get("requestBody", {})
    if after.get("required") and not before.get("required"):
        yield Broken(where, "body", "has become required", way_out)
    if (old := _body(before)) is not None and (new := _body(after)) is not None:
        for field, why in narrowed(pair, old, new):
            yield Broken(where, f"body.{field}" if field else "body", why, way_out)


def _parameters(document: Schema, operation: Schema) -> dict[str, Schema]:
    every = [resolved(document, parameter) for parameter in operation.get("parameters", [])]
    return {f"{each['in']} {each['name']}": each for each in every}


def _answers(pair: Pair, where: str, was: Schema, now: Schema) -> Iterator[Broken]:
    way_out = "Clients of yesterday read it: keep the field, and add others beside it."
    for status, answer in was["responses"].items():
        old, new = _body(answer), _body(now["responses"].get(status, {}))
        if old is None or not status.startswith("2"):
            continue
        if new is None:
            yield Broken(where, f"answer {status}", "has no described body any more", way_out)
            continue
        yield from _lost(pair, where, f"answer {status}", old, new, way_out)


def _lost(pair: Pair, where: str, what: str, old: Schema, new: Schema, way_out: str) -> Iterator[Broken]:
    """What a client that knows `old` does not find in `new`: an answer may hold more, never less."""
    old, new = resolved(pair.old, old), resolved(pair.new, new)
    if "items" in old and "items" in new:
        yield from _lost(pair, where, f"{what}.[]", old["items"], new["items"], way_out)
        return
    if "properties" not in old:
        for field, why in narrowed(Pair(pair.new, pair.old), new, old) if old else ():
            yield Broken(
                where, f"{what}{f'.{field}' if field else ''}", f"has changed: seen from a client, {why}", way_out
            )
        return
    has = new.get("properties", {})
    for name, part in old["properties"].items():
        if name not in has:
            yield Broken(where, f"{what}.{name}", "is not there any more", way_out)
            continue
        if name in old.get("required", ()) and name not in new.get("required", ()):
            yield Broken(where, f"{what}.{name}", "was always there, and may be missing", way_out)
        yield from _lost(pair, where, f"{what}.{name}", part, has[name], way_out)


def _body(part: Schema) -> Any:
    """The schema of a body, if it is described."""
    return part.get("content", {}).get(JSON, {}).get("schema")
