"""The documents and the command line agree, and no block of code is passed over in silence."""

from __future__ import annotations

import json
import re
import subprocess
import tomllib
from pathlib import Path

import click
import pytest
from documents import ROOT, blocks_of, documents, name_of

from trtcolor.cli import main

OTHERS = (ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md")
COMMAND = re.compile(r"(?:^|[`$(]|&& |\| )\s*trtcolor ([a-z][a-z-]*)([^`\n]*)", re.MULTILINE)
REASONS = re.compile(
    r"a fresh environment|an NVIDIA GPU|minutes|hours|data set|film|bundle|model|checkpoint|server"
    r"|photographs|networks trained|ONNX file|cluster|account|people|GPU"
)
"""What a block that is not run may want; anything else is a reason to think again."""
SCRIPTS = re.compile(r"\bpython ((?:benchmarks|tests)/[\w/]+\.py)")
EXTRAS = re.compile(r"""pip install[^`\n]*?["'](?:\.|trtcolor)\[([\w,-]+)\]""")


def documented() -> list[tuple[str, str, str]]:
    """(document, command, rest of the line) of every ``trtcolor COMMAND`` in code."""
    found = []
    for document in (*documents(), *OTHERS):
        text = document.read_text(encoding="utf-8")
        code = re.findall(r"```[^\n]*\n(.*?)```", text, re.DOTALL)
        code += re.findall(r"`([^`\n]+)`", text)
        for block in code:
            joined = block.replace("\\\n", " ")
            found += [(name_of(document), m[1], m[2]) for m in COMMAND.finditer(joined)]
    return sorted(set(found))


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


@pytest.mark.parametrize("document", documents(), ids=name_of)
def test_what_is_not_run_says_why_and_can_be_read(document: Path) -> None:
    for block in blocks_of(document):
        where = f"{name_of(document)}:{block.line}"
        if block.needs is not None:
            assert REASONS.search(block.needs), f"{where}: {block.needs}"
        if block.language == "python":
            compile(block.text, where, "exec")
        elif block.language == "bash":
            subprocess.run(["bash", "-n", "-c", block.text], check=True)
        elif block.language == "toml":
            tomllib.loads(block.text)
        elif block.language == "json":
            json.loads(block.text)


@pytest.mark.parametrize("document", [*documents(), *OTHERS], ids=name_of)
def test_scripts_and_extras_that_are_named_exist(document: Path) -> None:
    text = document.read_text(encoding="utf-8")
    for script in SCRIPTS.findall(text):
        assert (ROOT / script).is_file(), script
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    known = set(settings["project"]["optional-dependencies"])
    for extras in EXTRAS.findall(text):
        assert set(extras.split(",")) <= known, extras


def test_the_readme_leads_to_pages_that_are_there() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    targets = re.findall(r"\]\(([^)#]+)[^)]*\)", text)
    assert len(targets) > 10
    assert not [target for target in targets if not (ROOT / target).is_file()]
