"""How far a run is, on standard error."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from trtcolor.progress import Progress


class Bar:
    """How many, their rate and the time to go: in place on a terminal, else a line now and then.

    Args:
        unit, rate: what is counted, and how many of it a second are called.
    """

    def __init__(self, unit: str = "frames", rate: str = "fps") -> None:
        self._unit, self._rate = unit, rate
        self._live = sys.stderr.isatty()
        self._next = time.monotonic() + (0 if self._live else 10)
        self._shown = False

    def show(self, progress: Progress) -> None:
        now = time.monotonic()
        if now < self._next:
            return
        self._next = now + (0.2 if self._live else 10)
        text = f"{progress.done}"
        if progress.expected is not None:
            part = min(1.0, progress.done / progress.expected)
            text = f"{part:4.0%} {'#' * round(24 * part):24} {text}/{progress.expected}"
        text += f" {self._unit}, {progress.rate:.1f} {self._rate}"
        if progress.remaining is not None:
            minutes, seconds = divmod(round(progress.remaining), 60)
            text += f", {minutes // 60}:{minutes % 60:02}:{seconds:02} to go"
        click.echo(f"\r{text:78}" if self._live else text, err=True, nl=not self._live)
        self._shown = self._live

    def say(self, sentence: str, kind: str = "note") -> None:
        """Print a sentence above what is shown, on one line whatever names are in it."""
        self.end()
        click.echo(f"{kind}: {_printable(sentence)}", err=True)

    def __enter__(self) -> Bar:
        return self

    def __exit__(self, *_: object) -> None:
        self.end()

    def end(self) -> None:
        """Leave the line that is shown in place."""
        if self._shown:
            click.echo(err=True)
            self._shown = False


def _printable(text: str) -> str:
    """With line breaks, and what else a terminal would obey, as their escapes."""
    return "".join(
        character if character.isprintable() else ascii(character)[1:-1] for character in text
    )
