"""The reference of the command line, from the commands themselves."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator

import click
from results import table

from trtcolor.cli import main


def every_command(
    command: click.Command = main, path: tuple[str, ...] = ("trtcolor",)
) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    """(words that call it, command), a group before its own, in the order of ``--help``."""
    yield path, command
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            inner = command.get_command(context, name)
            if inner is not None and not inner.hidden:
                yield from every_command(inner, (*path, name))


def command_reference() -> str:
    """A section a command: what it does, how it is called, its options."""
    return "\n\n".join(
        section for path, command in every_command() for section in _section(path, command)
    )


def _section(path: tuple[str, ...], command: click.Command) -> Iterator[str]:
    name = " ".join(path)
    context = click.Context(command, info_name=name)
    if len(path) > 1:
        yield f"{'#' * len(path)} {name} {{ #{name.replace(' ', '-')} }}"
        yield _escaped(inspect.cleandoc(command.help or "").replace("\b\n", ""))
    usage = " ".join(command.collect_usage_pieces(context))
    yield f"```text\n{name} {usage}\n```"
    records = [
        record
        for parameter in command.get_params(context)
        if isinstance(parameter, click.Option)
        and (record := parameter.get_help_record(context))
        and "--help" not in record[0]
    ]
    if records:
        rows = [[f"<code>{_escaped(names)}</code>", _escaped(text)] for names, text in records]
        yield table(["option", ""], rows)


def _escaped(text: str) -> str:
    """Text as it stands, which is neither Markdown nor HTML nor the wall of a table's cell."""
    text = text.replace("&", "&amp;").replace("<", "&lt;")
    return re.sub(r"([\\`*_\[\]|{}#])", lambda match: f"&#{ord(match[1])};", text)
