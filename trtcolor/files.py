"""Files and folders that appear under their name complete or not at all."""

from __future__ import annotations

import os
import secrets
import shutil
import tempfile
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
        _give_name(temporary, path, overwrite)
    finally:
        temporary.unlink(missing_ok=True)


def put_file_in_place(temporary: Path, path: Path, *, overwrite: bool = False) -> None:
    """Give a finished file its name, once its bytes are on the disk.

    Args:
        temporary: on the same disk; gone afterwards.
        path: of the file to be.
        overwrite: replace a file that is there.

    Raises:
        OutputExistsError: there is a file and `overwrite` is false.
        OSError: the folder is not writable, and so on.
    """
    to_disk(temporary)
    _give_name(temporary, path, overwrite)
    temporary.unlink(missing_ok=True)
    to_disk(path.parent)


@contextmanager
def temporary_folder(parent: Path) -> Iterator[Path]:
    """A hidden empty folder in `parent`, for `put_folder_in_place`; gone when the block ends.

    Args:
        parent: made if it is missing.

    Raises:
        OSError: it cannot be made or written to.
    """
    parent.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix=".", suffix=".part", dir=parent))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def put_folder_in_place(temporary: Path, path: Path, *, overwrite: bool = False) -> None:
    """Give a finished folder its name; what goes wrong leaves what `path` was before.

    Args:
        temporary: beside `path`, on the same disk.
        path: of the folder to be.
        overwrite: replace what is there.

    Raises:
        OutputExistsError: something is there and `overwrite` is false.
        OSError: the folder is not writable, and so on.
    """
    if not overwrite or not os.path.lexists(path):
        refuse_existing(path)
        try:
            os.rename(temporary, path)
        except OSError:
            refuse_existing(path)  # it came in between
            raise
        return
    with temporary_folder(path.parent) as aside:
        os.rename(path, aside / path.name)
        try:
            os.rename(temporary, path)
        except BaseException:
            os.rename(aside / path.name, path)
            raise


def to_disk(path: Path) -> None:
    """Wait until what a file holds, or which names a folder holds, would survive a power cut."""
    opened = os.open(path, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)


def refuse_existing(path: Path) -> None:
    """Raise OutputExistsError if anything has that name, a dangling link too."""
    if os.path.lexists(path):
        raise _exists(path)


def _give_name(temporary: Path, path: Path, overwrite: bool) -> None:
    if overwrite:
        os.replace(temporary, path)
    else:
        _move_to_free_name(temporary, path)


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
