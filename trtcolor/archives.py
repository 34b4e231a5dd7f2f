"""A bundle out of a ``.zip``, ``.tar`` or ``.tar.gz`` of one, which may come from anywhere.

Nothing is written but plain files straight into one given folder, and no more than a bundle holds:
an archive with a path that leaves the bundle's folder, a link, a device, two bundles, or more
content than its size accounts for is refused.
"""

from __future__ import annotations

import gzip
import os
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import IO, NamedTuple

from trtcolor.errors import BundleError

MAX_FILES = 64
MAX_GROWTH = 20
"""Weights hardly shrink when packed: what grows by more than this factor is there to do harm."""
MAX_FREE_GROWTH = 1 << 25
"""Bytes that any archive may unpack to: graphs and model.json do shrink well."""

_CHUNK = 1 << 20
_CLUTTER = ("__MACOSX", ".DS_Store")
_BROKEN = (
    zipfile.BadZipFile,
    tarfile.TarError,
    gzip.BadGzipFile,
    zlib.error,
    EOFError,
    RuntimeError,
    ValueError,
)


class _Member(NamedTuple):
    """What an archive says of an entry that is no folder; `stream` is None if it is no file."""

    path: str
    stream: IO[bytes] | None


def unpack_bundle(archive: Path, folder: Path) -> None:
    """Write an archive's files, those of one bundle, into a folder.

    Args:
        archive: ``.zip``, ``.tar`` or ``.tar.gz`` by its content, with the bundle's files at the
            top or in one folder.
        folder: exists, empty.

    Raises:
        BundleError: no such archive, a damaged one, or one that is refused as said above.
        OSError: it cannot be read, or the files cannot be written.
    """
    try:
        _unpack(archive, folder)
    except _BROKEN as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        raise BundleError(
            f"{archive} does not unpack ({reason}); a whole .zip, .tar or .tar.gz of one bundle "
            "was needed; get it again"
        ) from None


def _unpack(archive: Path, folder: Path) -> None:
    room = max(MAX_GROWTH * archive.stat().st_size, MAX_FREE_GROWTH)
    place: str | None = None
    for count, member in enumerate(_members(archive), start=1):
        if count > MAX_FILES:
            raise _refused(archive, f"holds more than {MAX_FILES} files")
        parent, name = _split(archive, member)
        if parent.split("/")[0] in _CLUTTER or name in _CLUTTER or name.startswith("._"):
            continue
        place = parent if place is None else place
        if parent != place:
            raise _refused(archive, f"holds files in {place or '.'!r} and in {parent or '.'!r}")
        if os.path.lexists(folder / name):
            raise _refused(archive, f"holds {name!r} twice")
        if member.stream is None:
            raise _refused(archive, f"holds {member.path!r}, which is a link or a device")
        room -= _write(member.stream, folder / name, room)
        if room < 0:
            raise _refused(archive, f"unpacks to more than {MAX_GROWTH} times its size")


def _members(archive: Path) -> Iterator[_Member]:
    """Entries in the order of the file, each to be read before the next one is asked for."""
    if zipfile.is_zipfile(archive):
        with zipfile.ZipFile(archive) as packed:
            for entry in packed.infolist():
                kind = stat.S_IFMT(entry.external_attr >> 16)  # 0 where no Unix wrote it
                if entry.is_dir():
                    continue
                plain = kind in (0, stat.S_IFREG)
                yield _Member(entry.filename, packed.open(entry) if plain else None)
        return
    with archive.open("rb") as stream:
        packs = stream.read(2) == b"\x1f\x8b"
    with tarfile.open(archive, "r:gz" if packs else "r:") as packed:
        for info in packed:
            if not info.isdir():
                plain = info.isreg() and not info.issparse()
                yield _Member(info.name, packed.extractfile(info) if plain else None)


def _split(archive: Path, member: _Member) -> tuple[str, str]:
    """The entry's folder in the archive and its name."""
    path = PurePosixPath(member.path)
    outside = path.is_absolute() or ".." in path.parts or not path.name
    if outside or any(sign in member.path for sign in "\\:\0"):
        raise _refused(archive, f"holds {member.path!r}, which leaves the bundle's folder")
    return "/".join(path.parts[:-1]), path.name


def _write(stream: IO[bytes], path: Path, room: int) -> int:
    """Bytes written, a chunk more than `room` at most."""
    written = 0
    with stream, path.open("xb") as file:
        while written <= room and (chunk := stream.read(_CHUNK)):
            written += file.write(chunk)
    return written


def _refused(archive: Path, what: str) -> BundleError:
    return BundleError(
        f"{archive} {what}; the plain files of one bundle were needed; do not use this archive"
    )
