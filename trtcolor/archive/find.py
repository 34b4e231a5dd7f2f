"""Which pictures are meant by files, folders, patterns and lists."""

from __future__ import annotations

import glob
import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from trtcolor.archive.find_local import LocalSearch
from trtcolor.archive.find_remote import RemoteSearch, is_file, is_pattern
from trtcolor.archive.names import SUFFIXES
from trtcolor.archive.sources import Source
from trtcolor.errors import PictureError, StoreError
from trtcolor.stores.address import Address, common_root, is_address, place_of
from trtcolor.stores.remote_file import RemoteFile

STDIN = "-"


@dataclass(frozen=True)
class Fault:
    """Something among the inputs that is no picture to be coloured, and why; one sentence."""

    path: Path | Address
    reason: str


@dataclass
class Found:
    """What the inputs are.

    Attributes:
        root: the deepest folder or prefix that holds all inputs; names of outputs are those below
            it.
        pictures: absolute, each once, in the order of the inputs and by name in folders.
        faults: inputs and files of folders that cannot be taken.
        others: how many files of folders have no picture's suffix and were passed over.
    """

    root: Path | Address
    pictures: list[Source] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    others: int = 0


def find_pictures(
    inputs: Iterable[str], lists: Iterable[str] = (), *, output: Path | Address | None = None
) -> Found:
    """Find the pictures that the inputs mean.

    A folder is gone through with all within it, but for hidden files and folders (whose names
    begin with a dot) and files without a picture's suffix. Links are followed, to each folder
    once, so that a loop ends; where one folder has several names, one without a link is taken.
    Addresses of stores (``s3://BUCKET/KEY``, ``gs://BUCKET/KEY``) are objects, prefixes or patterns
    likewise; those of web servers (``https://HOST/PATH``) are pictures.

    Args:
        inputs: paths of files and folders, or addresses; patterns as of `glob`, ``**`` for folders
            at any depth, where nothing has that very name; ``@FILE`` for a list, ``-`` for one from
            standard input.
        lists: files or addresses of files with a path or an address a line, or with such that end
            in NUL, as ``find -print0`` gives them; relative ones are those of the working folder.
        output: the folder of the outputs, in which nothing is taken for an input.

    Raises:
        PictureError: there is no picture, or they lie in several places.
        StoreError: an address is none, a list cannot be fetched, or a store does not answer.
        OSError: a list cannot be read.
    """
    named = list(_expanded(inputs, lists))
    remote = [place for place in named if isinstance(place, Address)]
    if len({place.scheme if isinstance(place, Address) else "" for place in named}) > 1:
        raise PictureError(
            f"the inputs lie in several places, as {remote[0]} and others; all on this machine or "
            "in one kind of store was needed; run once for each"
        )
    if remote:
        found = _found_remotely(remote, output if isinstance(output, Address) else None)
    else:
        paths = [place for place in named if isinstance(place, Path)]
        found = _found_here(paths, output if isinstance(output, Path) else None)
    if found.pictures:
        return found
    if found.faults and remote:
        raise StoreError(found.faults[0].reason)
    if found.faults:
        why = found.faults[0].reason
    else:
        why = f"no picture in {', '.join(map(str, named)) or 'a list without a path'}"
    raise PictureError(
        f"{why}; at least one picture was needed ({' '.join(sorted(SUFFIXES))}); check the inputs"
    )


def named_file(inputs: Sequence[str], lists: Sequence[str]) -> Source | None:
    """The file that is meant where the inputs name one and nothing else; it may be missing.

    Raises:
        StoreError: an address is none, or its store does not answer.
    """
    if len(inputs) != 1 or lists:
        return None
    text = inputs[0]
    place = place_of(text)
    if isinstance(place, Address):
        return RemoteFile(place) if is_file(place) and not is_pattern(place) else None
    if not os.path.lexists(text) and (text[:1] == "@" or text == STDIN or glob.has_magic(text)):
        return None
    return None if os.path.isdir(place) else place


def read_list(name: str) -> list[str]:
    """The paths in a list, as for `find_pictures`.

    Raises:
        StoreError: it cannot be fetched.
        OSError: it cannot be read.
    """
    data = sys.stdin.buffer.read() if name == STDIN else _content(place_of(name))
    if b"\0" in data:
        lines = data.split(b"\0")
    else:
        lines = [
            line.removesuffix(b"\r") for line in data.removeprefix(b"\xef\xbb\xbf").split(b"\n")
        ]
    return [os.fsdecode(line) for line in lines if line]


def _found_here(named: Sequence[Path], output: Path | None) -> Found:
    bases = [path if os.path.isdir(path) else path.parent for path in named]
    search = LocalSearch(output)
    for path in named:
        search.take(path)
    faults = [Fault(path, reason) for path, reason in search.faults]
    root = Path(os.path.commonpath(bases)) if bases else Path.cwd()
    return Found(root, [*search.pictures], faults, search.others)


def _found_remotely(named: Sequence[Address], output: Address | None) -> Found:
    search = RemoteSearch(output)
    for address in named:
        search.take(address)
    faults = [Fault(address, reason) for address, reason in search.faults]
    return Found(common_root(search.bases), [*search.pictures], faults, search.others)


def _content(place: Path | Address) -> bytes:
    return place.read_bytes() if isinstance(place, Path) else RemoteFile(place).read()


def _expanded(inputs: Iterable[str], lists: Iterable[str]) -> Iterator[Path | Address]:
    """Absolute paths and addresses, with patterns and lists replaced by what they say."""
    lists = list(lists)
    for text in inputs:
        if os.path.lexists(text) or is_address(text):
            yield _absolute(text)
        elif text == STDIN or text[:1] == "@":
            lists.append(text.removeprefix("@"))
        elif glob.has_magic(text) and (matches := sorted(glob.glob(text, recursive=True))):
            yield from map(_absolute, matches)
        else:
            yield _absolute(text)
    for name in lists:
        yield from map(_absolute, read_list(name))


def _absolute(text: str) -> Path | Address:
    place = place_of(text)
    return Path(os.path.abspath(place)) if isinstance(place, Path) else place
