"""Transform is a table of what the gateway changes in requests and answers: headers, paths, fields, versions."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import NamedTuple

from api.naming import Naming

Headers = list[tuple[bytes, bytes]]

IDENTITY = frozenset(
    {
        "x-principal", "x-user", "x-user-id", "x-roles", "x-remote-user", "remote-user", "x-forwarded-user",
        "x-forwarded-email", "x-forwarded-groups", "x-authenticated-userid", "x-original-url", "x-rewrite-url",
        "x-forwarded-host", "x-forwarded-proto", "x-forwarded-prefix", "x-forwarded-port", "forwarded", "x-real-ip",
        "x-http-method-override", "x-http-method", "x-method-override", "cookie",
    }
)  # fmt: skip
"""What a proxy would say of a client, and a client may not say of itself."""

SECURITY = {
    "x-content-type-options": "nosniff",
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
    "cross-origin-resource-policy": "same-origin",
    "referrer-policy": "no-referrer",
    "cache-control": "no-store",
    "strict-transport-security": "max-age=31536000; includeSubDomains",
}
"""Set on every answer that does not set it itself; browsers heed the last over https alone."""


class Rule(NamedTuple):
    """What is changed below a public path: of requests headers stripped and renamed, of answers stripped and added."""

    below: str = "/"
    strip: frozenset[str] = frozenset()
    rename: Mapping[str, str] = {}
    hide: frozenset[str] = frozenset()
    add: Mapping[str, str] = {}


RULES = (
    Rule(
        strip=IDENTITY,
        rename={"x-idempotency-key": "idempotency-key", "x-correlation-id": "x-request-id"},
        hide=frozenset({"server", "x-powered-by"}),
        add=SECURITY,
    ),
)


class Version(NamedTuple):
    """A version of the public API; `paths` are what is called otherwise since, the longest beginning first.

    `fields` are those of bodies, by today's path that they are below: where a client of the version finds one, such as
    `shipping_address.zip`, and its name today, such as `postal_code`.
    """

    name: str
    paths: Mapping[str, str] = {}
    fields: Mapping[str, Mapping[str, str]] = {}
    deprecated: datetime | None = None
    sunset: datetime | None = None
    successor: str = ""

    def headers(self, path: str) -> Headers:
        """What clients are told of a version that is to end (RFC 9745, RFC 8594); `path` is its successor's."""
        said: Headers = []
        if self.deprecated:
            said.append((b"deprecation", f"@{int(self.deprecated.timestamp())}".encode()))
            said.append((b"link", f'<{path}>; rel="successor-version"'.encode()))
        if self.sunset:
            said.append((b"sunset", format_datetime(self.sunset.astimezone(UTC), usegmt=True).encode()))
        return said

    def naming(self, path: str) -> Naming | None:
        """What the bodies of a path, as it is called today, are changed by; None if they are the same."""
        rows = [named for below, named in self.fields.items() if path == below or path.startswith(f"{below}/")]
        return Naming({field: today for named in rows for field, today in named.items()}) if rows else None


VERSIONS = (Version("v1"),)
"""What stands behind the prefix, such as /api/v1/orders; without a version it is the last of these."""


def version_of(path: str, versions: Iterable[Version] = VERSIONS) -> tuple[Version | None, str]:
    """The version that a path below the prefix names, if any, and the path that is meant today."""
    _, first, *_ = path.split("/")
    version = next((version for version in versions if version.name == first), None)
    if version is None:
        return None, path
    rest = path[len(first) + 1 :] or "/"
    for old, new in version.paths.items():
        if rest == old or rest.startswith(f"{old}/"):
            return version, new + rest[len(old) :]
    return version, rest


def request_headers(rules: Iterable[Rule], path: str, headers: Headers) -> Headers:
    """A request's headers as they go on; a renamed one does not replace one that has the new name already."""
    for rule in _of(rules, path):
        kept = [(k, v) for k, v in headers if k.decode("latin-1") not in rule.strip]
        there = {k for k, _ in kept}
        names = {old.encode(): new.encode() for old, new in rule.rename.items() if new.encode() not in there}
        headers = [(names.get(k, k), v) for k, v in kept]
    return headers


def answer_headers(rules: Iterable[Rule], path: str, headers: Headers) -> Headers:
    """An answer's headers as they go out."""
    for rule in _of(rules, path):
        headers = [(k, v) for k, v in headers if k.decode("latin-1") not in rule.hide]
        there = {k for k, _ in headers}
        headers += [(k.encode(), v.encode()) for k, v in rule.add.items() if k.encode() not in there]
    return headers


def _of(rules: Iterable[Rule], path: str) -> list[Rule]:
    return [rule for rule in rules if path.startswith(rule.below)]
