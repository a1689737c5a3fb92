"""Supposed is a module that says what is to be different, given by its path, and checked before anything is run."""

import sys
import traceback
from collections.abc import Sequence
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Any

from aggregates.decider import Decider
from projections.registry import PROJECTIONS
from projections.view import Projection
from schemas.settings import CONTEXTS
from workers.analyst.rerun import Rule
from workers.deciders import decider_of
from workers.operator.terms import Exit, Refused

SAYS = """CONTEXT = "order", and at least one of
  DECIDER = …               other rules over the recorded commands
  def change(command): …    another command, or None for none
  PROJECTIONS = (…,)        other read models over the recorded events
  def change_event(event)   another event, or None for none"""


def supposed(path: Path, context: str | None) -> tuple[str, Rule, Rule]:
    """The context, its rule as it is, and the one that a module supposes.

    Raises:
        Refused: the module cannot be loaded, or does not say what is to be different.
    """
    module = _loaded(path)
    decider, projections = _decider(module, path), _projections(module, path)
    change, change_event = (_callable(module, name, path) for name in ("change", "change_event"))
    if not (decider or projections or change or change_event):
        raise Refused(f"{path} changes nothing. A module says {SAYS}")
    if (decider or change) and change_event:
        raise Refused(
            f"{path} changes events, which are made anew where commands are decided again: say one of the two"
        )
    where = _context(module, decider, projections, context, path)
    ordinary, again = PROJECTIONS[where], decider is not None or change is not None
    names = {model.name: model for model in projections}
    base = Rule("the rule as it is", decider_of(where) if again else None, ordinary)
    models = [names.pop(model.name, model) for model in ordinary] + list(names.values())
    other = Rule(str(path), decider or base.decider, models, change, change_event)
    return where, base, other


def _loaded(path: Path) -> ModuleType:
    if not path.is_file() or path.suffix != ".py":
        raise Refused(f"there is no Python file {path}", Exit.UNKNOWN)
    spec = spec_from_file_location(f"what_if_{path.stem}", path)
    assert spec is not None  # noqa: S101  a .py file has a loader
    assert spec.loader is not None  # noqa: S101
    module = module_from_spec(spec)
    sys.modules[module.__name__] = module
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        line = next((f.lineno for f in traceback.extract_tb(error.__traceback__) if f.filename == str(path)), None)
        line = error.lineno if isinstance(error, SyntaxError) else line
        raise Refused(f"{path} cannot be loaded: {error!r}{f' in line {line}' if line else ''}") from error
    return module


def _decider(module: ModuleType, path: Path) -> Decider | None:
    found = getattr(module, "DECIDER", None)
    if found is not None and not isinstance(found, Decider):
        raise Refused(f"DECIDER in {path} is no Decider but {type(found).__name__}")
    return found


def _projections(module: ModuleType, path: Path) -> Sequence[Projection]:
    found: Any = getattr(module, "PROJECTIONS", ())
    if not isinstance(found, list | tuple) or not all(isinstance(each, Projection) for each in found):
        raise Refused(f"PROJECTIONS in {path} is no tuple of Projection")
    return found


def _callable(module: ModuleType, name: str, path: Path) -> Any:
    found = getattr(module, name, None)
    if found is not None and not callable(found):
        raise Refused(f"{name} in {path} is no function")
    return found


def _context(
    module: ModuleType, decider: Decider | None, projections: Sequence[Projection], asked: str | None, path: Path
) -> str:
    said = {each.context for each in (decider, *projections) if each is not None}
    said |= {name for name in (asked, getattr(module, "CONTEXT", None)) if name}
    if len(said) > 1:
        raise Refused(f"{path} is of several contexts, {', '.join(sorted(said))}: a run is of one")
    if not said:
        raise Refused(f'{path} does not say of which context it is: CONTEXT = "order" in it, or --context')
    [context] = said
    if context not in CONTEXTS:
        raise Refused(f"there is no context {context!r}; there are: {', '.join(CONTEXTS)}", Exit.UNKNOWN)
    return context
