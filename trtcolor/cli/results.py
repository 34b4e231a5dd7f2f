"""Files of results: refused before the work if they could not be written, written whole."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from trtcolor.stores.address import Address


def check_results(path: Path | Address | None, overwrite: bool) -> None:
    """Refuse a results file that could not be written, before the work."""
    from trtcolor.stores.objects import check_free

    if path is None:
        return
    if not isinstance(path, Path):
        check_free(path, overwrite=overwrite)
        return
    if not path.parent.is_dir() or path.is_dir():
        raise ValueError(f"{path} is no file in an existing folder; one was needed; choose another")
    if not os.access(path.parent, os.W_OK | os.X_OK):
        raise ValueError(
            f"{path.parent} is not writable; a writable folder was needed for {path.name}; "
            "choose another"
        )
    if not overwrite:
        from trtcolor.files import refuse_existing

        refuse_existing(path)


def write_results(path: Path | None, text: str, overwrite: bool) -> None:
    if path is None:
        return
    json.loads(text)  # NaN or not, what is published parses
    write_bytes(path, text.encode(), overwrite)


def write_bytes(path: Path | Address, content: bytes, overwrite: bool) -> None:
    """Write a file whole, or say in a sentence why not."""
    from trtcolor.stores.results import written_whole

    try:
        with written_whole(path, overwrite=overwrite) as stream:
            stream.write(content)
    except OSError as error:
        raise OSError(
            f"{path} was not written ({error.strerror}); a disk with free space was needed; write "
            "elsewhere"
        ) from None
