"""PrintClient makes schemas/client/calls.py from the OpenAPI document: `python -m api.print_client`."""

import keyword
import re
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from api.print_openapi import document

FILE = Path(__file__).parent.parent / "schemas/client/calls.py"
PREFACE = '''"""What may be asked of the API, and what it answers; printed by `make docs`, not for editing."""

from __future__ import annotations

from typing import Any, Literal, NotRequired, TypedDict

from schemas.client.connection import Connection, part
'''
PLAIN = {"string": "str", "integer": "int", "number": "float", "boolean": "bool", "null": "None"}
STREAM = "text/event-stream"
SAID_OTHERWISE = {"Idempotency-Key": "key", "Prefer": "wait"}
"""Headers that have a name of their own among the arguments."""

Schema = dict[str, Any]


def client() -> str:
    """schemas/client/calls.py."""
    said = document()
    shapes = [_shape(name, schema) for name, schema in sorted(said["components"]["schemas"].items())]
    calls = [line for path, methods in said["paths"].items() for call in _calls(path, methods) for line in call]
    text = "\n\n".join([PREFACE, *shapes, "\n".join(["class Client(Connection):", *_ABOUT, *calls])])
    return _formatted(text + "\n")


_ABOUT = [
    '    """The API\'s operations. `key` is an Idempotency-Key, made if there is none; `wait` are seconds."""',
    "",
]


def _shape(name: str, schema: Schema) -> str:
    if not schema.get("properties"):
        return f"{name} = {_type(schema)}"
    needed = schema.get("required", [])
    fields = {
        field: _type(part) if field in needed else f"NotRequired[{_type(part)}]"
        for field, part in schema["properties"].items()
    }
    if not all(map(_usable, fields)):
        return f"{name} = TypedDict({name!r}, {_dict(fields.items())})"
    return "\n".join([f"class {name}(TypedDict):", *(f"    {field}: {kind}" for field, kind in fields.items())])


def _usable(name: str) -> bool:
    return name.isidentifier() and not keyword.iskeyword(name)


def _type(schema: Schema) -> str:
    """What a value of the schema is in Python."""
    if "$ref" in schema:
        return str(schema["$ref"].rpartition("/")[2])
    if "const" in schema:
        return f"Literal[{schema['const']!r}]"
    if "enum" in schema:
        return f"Literal[{', '.join(map(repr, schema['enum']))}]"
    if choices := schema.get("anyOf") or schema.get("oneOf"):
        return _either(_type(choice) for choice in choices)
    kind = schema.get("type")
    if kind == "array":
        return f"list[{_type(schema.get('items', {}))}]"
    if kind == "object":
        rest = schema.get("additionalProperties")
        return f"dict[str, {_type(rest) if isinstance(rest, dict) else 'Any'}]"
    return PLAIN.get(str(kind), "Any")


def _either(kinds: Iterable[str]) -> str:
    found = list(dict.fromkeys(kinds))
    return "Any" if "Any" in found else " | ".join(found)


def _calls(path: str, methods: Schema) -> Iterator[list[str]]:
    for method, operation in methods.items():
        if _is_json(operation) and not _streams(operation):
            yield _call(path, method.upper(), operation)


def _is_json(operation: Schema) -> bool:
    """Whether it takes no form: those are sent by providers and mail programs."""
    return "application/json" in operation.get("requestBody", {}).get("content", ["application/json"])


def _streams(operation: Schema) -> bool:
    """Whether the answer is a stream of events, which the connection follows by hand."""
    return STREAM in operation["responses"].get("200", {}).get("content", {})


def _call(path: str, method: str, operation: Schema) -> list[str]:
    parameters = operation.get("parameters", [])
    place = {kind: [each for each in parameters if each["in"] == kind] for kind in ("path", "query", "header")}
    body = operation.get("requestBody")
    arguments = ["self", *(f"{_argument(each)}: str" for each in place["path"])]
    if body:
        kind = _type(_json(body))
        arguments.append(f"body: {kind}" if body["required"] else f"body: {kind} | None = None")
    if named := [*place["query"], *place["header"]]:
        arguments += ["*", *(f"{_argument(each)}: {_optional(each)}" for each in sorted(named, key=_is_optional))]
    filled = re.sub(r"{(\w+)}", r"{part(\1)}", path)
    known = [f"{method!r}, {'f' if place['path'] else ''}{filled!r}"]
    if place["query"]:
        known.append(f"query={_dict((each['name'], _argument(each)) for each in place['query'])}")
    if place["header"]:
        known.append(f"headers={_dict((each['name'], _header(each)) for each in place['header'])}")
    if body:
        known.append("body=body" if body["required"] else "body=body or {}")
    if any(each["name"] == "Idempotency-Key" for each in place["header"]):
        known.append("keyed=True")
    returned = _either(_type(_json(answer)) for status, answer in operation["responses"].items() if status[0] == "2")
    about = (operation.get("description") or operation["summary"]).partition("\n")[0]
    return [
        f"    async def {operation['operationId']}({', '.join(arguments)}) -> {returned}:",
        f'        """{about}"""',
        *(_returned(f"await self.ask({', '.join(known)})", returned)),
        "",
    ]


def _dict(entries: Iterable[tuple[str, str]]) -> str:
    return "{" + ", ".join(f"{name!r}: {value}" for name, value in entries) + "}"


def _returned(call: str, kind: str) -> list[str]:
    """Any is what is asked for, and a type of its own is promised."""
    return (
        [f"        return {call}"] if kind == "Any" else [f"        answer: {kind} = {call}", "        return answer"]
    )


def _json(part: Schema) -> Schema:
    found: Schema = part.get("content", {}).get("application/json", {}).get("schema", {})
    return found


def _argument(parameter: Schema) -> str:
    name = SAID_OTHERWISE.get(parameter["name"]) or re.sub(r"\W", "_", parameter["name"]).lower()
    return f"{name}_" if keyword.iskeyword(name) else name


def _is_optional(parameter: Schema) -> bool:
    return not parameter.get("required")


def _optional(parameter: Schema) -> str:
    kind = "int" if parameter["name"] == "Prefer" else _type(parameter.get("schema", {}))
    if not _is_optional(parameter):
        return kind
    return f"{kind} = None" if kind == "Any" or kind.endswith("None") else f"{kind} | None = None"


def _header(parameter: Schema) -> str:
    return 'f"wait={wait}" if wait else None' if parameter["name"] == "Prefer" else _argument(parameter)


def _formatted(text: str) -> str:
    """As `make check` wants it."""
    command = [sys.executable, "-m", "ruff", "format", "--stdin-filename", str(FILE), "-"]
    return subprocess.run(command, input=text, capture_output=True, text=True, check=True).stdout  # noqa: S603


if __name__ == "__main__":
    FILE.write_text(client(), encoding="utf-8", newline="\n")
