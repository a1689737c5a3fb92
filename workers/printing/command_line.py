"""CommandLine prints the help of every command, what exit codes say, and the table of settings."""

import inspect
import re
from collections.abc import Iterator
from typing import Any

import typer

from schemas.settings import Settings
from workers.cli import cli
from workers.operator.terms import Exit

WIDTH = 100

PREFACE = """\
# The command line and its settings

Printed from the code by `make docs`. A local run starts the other processes by itself; these are they:

| process | command |
|---|---|
| workers of all contexts, or of some | `orders worker`, `orders worker --contexts order,payment` |
| the API | `python -m api` |
| the payment provider (stub) | `python -m api.stub --port 8090 --ledger provider.jsonl` |
| the same, and whoever takes SMS | `python -m api.stub --port 8090 --ledger provider.jsonl --sms sms.jsonl` |
| the mailbox, for development | `python -m workers.mailbox --port 1025 --folder mail` |
"""

SETTINGS = """\
## Settings

Every process reads the environment once, at its start (`schemas/settings.py`).

| variable | default | meaning |
|---|---|---|"""

LAUNCHER = """
Of local runs and development alone:

| variable | meaning |
|---|---|
| `ORDERLOG_KAFKA_FROM`, `ORDERLOG_POSTGRES_FROM` | that server's one source: `url`, `running`, `system` or `wheel` |
| `ORDERLOG_MAVEN` | a mirror to fetch Kafka's jars from |
| `ORDERLOG_MAILBOX_MODE` | make the mailbox misbehave: `refuse`, `busy` or `drop`, for so many mails: `busy 3` |
"""


def command_line() -> str:
    """docs/command-line.md."""
    return "\n".join([PREFACE, *_helps(), *_codes(), SETTINGS, *_settings(), LAUNCHER])


def _helps() -> Iterator[str]:
    group: Any = typer.main.get_command(cli)
    wide = {"terminal_width": WIDTH, "max_content_width": WIDTH}
    yield from _helps_of(group, "orders", group.make_context("orders", [], resilient_parsing=True, **wide))


def _helps_of(command: Any, title: str, context: Any) -> Iterator[str]:
    """A command's help, and after it those of its own commands."""
    command.rich_markup_mode = None  # plain text: boxes and colors are for terminals
    names = command.list_commands(context) if hasattr(command, "list_commands") else []
    commands: dict[str, Any] = {name: command.get_command(context, name) for name in names}
    for inner in commands.values():
        inner.rich_markup_mode = None
    yield from _help(title, command.get_help(context))
    for name, inner in commands.items():
        beneath = inner.make_context(name, [], parent=context, resilient_parsing=True)
        yield from _helps_of(inner, f"{title} {name}", beneath)


def _codes() -> Iterator[str]:
    """What exit codes say, from the words beside them."""
    yield from ("## Exit codes of the operator's commands", "", "| code | meaning |", "|---|---|")
    said = re.findall(r"(\w+) = \d+(?:\n    \"\"\"(.+?)\"\"\")?", inspect.getsource(Exit))
    for name, meaning in said:
        yield f"| {Exit[name].value} | {meaning or 'done'} |"
    yield from ("| 130 | Ctrl-C |", "")


def _help(title: str, text: str) -> Iterator[str]:
    lines = [line.rstrip() for line in text.strip().splitlines()]
    yield from (f"## {title}", "", "```text", *lines, "```", "")


def _settings() -> Iterator[str]:
    for name, field in Settings.model_fields.items():
        meaning = (field.description or "").replace("<", "&lt;")
        yield f"| `ORDERLOG_{name.upper()}` | `{field.default}` | {meaning} |"
