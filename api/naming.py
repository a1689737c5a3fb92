"""Naming is what an older version of the API calls the fields of JSON bodies: in requests, answers and problems.

A row says where clients of the version find a field, and its name today: `{"address.zip": "postal_code"}`. Lists on the
way are gone through.
"""

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

import msgspec

from api.bodies import repeated
from api.problems import field_error, invalid

Tree: TypeAlias = dict[str, tuple[str, "Tree"]]
"""By name: its other name, and the tree of what is below."""
Where: TypeAlias = tuple[str | int, ...]

LIST = "items"
"""Where a list's rows are: each is called as the one thing is."""


class Naming:
    """The names of a version, both ways. What is no JSON stays as it is: it is refused further in."""

    def __init__(self, rows: Mapping[str, str]) -> None:
        self._inward = _tree(rows)
        self._outward = _turned(self._inward)
        self._listed = {LIST: (LIST, self._outward), **self._outward}

    def request(self, body: bytes) -> bytes:
        """A request's body as it is understood today.

        Raises:
            Problem: 422, for fields that the version calls otherwise, or that are there more than once.
        """
        foreign: list[tuple[Where, str]] = []
        try:
            renamed = _renamed(body, self._inward, foreign)
            twice = repeated(body) if renamed != body else []
        except (msgspec.MsgspecError, ValueError, RecursionError):
            return body
        if foreign:
            raise invalid([field_error(where, f"is called {name} in this version", "name") for where, name in foreign])
        if twice:
            raise invalid(twice)
        return renamed

    def answer(self, body: bytes) -> bytes:
        """An answer as the version has it; what would be taken for one of its fields, and is another, is left out."""
        try:
            return _renamed(body, self._listed, [])
        except msgspec.MsgspecError:
            return body

    def problem(self, body: bytes) -> bytes:
        """A problem that names fields as the request did."""
        said: dict[str, Any] = msgspec.json.decode(body)
        errors = [self._told(error) for error in said.get("errors", ())]
        if not errors:
            return body
        for was, now in zip(said["errors"], errors, strict=True):
            said["detail"] = said["detail"].replace(_line(was), _line(now))
        return msgspec.json.encode({**said, "errors": errors})

    def _told(self, error: Mapping[str, str]) -> dict[str, str]:
        parts = [part.replace("~1", "/").replace("~0", "~") for part in error["pointer"].split("/")[1:]]
        return field_error(_called(parts, self._outward), error["detail"], error["code"])


def _tree(rows: Mapping[str, str]) -> Tree:
    tree: Tree = {}
    for path, today in rows.items():
        *above, last = path.split(".")
        place = tree
        for name in above:
            place = place.setdefault(name, (name, {}))[1]
        place[last] = (today, place.get(last, ("", {}))[1])
    return tree


def _turned(tree: Tree) -> Tree:
    return {other: (name, _turned(below)) for name, (other, below) in tree.items()}


def _renamed(raw: bytes, tree: Tree, foreign: list[tuple[Where, str]], where: Where = ()) -> bytes:
    """The JSON under the tree's other names, without what has such a name already; that is added to `foreign`."""
    first = raw.lstrip()[:1]
    if first == b"[":
        rows = msgspec.json.decode(raw, type=list[msgspec.Raw])
        return _encoded([_renamed(bytes(row), tree, foreign, (*where, n)) for n, row in enumerate(rows)])
    if first != b"{":
        return raw
    taken = {other: name for name, (other, _) in tree.items() if other not in tree}
    renamed: dict[str, bytes] = {}
    for name, value in msgspec.json.decode(raw, type=dict[str, msgspec.Raw]).items():
        if name in taken:
            foreign.append(((*where, name), taken[name]))
            continue
        other, below = tree.get(name, (name, {}))
        renamed[other] = _renamed(bytes(value), below, foreign, (*where, name)) if below else bytes(value)
    return _encoded(renamed)


def _encoded(parts: list[bytes] | dict[str, bytes]) -> bytes:
    if isinstance(parts, list):
        return msgspec.json.encode([msgspec.Raw(part) for part in parts])
    return msgspec.json.encode({name: msgspec.Raw(part) for name, part in parts.items()})


def _called(parts: Sequence[str], tree: Tree) -> list[str]:
    """The way to a field in the tree's other names; a list's numbers stay."""
    called = []
    for part in parts:
        other, below = tree.get(part, (part, tree if part.isdigit() else {}))
        called.append(other)
        tree = below
    return called


def _line(error: Mapping[str, str]) -> str:
    return f"{error['field']}: {error['detail']}"
