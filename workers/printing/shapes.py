"""Shapes are JSON Schemas of commands and events: as files, as parts of a larger document, and in words."""

import json
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema

from events.registry import command_codec, event_codec

DIALECT = "https://json-schema.org/draft/2020-12/schema"
FILE_REF = "#/$defs/{model}"


class _Plain(GenerateJsonSchema):
    """Without titles that say a field's name again."""

    def field_title_should_be_set(self, schema: Any) -> bool:
        return False


def schema_of(model: type[BaseModel], ref: str = FILE_REF) -> dict[str, Any]:
    """The JSON Schema of a message's body."""
    return model.model_json_schema(ref_template=ref, schema_generator=_Plain)


def files() -> dict[str, str]:
    """schemas/json/<tag>.json, one per command and event."""
    return {f"schemas/json/{tag}.json": dumped(_document(tag, model)) for tag, model in models().items()}


def models() -> dict[str, type[BaseModel]]:
    """Every message there is, by tag."""
    return {**command_codec.types, **event_codec.types}


def dumped(document: Any) -> str:
    """As a file."""
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def _document(tag: str, model: type[BaseModel]) -> dict[str, Any]:
    return {"$schema": DIALECT, "$id": f"{tag}.json", **schema_of(model)}


def fields(model: type[BaseModel]) -> list[str]:
    """Each field as `name: type`, in words, as a reader of the catalogue wants it."""
    schema = schema_of(model)
    required = schema.get("required", [])
    return [
        f"{name}: {in_words(part)}" + ("" if name in required else f" = {_default(part)}")
        for name, part in schema.get("properties", {}).items()
    ]


def in_words(part: dict[str, Any]) -> str:
    """A part of a schema, such as `integer 1 … 100000`."""
    if "$ref" in part:
        return str(part["$ref"]).rpartition("/")[2]
    if "anyOf" in part:
        return " or ".join(in_words(choice) for choice in part["anyOf"])
    if "enum" in part:
        return " or ".join(json.dumps(choice) for choice in part["enum"])
    if part.get("type") == "array":
        return f"list of {in_words(part['items'])}" + _between(part.get("minItems"), part.get("maxItems"))
    if part.get("format"):
        return str(part["format"])
    if "pattern" in part:
        return f"string {part['pattern']}"
    kind = str(part.get("type", "anything"))
    return (
        kind
        + _between(part.get("minimum"), part.get("maximum"))
        + _between(part.get("minLength"), part.get("maxLength"), " characters")
    )


def _between(least: int | None, most: int | None, unit: str = "") -> str:
    if least is None and most is None:
        return ""
    if most is None:
        return f", at least {least}{unit}"
    return f", {least or 0} … {most}{unit}"


def _default(part: dict[str, Any]) -> str:
    return json.dumps(part.get("default"), ensure_ascii=False)
