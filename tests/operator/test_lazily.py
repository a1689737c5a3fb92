"""Commands are imported when they are asked for, and are all there all the same."""

import pytest
from typer.testing import CliRunner

from workers.cli import cli


@pytest.mark.parametrize(("slip", "meant"), [("replya", "replay"), ("dmo", "demo"), ("what_if", "what-if")])
def test_who_mistypes_a_command_is_told_which_there_is(slip: str, meant: str) -> None:
    told = CliRunner().invoke(cli, [slip])
    assert (told.exit_code, f"Did you mean '{meant}'" in told.output) == (2, True)


def test_a_group_within_is_told_from_a_command() -> None:
    for words in (["log", "show", "--help"], ["topics", "--help"], ["at", "--help"]):
        told = CliRunner().invoke(cli, words)
        assert (told.exit_code, f" {' '.join(words[:-1])} [OPTIONS]" in told.output) == (0, True), told.output


def test_help_lists_each_command_once() -> None:
    for _ in range(2):
        lines = [line.split()[1] for line in CliRunner().invoke(cli, ["--help"]).output.splitlines() if "│ " in line]
        assert [lines.count(name) for name in ("worker", "replay", "dead-letters")] == [1, 1, 1]
