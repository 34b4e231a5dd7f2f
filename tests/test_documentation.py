"""The documents and the command line agree."""

from __future__ import annotations

import re
from pathlib import Path

import click
import pytest

from trtcolor.cli import main

ROOT = Path(__file__).parent.parent
DOCUMENTS = ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")
COMMAND = re.compile(r"(?:^|[`$(]|&& |\| )\s*trtcolor ([a-z][a-z-]*)([^`\n]*)", re.MULTILINE)


def documented() -> list[tuple[str, str, str]]:
    """(document, command, rest of the line) of every ``trtcolor COMMAND`` in code."""
    found = []
    for name in DOCUMENTS:
        text = (ROOT / name).read_text(encoding="utf-8")
        code = re.findall(r"```[a-z]*\n(.*?)```", text, re.DOTALL)
        code += re.findall(r"`([^`\n]+)`", text)
        for block in code:
            joined = block.replace("\\\n", " ")
            found += [(name, m.group(1), m.group(2)) for m in COMMAND.finditer(joined)]
    return found


def commands() -> dict[str, click.Command]:
    context = click.Context(main)
    listed = {name: main.get_command(context, name) for name in main.list_commands(context)}
    return {name: command for name, command in listed.items() if command is not None}


def test_commands_are_documented() -> None:
    assert {command for _, command, _ in documented()} == set(commands())


@pytest.mark.parametrize(("document", "name", "rest"), documented())
def test_a_documented_command_and_its_options_exist(document: str, name: str, rest: str) -> None:
    command = commands()[name]
    inner = rest.split()[0] if rest.split() else ""
    if isinstance(command, click.Group) and inner and not inner.startswith("-"):
        if inner not in command.commands:  # of a group that is a command itself, as study
            inner = getattr(command, "default", inner)
        assert inner in command.commands, document
        command = command.commands[inner]
    known = {option for p in command.params for option in (*p.opts, *p.secondary_opts)}
    used = set(re.findall(r"(?<![\w-])(--?[a-z][a-z0-9-]*)", rest.split(" && ")[0].split(" | ")[0]))
    assert used <= known | {"--help"}, document
