"""The finished film gets its name, so that a run killed then is known to be through."""

from __future__ import annotations

import json
from pathlib import Path

from trtcolor.files import put_file_in_place, whole_file
from trtcolor.video.fragments import json_bytes

PLACED = "placed.json"
"""In the folder of the work: which file it is that gets the name; written before it does."""


def place(temporary: Path, output: Path, folder: Path, *, overwrite: bool) -> None:
    """Give a finished film its name.

    Args:
        temporary: it, on the same disk.
        folder: of the work.

    Raises:
        OutputExistsError: there is such a file, and ``overwrite`` is false.
        OSError: the folder is not writable, and so on.
    """
    with whole_file(folder / PLACED, overwrite=True) as stream:
        stream.write(json_bytes(_identity(temporary)))
    put_file_in_place(temporary, output, overwrite=overwrite)


def is_placed(output: Path, folder: Path) -> bool:
    """Whether that file is the film that was made in the folder."""
    try:
        stored = json.loads((folder / PLACED).read_text("utf-8"))
        return bool(stored == _identity(output))
    except (OSError, ValueError):
        return False


def _identity(path: Path) -> dict[str, int]:
    found = path.stat()
    return {"device": found.st_dev, "inode": found.st_ino, "bytes": found.st_size}
