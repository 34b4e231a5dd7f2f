"""WebDataset shards: tar archives of samples ``KEY.jpg`` + ``KEY.cls``.

Of an uncompressed shard only an index is kept, and a picture's bytes are read each time they are
wanted, so that data may be larger than memory. A compressed shard can only be read in sequence:
its pictures stay in memory, still encoded; unpack shards that are larger than it.
"""

from __future__ import annotations

import io
import os
import tarfile
import zlib
from dataclasses import dataclass, field
from pathlib import Path

PICTURE_SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff"})
SHARD_SUFFIXES = (".tar", ".tar.gz", ".tgz")


@dataclass(frozen=True, slots=True)
class Span:
    """Bytes inside a file: where they begin and how many they are."""

    path: Path
    offset: int
    size: int

    def read(self) -> bytes:
        """The bytes. The file is opened anew each time: threads and forked processes share nothing.

        Raises:
            OSError: the file has gone or is shorter than it was.
        """
        with self.path.open("rb", buffering=0) as file:
            content = os.pread(file.fileno(), self.size, self.offset)
        if len(content) < self.size:
            raise OSError(f"{self.path} has become shorter")
        return content


@dataclass
class Shard:
    """What was found in a shard.

    Attributes:
        pictures: by key, in the shard's order.
        labels: class index by key.
        damage: why reading ended early; None: it did not.
    """

    pictures: dict[str, bytes | Span] = field(default_factory=dict)
    labels: dict[str, int] = field(default_factory=dict)
    damage: str | None = None


def read_shard(path: Path) -> Shard:
    """Index an uncompressed shard, read a compressed one.

    Never raises for a damaged shard: what was whole before the damage is kept.
    """
    shard = Shard()
    try:
        with tarfile.open(path) as archive:
            _read_members(archive, path, shard)
    except tarfile.ReadError as error:
        # Where no format fits tarfile lists what each of them said, line by line.
        shard.damage = "no tar archive" if "\n" in str(error) else str(error)
    except OSError as error:
        # Without the path of this machine: what is unreadable is named in published results.
        shard.damage = error.strerror or str(error)
    except (EOFError, ValueError, tarfile.TarError, zlib.error) as error:
        shard.damage = str(error)
    return shard


def _read_members(archive: tarfile.TarFile, path: Path, shard: Shard) -> None:
    # tarfile wraps a compressed file in a reader of its format and leaves any other as it is.
    plain = archive.fileobj if isinstance(archive.fileobj, io.BufferedReader) else None
    length = path.stat().st_size
    for member in archive:
        stream = archive.extractfile(member) if member.isfile() else None
        if stream is None:
            continue
        indexed = plain is not None and not member.issparse()
        if indexed and member.offset_data + member.size > length:
            raise tarfile.ReadError(f"{member.name} is cut short")
        key, suffix = os.path.splitext(member.name)
        if suffix.lower() in PICTURE_SUFFIXES:
            span = Span(path, member.offset_data, member.size)
            shard.pictures[key] = span if indexed else stream.read()
        elif suffix == ".cls":
            shard.labels[key] = _class_index(member.name, stream.read())
    # Behind the first member tarfile takes whatever is no header for the end, which is a block of
    # zeros; elsewhere the file was cut or overwritten.
    if plain and os.pread(plain.fileno(), 512, archive.offset) != bytes(512):
        raise tarfile.ReadError("it ends without the end mark of an archive")


def _class_index(name: str, content: bytes) -> int:
    try:
        return int(content)
    except ValueError:
        raise tarfile.ReadError(f"{name} is no class number") from None
