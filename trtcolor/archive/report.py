"""``--report``: what one run did, in a file of the user's own."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from trtcolor.archive.journal import Journal
from trtcolor.archive.place import INNER
from trtcolor.errors import OutputExistsError, PictureError
from trtcolor.files import whole_file


def check_report(report: Path | None, output: Path, *, overwrite: bool) -> None:
    """Refuse a report that would take the place of something else, a picture perhaps.

    Args:
        report: of the file to be; None: none.
        output: the folder of the outputs, whose journal is no report.
        overwrite: replace any other file.

    Raises:
        OutputExistsError: there is a file that is no report, and `overwrite` is false.
        PictureError: it would lie among what trtcolor remembers of the folder.
    """
    if report is None:
        return
    inner = Path(os.path.realpath(output / INNER))
    if Path(os.path.realpath(report)).is_relative_to(inner):
        raise PictureError(
            f"{report} would lie in {inner}, where trtcolor keeps what it remembers; a report "
            "elsewhere was needed; choose another"
        )
    if not overwrite and os.path.lexists(report) and not _is_report(report):
        raise OutputExistsError(
            f"{report} is there and is no report; a free name or that of an earlier report was "
            "needed; choose another, or allow overwriting"
        )


@contextmanager
def reported(journal: Journal, report: Path | None) -> Iterator[None]:
    """Write the report when the block ends, however it ends."""
    try:
        yield
    except BaseException:
        if report is not None:
            with suppress(OSError):
                _write(journal, report)
        raise
    if report is not None:
        _write(journal, report)


def _is_report(path: Path) -> bool:
    """Whether the first line is that of a report; an empty file is none of anything either."""
    if not path.is_file():
        return False
    with path.open("rb") as stream:
        line = stream.readline(1 << 16)
    try:
        return not line or "trtcolor" in json.loads(line)
    except (ValueError, TypeError, RecursionError):
        return False


def _write(journal: Journal, report: Path) -> None:
    with whole_file(report, overwrite=True) as stream:
        stream.writelines(journal.lines())
