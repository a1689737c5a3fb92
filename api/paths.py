"""Paths of the public API and of the contexts behind it: what clients call `/api/users/me` is `/me` inside."""

import re
from collections.abc import Callable

import msgspec
from starlette.types import Scope

PREFIX = "/api"
SECTIONS = frozenset(
    {
        "orders", "products", "payments", "notifications", "commands", "users", "customers", "spending", "revenue",
        "summary", "statistics", "projections", "dead-letters", "problems",
    }
)  # fmt: skip
"""What is called the same on both sides."""

LINKS = ("command", "resource", "next", "type")
"""Members of an answer that are paths; a problem's `instance` is the path that was asked."""

_IN_ANGLES = re.compile(r"<(/[^>]*)>")
_Fields = dict[str, msgspec.Raw]


def asked_for(scope: Scope) -> str:
    """The path of a request inside, however clients call it from outside."""
    path: str = scope["path"]
    return path.removeprefix(scope.get("root_path", ""))


def inward(path: str) -> str:
    """The path inside; empty if there is none. Both are without the prefix, and begin with a slash."""
    _, section, *rest = path.split("/")
    if {".", ".."} & {section, *rest}:
        return ""
    if section == "auth":
        below = "/".join(rest)
        return "/users" if below == "register" else f"/{below}" if below and not _known(f"/{below}") else ""
    if section == "users":
        return "/" + "/".join(rest) if rest[:1] == ["me"] else path if rest else ""
    return path if section in SECTIONS else ""


def outward(path: str, prefix: str = PREFIX) -> str:
    """The path as clients call it; what is no resource's stays as it is."""
    if path.startswith(("/me?", "/me/")) or path == "/me":
        return f"{prefix}/users{path}"
    if path == "/users":
        return f"{prefix}/auth/register"
    return f"{prefix}{path}" if _known(path) else path


def outward_of(context: str, path: str, prefix: str = PREFIX) -> str:
    """The same for the path of a context's route: the user context's others are about logging in."""
    called = outward(path, prefix)
    return f"{prefix}/auth{path}" if called == path and context == "user" else called


def relinked(body: bytes, called: Callable[[str], str], asked: str) -> bytes:
    """The JSON body with its links as clients call them; `asked` is the path that is answered."""
    if b'":"/' not in body:
        return body
    try:
        fields = msgspec.json.decode(body, type=_Fields)
    except msgspec.DecodeError:
        return body
    if "instance" in fields and "status" in fields:
        fields["instance"] = msgspec.Raw(msgspec.json.encode(asked))
    for name in LINKS:
        if bytes(fields.get(name, msgspec.Raw())).startswith(b'"/'):
            fields[name] = msgspec.Raw(msgspec.json.encode(called(msgspec.json.decode(fields[name], type=str))))
    return msgspec.json.encode(fields)


def relinked_header(value: str, called: Callable[[str], str]) -> str:
    """A Location or Link header with its paths as clients call them."""
    if value.startswith("/"):
        return called(value)
    return _IN_ANGLES.sub(lambda found: f"<{called(found[1])}>", value)


def _known(path: str) -> bool:
    section = re.split(r"[/?#]", path[1:], maxsplit=1)[0]
    return section in SECTIONS or section == "me"
