"""Personal says which texts of a command are sealed, and seals them: those that are marked so in its fields."""

from collections.abc import Iterator
from functools import cache
from types import UnionType
from typing import Any, Union, get_args, get_origin

from pydantic import BaseModel

from schemas.sealing import PersonKey
from schemas.values import PERSONAL, Command

Plan = tuple[tuple[str, "Plan | None"], ...]
"""Names of fields, each with the plan of what is inside; None for a text that is sealed itself."""


@cache
def plan_of(model: type[BaseModel]) -> Plan:
    """Where a model has personal texts."""
    found: list[tuple[str, Plan | None]] = []
    for name, field in model.model_fields.items():
        if _is_personal(field.metadata, field.annotation):
            found.append((name, None))
        elif inside := [plan for cls in _models(field.annotation) if (plan := plan_of(cls))]:
            found.append((name, inside[0]))
    return tuple(found)


def tells(command: Command) -> bool:
    """Whether there is anything personal in a command; what it says by default is nobody's."""
    return _tells(command, plan_of(type(command)))


def sealed(command: Command, key: PersonKey) -> Command:
    """The command as it may be recorded."""
    recorded: Command = _sealed(command, plan_of(type(command)), key)
    return recorded


def _tells(model: BaseModel, plan: Plan) -> bool:
    return any(inside is None or _tells(said, inside) for _, inside, said in _said(model, plan))


def _sealed(model: Any, plan: Plan, key: PersonKey) -> Any:
    changes = {
        name: key.seal(name, said) if inside is None else _sealed(said, inside, key)
        for name, inside, said in _said(model, plan)
    }
    return model.model_copy(update=changes)


def _said(model: BaseModel, plan: Plan) -> Iterator[tuple[str, Plan | None, Any]]:
    """What is said in the fields of a plan: neither nothing nor the default."""
    for name, inside in plan:
        said = getattr(model, name)
        if said and said != type(model).model_fields[name].default:
            yield name, inside, said


def _is_personal(metadata: list[Any], annotation: Any) -> bool:
    inside = [part for member in _members(annotation) for part in getattr(member, "__metadata__", ())]
    return PERSONAL in metadata or PERSONAL in inside


def _models(annotation: Any) -> list[type[BaseModel]]:
    found = [getattr(member, "__origin__", member) for member in _members(annotation)]
    return [cls for cls in found if isinstance(cls, type) and issubclass(cls, BaseModel)]


def _members(annotation: Any) -> tuple[Any, ...]:
    """The parts of a union, or the annotation itself; the inside of lists has no personal texts (a test says so)."""
    return get_args(annotation) if get_origin(annotation) in (Union, UnionType) else (annotation,)
