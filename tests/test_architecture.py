"""The architecture is what .importlinter says in sentences, and what every context has in common."""

import ast
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from events.registry import EVENTS
from projections.registry import PROJECTIONS
from schemas.settings import CONTEXTS
from tests.golden.examples import EVENTS as EXAMPLES
from workers import notification, order, payment, product

ROOT = Path(__file__).parents[1]
LAYERS = ("schemas", "events", "aggregates", "projections")
REACTING = tuple(context for context in CONTEXTS if context != "user")
"""Users listen to nobody yet."""
TABLES = {"order": order, "product": product, "payment": payment, "notification": notification}

CLOCKS = {"now", "utcnow", "today", "monotonic"}

UNHEARD: set[str] = set()
"""Kept for history alone."""


def test_every_import_contract_is_kept() -> None:
    lint = Path(sys.executable).with_name("lint-imports")
    found = subprocess.run([lint, "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert found.returncode == 0, found.stdout[found.stdout.find("Contracts") :] + found.stderr


def test_every_package_is_installed() -> None:
    installed = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["packages"]
    found = {
        path.parent.relative_to(ROOT)
        for layer in (*LAYERS, "workers", "api")
        for path in (ROOT / layer).rglob("__init__.py")
    }
    assert sorted(installed) == sorted(".".join(folder.parts) for folder in found)


def test_every_context_has_the_same_files() -> None:
    wanted = [f"{layer}/{context}.py" for context in CONTEXTS for layer in LAYERS]
    wanted += [f"workers/{context}.py" for context in REACTING]
    wanted += [f"tests/{layer}/test_{context}.py" for context in CONTEXTS for layer in ("aggregates", "projections")]
    wanted += [f"tests/workers/test_{context}_reactions.py" for context in REACTING]
    folders = {file: (ROOT / file).with_suffix("") / "__init__.py" for file in wanted}
    assert [file for file, folder in folders.items() if not (ROOT / file).is_file() and not folder.is_file()] == []


@pytest.mark.parametrize("context", REACTING)
def test_a_context_listens_to_others_and_hears_each_event_once(context: str) -> None:
    heard = [reaction.event for reaction in TABLES[context].REACTIONS]
    assert len(set(heard)) == len(heard)
    assert set(heard).isdisjoint(EVENTS[context])


def test_no_reaction_lives_outside_its_table() -> None:
    for worker in TABLES.values():
        listed = {reaction.react.__name__ for reaction in worker.REACTIONS}
        written = {name for name in vars(worker) if "_when_" in name and not name.startswith("_")}
        assert written == listed


def test_every_event_is_heard_by_somebody_or_said_to_be_unheard() -> None:
    reacted = {reaction.event.tag for worker in TABLES.values() for reaction in worker.REACTIONS}
    every = {cls.tag: context for context, classes in EVENTS.items() for cls in classes}
    shown = {tag for tag, context in every.items() if any(p.key_of(EXAMPLES[tag]) for p in PROJECTIONS[context])}
    assert set(every) - reacted - shown == UNHEARD


@pytest.mark.parametrize("context", CONTEXTS)
def test_a_contexts_files_ask_nobody_for_the_time(context: str) -> None:
    for layer in (*LAYERS, "workers"):
        path = ROOT / layer / f"{context}.py"
        nodes = ast.walk(ast.parse(path.read_text())) if path.is_file() else ()
        asked = [node.attr for node in nodes if isinstance(node, ast.Attribute) and node.attr in CLOCKS]
        assert asked == [], f"{path.name} asks for {asked}"


def test_the_command_line_imports_what_a_command_needs_when_it_is_asked_for() -> None:
    heavy = "{'aiohttp', 'aiokafka', 'psycopg', 'pyarrow', 'redis'}"
    for module in ("workers.cli", "workers.analyst.replay"):
        told = f"import sys, {module}; print(*sorted({heavy} & sys.modules.keys()))"
        found = subprocess.run([sys.executable, "-c", told], cwd=ROOT, capture_output=True, text=True, check=True)
        assert found.stdout.split() == (["psycopg"] if module != "workers.cli" else []), module
