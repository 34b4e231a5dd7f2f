"""TIFF's structure: directories of tags, in TIFF files and in EXIF blocks (TIFF 6.0, section 2).

Values are kept as the bytes that they are, in the file's byte order, so that what is not understood
is copied whole.
"""

from __future__ import annotations

import contextlib
import io
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import BinaryIO, Literal

Order = Literal["<", ">"]

ORIENTATION = 0x0112
EXIF, GPS, INTEROPERABILITY = 0x8769, 0x8825, 0xA005

_BYTES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4}
_BYTES |= {16: 8, 17: 8, 18: 8}  # BigTIFF
_SHORT, _LONG, _LONG8 = 3, 4, (16, 17, 18)

MAX_DIRECTORIES = 10_000

_MAX_ENTRIES = 2000
_MAX_VALUE = 1 << 25


@dataclass(frozen=True)
class Entry:
    """A tag's value.

    Attributes:
        kind: TIFF's number of the type.
        data: the values, in the directory's byte order.
        at: where `data` lies in what was read; 0 for what was not read.
    """

    kind: int
    data: bytes
    at: int = 0

    @property
    def count(self) -> int:
        return len(self.data) // _BYTES[self.kind]


@dataclass
class Directory:
    """Tags and the directories that some of them point to.

    Attributes:
        order: ``"<"`` or ``">"``.
        entries: by tag.
        children: those of EXIF, GPS and INTEROPERABILITY, by tag.
        table_at: where the tags begin.
        link_at: where the offset of the next directory lies, and `next`, which it is (0: none).
    """

    order: Order
    entries: dict[int, Entry] = field(default_factory=dict)
    children: dict[int, Directory] = field(default_factory=dict)
    table_at: int = 0
    link_at: int = 0
    next: int = 0

    def number(self, tag: int) -> int | None:
        """The first value of a tag of whole numbers."""
        entry = self.entries.get(tag)
        code = {1: "B", _SHORT: "H", _LONG: "I", 16: "Q"}.get(entry.kind) if entry else None
        if entry is None or code is None or not entry.count:
            return None
        return int(struct.unpack_from(self.order + code, entry.data)[0])

    def set_numbers(self, tag: int, kind: int, *values: int) -> None:
        """Give a tag values of the kind _SHORT (3) or _LONG (4)."""
        code = {_SHORT: "H", _LONG: "I"}[kind]
        self.entries[tag] = Entry(kind, struct.pack(f"{self.order}{len(values)}{code}", *values))


def read_directory(stream: BinaryIO, index: int = 0) -> Directory:
    """A directory of a TIFF file or an EXIF block that begins where the stream does.

    Args:
        stream: seekable.
        index: which of the chain.

    Raises:
        ValueError: it has not that structure, or not so many directories.
    """
    found = next(islice(directories(stream), index, None), None)
    if found is None:
        raise ValueError(f"no directory {index}")
    return found


def count_directories(stream: BinaryIO) -> int:
    """How many directories the chain of a TIFF has.

    Raises:
        ValueError: as from `directories`; nothing that decodes as a TIFF, or cut short.
    """
    return sum(1 for _ in directories(stream, links_only=True))


def directories(stream: BinaryIO, *, links_only: bool = False) -> Iterator[Directory]:
    """The chain of directories; it ends where one is met again or is none.

    Args:
        stream: seekable.
        links_only: leave the tags out.

    Raises:
        ValueError: no TIFF, cut short before a directory, or more than `MAX_DIRECTORIES`.
    """
    stream.seek(0)
    head = stream.read(16)
    orders: dict[bytes, Order] = {b"II": "<", b"MM": ">"}
    order = orders.get(head[:2])
    if order is None or len(head) < 8:
        raise ValueError("no TIFF header")
    (magic,) = struct.unpack_from(order + "H", head, 2)
    if magic not in (42, 43) or (magic == 43 and len(head) < 16):
        raise ValueError("no TIFF header")
    big = magic == 43
    (offset,) = struct.unpack_from(order + ("Q" if big else "I"), head, 8 if big else 4)
    length = stream.seek(0, io.SEEK_END)
    seen: set[int] = set()
    while offset and offset not in seen:
        if len(seen) == MAX_DIRECTORIES:
            raise ValueError(f"more than {MAX_DIRECTORIES} pages")
        if offset > length - 2:
            raise ValueError(f"cut short before page {len(seen)}")
        seen.add(offset)
        try:
            directory = _read_one(stream, offset, order, big, links_only=links_only)
        except ValueError:
            if len(seen) == 1:
                raise
            return
        offset = directory.next
        yield directory


