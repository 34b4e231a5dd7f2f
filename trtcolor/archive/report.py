"""``--report``: what one run did, in a file of the user's own."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from trtcolor.archive.journal import Journal
from trtcolor.archive.place import INNER
from trtcolor.archive.sources import at_hand, source_of
from trtcolor.errors import OutputExistsError, PictureError, StoreError
from trtcolor.stores.address import Address
from trtcolor.stores.objects import check_writable, is_there
from trtcolor.stores.results import written_whole


def check_report(report: Path | Address | None, output: Path | Address, *, overwrite: bool) -> None:
    """Refuse a report that would take the place of something else, a picture perhaps.

    Args:
        report: of the file to be; None: none.
        output: the folder of the outputs, whose journal is no report.
        overwrite: replace any other file.

    Raises:
        OutputExistsError: there is a file that is no report, and `overwrite` is false.
        PictureError: it would lie among what trtcolor remembers of the folder.
        StoreError: it is an address that cannot be written to, or its store does not answer.
    """
    if report is None:
        return
    if isinstance(report, Address):
        check_writable(report)
    if _is_inside(report, output):
        raise PictureError(
            f"{report} would lie in {output}'s {INNER}, where trtcolor keeps what it remembers; a "
            "report elsewhere was needed; choose another"
        )
    if not overwrite and _is_there(report) and not _is_report(report):
        raise OutputExistsError(
            f"{report} is there and is no report; a free name or that of an earlier report was "
            "needed; choose another, or allow overwriting"
        )


@contextmanager
def reported(journal: Journal, report: Path | Address | None) -> Iterator[None]:
    """Write the report when the block ends, however it ends."""
    try:
        yield
    except BaseException:
        if report is not None:
            with suppress(OSError, StoreError):
                _write(journal, report)
        raise
    if report is not None:
        _write(journal, report)


def _is_inside(report: Path | Address, output: Path | Address) -> bool:
    """Whether it would lie among what trtcolor remembers of an output folder."""
    if isinstance(report, Address):
        return isinstance(output, Address) and report.is_below(output.joinpath(INNER))
    if isinstance(output, Address):
        return False
    inner = Path(os.path.realpath(output / INNER))
    return Path(os.path.realpath(report)).is_relative_to(inner)


def _is_there(report: Path | Address) -> bool:
    return is_there(report) if isinstance(report, Address) else os.path.lexists(report)


def _is_report(report: Path | Address) -> bool:
    """Whether the first line is that of a report; an empty file is none of anything either."""
    if isinstance(report, Path) and not report.is_file():
        return False
    with at_hand(source_of(report)) as path, path.open("rb") as stream:
        line = stream.readline(1 << 16)
    try:
        return not line or "trtcolor" in json.loads(line)
    except (ValueError, TypeError, RecursionError):
        return False


def _write(journal: Journal, report: Path | Address) -> None:
    with written_whole(report, overwrite=True) as stream:
        stream.writelines(journal.lines())
