"""CommandLine prints the help of every command, and the table of settings."""

from collections.abc import Iterator
from typing import Any

import typer

from schemas.settings import Settings
from workers.cli import cli

WIDTH = 100

PREFACE = """\
# The command line and its settings

Printed from the code by `make docs`. A local run starts the other processes by itself; these are they:

| process | command |
|---|---|
| workers of all contexts, or of some | `orders worker`, `orders worker --contexts order,payment` |
| the API | `python -m api` |
| the payment provider (stub) | `python -m api.stub --port 8090 --ledger provider.jsonl` |
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
    return "\n".join([PREFACE, *_helps(), SETTINGS, *_settings(), LAUNCHER])


def _helps() -> Iterator[str]:
    group: Any = typer.main.get_command(cli)
    for command in (group, *group.commands.values()):
        command.rich_markup_mode = None  # plain text: boxes and colors are for terminals
    context = group.make_context("orders", [], resilient_parsing=True, terminal_width=WIDTH, max_content_width=WIDTH)
    yield from _help("orders", group.get_help(context))
    for name, command in group.commands.items():
        inner = command.make_context(name, [], parent=context, resilient_parsing=True)
        yield from _help(f"orders {name}", command.get_help(inner))


def _help(title: str, text: str) -> Iterator[str]:
    lines = [line.rstrip() for line in text.strip().splitlines()]
    yield from (f"## {title}", "", "```text", *lines, "```", "")


def _settings() -> Iterator[str]:
    for name, field in Settings.model_fields.items():
        meaning = (field.description or "").replace("<", "&lt;")
        yield f"| `ORDERLOG_{name.upper()}` | `{field.default}` | {meaning} |"
