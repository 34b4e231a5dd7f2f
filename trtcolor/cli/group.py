"""The group of all commands: finds them, and prints what they refuse as one line."""

from __future__ import annotations

import errno
import io
import os
import sys
import warnings
from functools import cache
from typing import TYPE_CHECKING, Any

import click

from trtcolor.errors import OutputExistsError, TrtcolorError

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint


class Commands(click.Group):
    """Commands of this file and of the packages that register theirs (``train``, ``export``).

    Prints what trtcolor refuses as one line ``error: ...`` and exits with status 1, or 2 where the
    command line itself is wrong.
    """

    def list_commands(self, context: click.Context) -> list[str]:
        return sorted({*super().list_commands(context), *_registered()})

    def get_command(self, context: click.Context, name: str) -> click.Command | None:
        own = super().get_command(context, name)
        if own is not None or name not in _registered():
            return own
        command: click.Command = _registered()[name].load()
        return command

    def make_context(
        self,
        info_name: str | None,
        args: list[str],
        parent: click.Context | None = None,
        **extra: Any,
    ) -> click.Context:
        try:
            return super().make_context(info_name, args, parent, **extra)
        except click.exceptions.NoArgsIsHelpError:
            raise
        except click.UsageError as error:
            _refuse(error.format_message())
            raise click.exceptions.Exit(error.exit_code) from None

    def invoke(self, context: click.Context) -> Any:
        if isinstance(sys.stdout, io.TextIOWrapper):  # a file name may be no text
            sys.stdout.reconfigure(errors="backslashreplace")
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("default")
                warnings.showwarning = _show_warning
                return super().invoke(context)
        except click.UsageError as error:
            command = error.ctx.command_path if error.ctx else context.command_path
            _refuse(f"{error.format_message().rstrip('.')}; see '{command} --help'")
            context.exit(error.exit_code)
        except (TrtcolorError, ValueError, OSError, MemoryError) as error:
            if isinstance(error, BrokenPipeError) or os.environ.get("TRTCOLOR_TRACEBACK"):
                raise
            hint = " (here: --overwrite)" if isinstance(error, OutputExistsError) else ""
            _refuse(f"{_sentence(error)}{hint}")
            context.exit(1)
        except KeyboardInterrupt:
            click.echo("interrupted", err=True)
            context.exit(130)


@cache
def _registered() -> dict[str, EntryPoint]:
    """The runtime imports no training package; that one names its commands in its metadata."""
    from importlib.metadata import entry_points

    return {entry.name: entry for entry in entry_points(group="trtcolor.commands")}


def _sentence(error: Exception) -> str:
    """What came, what was needed and what to do, of the operating system's errors too."""
    if not isinstance(error, OSError) or error.strerror is None:
        return str(error) or type(error).__name__
    name = "" if error.filename is None else f"{str(error.filename)!r}: "
    what = f"{name}{error.strerror}"
    if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        return f"{what}; a disk with free space was needed; make room, or write elsewhere"
    return (
        f"{what}; a path that can be used was needed; check it and its permissions, or choose "
        "another"
    )


def _refuse(text: str) -> None:
    click.echo(f"error: {' '.join(text.split())}", err=True)


def _show_warning(message: Warning | str, *_: Any, **__: Any) -> None:
    click.echo(f"warning: {' '.join(str(message).split())}", err=True)
