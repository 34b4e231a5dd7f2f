"""Files that a command writes, on this machine or in a store: whole or not at all."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from trtcolor.files import whole_file
from trtcolor.stores.address import Address
from trtcolor.stores.objects import upload
from trtcolor.stores.remote_file import renamed


@contextmanager
def written_whole(place: Path | Address, *, overwrite: bool = False) -> Iterator[BinaryIO]:
    """Write to a temporary file that becomes what `place` names when the block ends well.

    Args:
        place: of the file or object to be.
        overwrite: replace one that is there.

    Raises:
        OutputExistsError: there is one, and `overwrite` is false.
        StoreError: as `trtcolor.stores.filesystem.errors_named` says.
        OSError: the disk is full, the folder not writable, and so on.
    """
    if isinstance(place, Path):
        with whole_file(place, overwrite=overwrite) as stream:
            yield stream
        return
    with made_here(place, overwrite=overwrite) as path, path.open("xb") as stream:
        yield stream
        stream.flush()


@contextmanager
def made_here(place: Address, *, overwrite: bool = False) -> Iterator[Path]:
    """The path of a file to be written, of this machine, that is uploaded when the block ends well.

    Arguments and errors are those of `written_whole`.
    """
    with tempfile.TemporaryDirectory(prefix="trtcolor-") as folder:
        path = Path(folder) / f"output{place.suffix[:20]}"
        with renamed(path, place):
            yield path
        upload(path, place, overwrite=overwrite)
