"""What a picture is coloured from: a file of this machine, or one that is fetched for it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePath
from typing import Any

from numpy.typing import NDArray

from trtcolor.archive.record import Identity
from trtcolor.images import read_picture
from trtcolor.stores.address import Address
from trtcolor.stores.remote_file import RemoteFile

Source = Path | RemoteFile
"""Both have a name and a suffix, pickle, and are shown by `str`."""


def source_of(place: Path | Address) -> Source:
    """What is read from a path or an address."""
    return RemoteFile(place) if isinstance(place, Address) else place


def below(source: Source, root: Path | Address) -> PurePath:
    """Its name below a folder or prefix that holds it."""
    if isinstance(source, Path):
        assert isinstance(root, Path), "a file lies in a folder"
        return PurePath(source.relative_to(root))
    assert isinstance(root, Address), "an object lies below a prefix"
    return source.address.relative_to(root)


@contextmanager
def at_hand(source: Source) -> Iterator[Path]:
    """A source as a file of this machine, for a block of ``with``.

    Raises:
        StoreError: it cannot be fetched.
        OSError: the disk is full, and so on.
    """
    if isinstance(source, Path):
        yield source
        return
    with source.local() as path:
        yield path


def has_content(source: Source, content: Identity, *, trust_time: bool) -> bool:
    """Whether a source has that content.

    Args:
        trust_time: that its length and time of change are the same is enough; nothing is fetched.

    Raises:
        StoreError: it is not there, or its store does not answer.
    """
    if isinstance(source, Path):
        return content.holds_for(source, trust_time=trust_time)
    state = source.seen()
    if state.bytes not in (-1, content.bytes):
        return False
    if trust_time and state.bytes >= 0 and 0 < state.mtime_ns == content.mtime_ns:
        return True
    with source.local() as path:
        return Identity.of(path).sha256 == content.sha256


def read_pixels(source: Source, max_pixels: int) -> NDArray[Any]:
    """The pixels of a picture, as of `trtcolor.images.read_picture`.

    Raises:
        PictureError, StoreError: it cannot be read, or not be fetched.
    """
    with at_hand(source) as path:
        return read_picture(path, max_pixels=max_pixels).pixels
