"""Narrowing is what a new JSON Schema refuses of the values that an old one allowed, field by field.

It knows the parts of JSON Schema that pydantic prints. Reasons are for people; whether two schemas fit is held against
jsoncompat in tests/gate/test_gate.py.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

Schema = dict[str, Any]

LOWEST = ("minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties")
HIGHEST = ("maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties")
DEEP = 40
"""No value nests deeper than this; a schema may refer to itself."""


class Pair(NamedTuple):
    """Two documents: what was promised, and what is printed now. References lead into either's own."""

    old: Schema
    new: Schema


class Narrowed(NamedTuple):
    """A value that was good, and is not any more: which field, and why. The field is empty for the whole."""

    field: str
    why: str


def narrowed(pair: Pair, old: Schema, new: Schema, field: str = "", deep: int = 0) -> Iterator[Narrowed]:
    """Every way in which `new` refuses what `old` allowed. Objects hold no fields but those that are named."""
    old, new = resolved(pair.old, old), resolved(pair.new, new)
    if deep > DEEP or new in ({}, True):
        return
    if branches := _branches(old):
        for branch in branches:
            yield from narrowed(pair, branch, new, field, deep + 1)
        return
    if branches := _branches(new):
        refusals = [list(narrowed(pair, old, branch, field, deep + 1)) for branch in branches]
        yield from min(refusals, key=len)
        return
    if differing := list(_kinds(old, new, field)):
        yield from differing
        return
    yield from _values(old, new, field)
    yield from _bounds(old, new, field)
    yield from _properties(pair, old, new, field, deep)
    if "items" in new:
        yield from narrowed(pair, old.get("items", {}), new["items"], f"{field}[]", deep + 1)


def resolved(document: Schema, schema: Schema) -> Schema:
    """What a reference leads to."""
    while "$ref" in schema:
        part: Any = document
        for step in schema["$ref"].removeprefix("#/").split("/"):
            part = part[step]
        schema = {**part, **{name: more for name, more in schema.items() if name != "$ref"}}
    return schema


def _branches(schema: Schema) -> list[Schema]:
    if choices := schema.get("anyOf") or schema.get("oneOf"):
        return list(choices)
    if isinstance(kinds := schema.get("type"), list):
        return [{**schema, "type": kind} for kind in kinds]
    return []


def _kinds(old: Schema, new: Schema, field: str) -> Iterator[Narrowed]:
    was, now = old.get("type"), new.get("type")
    if now is None or was == now or (was, now) == ("integer", "number"):
        return
    if was is None and "const" not in old and "enum" not in old:
        yield Narrowed(field, f"was anything, and is {now}")
    elif was is not None:
        yield Narrowed(field, f"was {was}, and is {now}")


def _values(old: Schema, new: Schema, field: str) -> Iterator[Narrowed]:
    allowed, known = _listed(new), _listed(old)
    if allowed is None:
        return
    if known is None:
        yield Narrowed(field, f"was any {old.get('type', 'value')}, and is one of {allowed}")
    elif gone := [value for value in known if value not in allowed]:
        yield Narrowed(field, f"may not be {', '.join(map(repr, gone))} any more")


def _listed(schema: Schema) -> list[Any] | None:
    return [schema["const"]] if "const" in schema else schema.get("enum")


def _bounds(old: Schema, new: Schema, field: str) -> Iterator[Narrowed]:
    if _listed(old) is not None:
        return
    for name in (*LOWEST, *HIGHEST):
        was, now = old.get(name), new.get(name)
        if now is None or (name == "minLength" and now == 0):
            continue
        if was is None or (was < now if name in LOWEST else was > now):
            yield Narrowed(field, f"{name} was {'none' if was is None else was}, and is {now}")
    if new.get("pattern") not in (None, old.get("pattern")):
        yield Narrowed(field, f"pattern was {old.get('pattern', 'none')}, and is {new['pattern']}")


def _properties(pair: Pair, old: Schema, new: Schema, field: str, deep: int) -> Iterator[Narrowed]:
    had, has = old.get("properties", {}), new.get("properties", {})
    for name in sorted(set(new.get("required", ())) - set(old.get("required", ()))):
        yield Narrowed(_inside(field, name), "has become required: what is there already may lack it")
    for name, part in had.items():
        if name in has:
            yield from narrowed(pair, part, has[name], _inside(field, name), deep + 1)
        elif isinstance(rest := new.get("additionalProperties"), dict):
            yield from narrowed(pair, part, rest, _inside(field, name), deep + 1)
        elif rest is not True and (has or rest is False):
            yield Narrowed(_inside(field, name), "is not known any more")
    was, now = old.get("additionalProperties"), new.get("additionalProperties")
    free = was is True or isinstance(was, dict) or (was is None and not had and old.get("type") == "object")
    if isinstance(was, dict) and isinstance(now, dict):
        yield from narrowed(pair, was, now, f"{field}.*", deep + 1)
    elif free and (now is False or (has and now is None)):
        yield Narrowed(field, "held any fields, and holds only those that are named")


def _inside(field: str, name: str) -> str:
    return f"{field}.{name}" if field else name