def _read_one(
    stream: BinaryIO,
    offset: int,
    order: Order,
    big: bool,
    depth: int = 0,
    *,
    links_only: bool = False,
) -> Directory:
    count_code, size, offset_code = ("Q", 20, "Q") if big else ("H", 12, "I")
    (count,) = struct.unpack(order + count_code, _take(stream, offset, 8 if big else 2))
    if not 0 < count <= _MAX_ENTRIES:
        raise ValueError(f"a directory of {count} tags")
    table_at = offset + (8 if big else 2)
    inline = 8 if big else 4
    stream.seek(table_at)
    table = stream.read(count * size)
    table = table[: len(table) // size * size]  # as others do, what there is of one cut short
    directory = Directory(order, table_at=table_at, link_at=table_at + len(table))
    with contextlib.suppress(ValueError):  # some writers leave it out
        link = _take(stream, directory.link_at, inline)
        (directory.next,) = struct.unpack(order + offset_code, link)
    for start in range(0, 0 if links_only else len(table), size):
        tag, kind = struct.unpack_from(order + "HH", table, start)
        (number,) = struct.unpack_from(order + offset_code, table, start + 4)
        length = number * _BYTES.get(kind, 0)
        if not 0 < length <= _MAX_VALUE:
            continue
        at = table_at + start + size - inline
        if length > inline:
            (at,) = struct.unpack_from(order + offset_code, table, start + size - inline)
        try:
            entry = Entry(kind, _take(stream, at, length), at)
        except ValueError:
            continue  # a value that lies outside is lost; the others are not
        if tag in (EXIF, GPS, INTEROPERABILITY):
            _add_child(stream, directory, tag, entry, big, depth)
        else:
            directory.entries[tag] = entry
    return directory


def _add_child(
    stream: BinaryIO, directory: Directory, tag: int, entry: Entry, big: bool, depth: int
) -> None:
    code = "Q" if entry.kind in _LONG8 else "I"
    if depth < 2 and len(entry.data) == struct.calcsize(directory.order + code):
        (offset,) = struct.unpack(directory.order + code, entry.data)
        try:
            child = _read_one(stream, offset, directory.order, big, depth + 1)
        except ValueError:
            return
        directory.children[tag] = child


def _take(stream: BinaryIO, offset: int, length: int) -> bytes:
    if offset < 0 or offset > 1 << 62:
        raise ValueError("an offset outside")
    stream.seek(offset)
    data = stream.read(length)
    if len(data) < length:
        raise ValueError("cut short")
    return data


def directory_bytes(directory: Directory, offset: int, following: int = 0) -> bytes:
    """A directory, its values and its children, one after the other.

    Args:
        directory: its values are at most 4 GiB in all.
        offset: where the bytes will lie; even.
        following: the offset of the next directory, or 0.
    """
    order = directory.order
    tags = sorted([*directory.entries, *directory.children])
    after = offset + 2 + 12 * len(tags) + 4
    body = bytearray()
    table = bytearray(struct.pack(order + "H", len(tags)))
    for tag in tags:
        if tag in directory.children:
            at = after + len(body)
            body += directory_bytes(directory.children[tag], at)
            table += struct.pack(order + "HHII", tag, _LONG, 1, at)
        else:
            entry = _classic(directory.entries[tag], order)
            table += struct.pack(order + "HHI", tag, entry.kind, entry.count)
            if len(entry.data) <= 4:
                table += entry.data.ljust(4, b"\0")
            else:
                table += struct.pack(order + "I", after + len(body))
                body += entry.data
        body += b"\0" * (len(body) & 1)
    table += struct.pack(order + "I", following)
    return bytes(table + body)


def _classic(entry: Entry, order: Order) -> Entry:
    """BigTIFF's 64-bit numbers as 32-bit ones."""
    if entry.kind not in _LONG8:
        return entry
    numbers = struct.unpack(f"{order}{entry.count}Q", entry.data)
    data = struct.pack(f"{order}{entry.count}I", *(n & 0xFFFFFFFF for n in numbers))
    return Entry(9 if entry.kind == 17 else _LONG, data)


def block_from_directory(directory: Directory) -> bytes:
    """An EXIF block with that directory alone."""
    head = b"II*\0" if directory.order == "<" else b"MM\0*"
    return head + struct.pack(directory.order + "I", 8) + directory_bytes(directory, 8)


def directory_from_block(block: bytes) -> Directory:
    """The first directory of an EXIF block.

    Raises:
        ValueError: it has not that structure.
    """
    return read_directory(io.BytesIO(block))
