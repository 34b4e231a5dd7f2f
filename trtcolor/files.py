"""Files that appear under their name complete or not at all."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from trtcolor.errors import OutputExistsError


@contextmanager
def whole_file(path: Path, *, overwrite: bool = False) -> Iterator[BinaryIO]:
    """Write to a temporary file beside `path` that takes its name when the block ends well.

    The bytes are on the disk before the name is. Whatever goes wrong, Ctrl-C included, the
    temporary file is removed and what `path` was before is left alone.

    Args:
        path: of the file to be; its folder exists.
        overwrite: replace a file that is there. Without it a file that appears while this one is
            being written is not touched.

    Raises:
        OutputExistsError: there is a file and `overwrite` is false.
        OSError: the disk is full, the folder not writable, and so on.
    """
    temporary = path.with_name(f".{secrets.token_hex(8)}.part")
    try:
        with temporary.open("xb") as stream:
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
        if overwrite:
            os.replace(temporary, path)
        else:
            _move_to_free_name(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def refuse_existing(path: Path) -> None:
    """Raise OutputExistsError if anything has that name, a dangling link too."""
    if os.path.lexists(path):
        raise _exists(path)


def _move_to_free_name(temporary: Path, path: Path) -> None:
    try:
        os.link(temporary, path)  # fails if the name is taken, unlike a rename
    except FileExistsError:
        raise _exists(path) from None
    except OSError:  # FAT and some network disks know no hard links: claim the name, then replace
        try:
            path.open("xb").close()
        except FileExistsError:
            raise _exists(path) from None
        try:
            os.replace(temporary, path)
        except BaseException:
            path.unlink(missing_ok=True)
            raise


def _exists(path: Path) -> OutputExistsError:
    return OutputExistsError(
        f"{path} is there already; a free name was needed; choose another or allow overwriting"
    )
