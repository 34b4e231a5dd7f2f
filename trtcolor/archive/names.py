"""Names of outputs: those of the pictures below the root, no two the same on any file system."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Sequence
from itertools import count
from pathlib import Path, PurePath

from trtcolor.archive.sources import Source, below
from trtcolor.images import WRITE_FORMATS
from trtcolor.stores.address import Address

SUFFIXES = frozenset(WRITE_FORMATS) | {".dib", ".gif", ".hif", ".jfif", ".jpe", ".pbm", ".pgm"}
"""Of files in a folder that are taken for pictures, in lower case."""

LIKE = {".jpe": ".jpg", ".jfif": ".jpg", ".hif": ".heif"}
"""What a suffix that is not written becomes; any other becomes `.png`."""

FORMATS = {"png": ".png", "jpeg": ".jpg", "tiff": ".tif", "webp": ".webp"}
"""Formats that all outputs may be written in, and their suffixes."""


def output_names(
    pictures: Sequence[Source], root: Path | Address, format: str | None = None
) -> list[PurePath]:
    """The output of each picture, relative to the output folder.

    A picture keeps its name below `root`, with the suffix of the format that is written. Where two
    pictures would come to one name, also one that differs in case or in how its accents are
    coded, the picture that has that name keeps it, and the others put the suffix behind their whole
    name: ``a.jpg`` beside ``a.png`` becomes ``a.jpg.png``. So does one that would have the name of
    a folder. So names depend on which pictures there are, and not on their order.

    Args:
        pictures: absolute, each once.
        root: that holds them all.
        format: one of `FORMATS`; None: as each picture's own suffix says, or PNG.
    """
    own = [below(picture, root) for picture in pictures]
    wanted = [_wanted(path, format) for path in own]
    asked = Counter(map(_folded, wanted))
    taken = {_folded(folder) for path in own for folder in path.parents}
    asked.update(taken)  # a file cannot have the name of a folder
    names: dict[PurePath, PurePath] = {}
    in_turn = sorted(zip(own, wanted, strict=True), key=lambda pair: (pair[0] != pair[1], pair[0]))
    for path, name in in_turn:  # those that keep their name first
        keeps = path == name and _folded(name) not in taken
        if asked[_folded(name)] > 1 and not keeps:
            suffix, numbers = name.suffix, count(2)
            name = path.with_name(f"{path.name}{suffix}")
            while _folded(name) in taken or _folded(name) in asked:
                name = path.with_name(f"{path.name} ({next(numbers)}){suffix}")
        taken.add(_folded(name))
        names[path] = name
    return [names[path] for path in own]


def is_folder(output: Path | Address) -> bool:
    """Whether an output is a folder, or an address without a picture's suffix: a prefix."""
    if isinstance(output, Path):
        return output.is_dir()
    return output.location.endswith("/") or output.suffix.lower() not in SUFFIXES


def _wanted(path: PurePath, format: str | None) -> PurePath:
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES:  # or "scan.2" would be as good as "scan"
        return path.with_name(path.name + FORMATS[format or "png"])
    if format is not None and WRITE_FORMATS.get(suffix) != WRITE_FORMATS[FORMATS[format]]:
        return path.with_suffix(FORMATS[format])
    if suffix in WRITE_FORMATS:
        return path
    return path.with_suffix(LIKE.get(suffix, ".png"))


def _folded(path: PurePath) -> str:
    """The same for names that some file system takes for one."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", str(path)).casefold())
