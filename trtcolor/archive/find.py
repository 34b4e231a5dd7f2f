"""Which pictures are meant by files, folders, patterns and lists."""

from __future__ import annotations

import glob
import os
import stat
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from trtcolor.archive.names import SUFFIXES
from trtcolor.errors import PictureError

STDIN = "-"


@dataclass(frozen=True)
class Fault:
    """Something among the inputs that is no picture to be coloured, and why; one sentence."""

    path: Path
    reason: str


@dataclass
class Found:
    """What the inputs are.

    Attributes:
        root: the deepest folder that holds all inputs; names of outputs are those below it.
        pictures: absolute, each once, in the order of the inputs and by name in folders.
        faults: inputs and files of folders that cannot be taken.
        others: how many files of folders have no picture's suffix and were passed over.
    """

    root: Path
    pictures: list[Path] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    others: int = 0


def find_pictures(
    inputs: Iterable[str], lists: Iterable[str] = (), *, output: Path | None = None
) -> Found:
    """Find the pictures that the inputs mean.

    A folder is gone through with all within it, but for hidden files and folders (whose names
    begin with a dot) and files without a picture's suffix. Links are followed, to each folder
    once, so that a loop ends; where one folder has several names, one without a link is taken.

    Args:
        inputs: paths of files and folders; patterns as of `glob`, ``**`` for folders at any depth,
            where nothing has that very name; ``@FILE`` for a list, ``-`` for one from standard
            input.
        lists: files with a path a line, or with paths that end in NUL, as ``find -print0`` gives
            them; relative ones are those of the working folder.
        output: the folder of the outputs, in which nothing is taken for an input.

    Raises:
        PictureError: there is no picture.
        OSError: a list cannot be read.
    """
    named = list(_expanded(inputs, lists))
    bases = [path if os.path.isdir(path) else path.parent for path in named]
    found = Found(Path(os.path.commonpath(bases)) if bases else Path.cwd())
    search = _Search(found, output)
    for path in named:
        search.take(path)
    if found.pictures:
        return found
    if found.faults:
        why = found.faults[0].reason
    else:
        why = f"no picture in {', '.join(map(str, named)) or 'a list without a path'}"
    raise PictureError(
        f"{why}; at least one picture was needed ({' '.join(sorted(SUFFIXES))}); check the inputs"
    )


def named_file(inputs: Sequence[str], lists: Sequence[str]) -> Path | None:
    """The file that is meant where the inputs name one and nothing else; it may be missing."""
    if len(inputs) != 1 or lists:
        return None
    text = inputs[0]
    if not os.path.lexists(text) and (text[:1] == "@" or text == STDIN or glob.has_magic(text)):
        return None
    return None if os.path.isdir(text) else Path(text)


def read_list(name: str) -> list[str]:
    """The paths in a list, as for `find_pictures`.

    Raises:
        OSError: it cannot be read.
    """
    data = sys.stdin.buffer.read() if name == STDIN else Path(name).read_bytes()
    if b"\0" in data:
        lines = data.split(b"\0")
    else:
        lines = [
            line.removesuffix(b"\r") for line in data.removeprefix(b"\xef\xbb\xbf").split(b"\n")
        ]
    return [os.fsdecode(line) for line in lines if line]


def _expanded(inputs: Iterable[str], lists: Iterable[str]) -> Iterator[Path]:
    """Absolute paths, with patterns and lists replaced by what they say."""
    lists = list(lists)
    for text in inputs:
        if os.path.lexists(text):
            yield _absolute(text)
        elif text == STDIN or text[:1] == "@":
            lists.append(text.removeprefix("@"))
        elif glob.has_magic(text) and (matches := sorted(glob.glob(text, recursive=True))):
            yield from map(_absolute, matches)
        else:
            yield _absolute(text)
    for name in lists:
        yield from map(_absolute, read_list(name))


def _absolute(text: str) -> Path:
    return Path(os.path.abspath(text))


class _Search:
    """Goes through files and folders, each once."""

    def __init__(self, found: Found, output: Path | None) -> None:
        self._found = found
        self._output = None if output is None else Path(os.path.realpath(output))
        self._files: set[Path] = set()
        self._folders: set[tuple[int, int]] = set()

    def take(self, path: Path) -> None:
        """What the user has named: whatever its suffix."""
        if self._in_output(path):
            self._fault(
                path,
                f"{path} lies in the output folder {self._output}, where nothing is taken for an "
                "input; a folder elsewhere was needed for the outputs; name another",
            )
            return
        if not os.path.isdir(path):
            self._file(path)
            return
        links = [path]
        while links:  # each may be another name of a folder that was just gone through
            links = self._tree(links.pop(0)) + links

    def _tree(self, top: Path) -> list[Path]:
        """Take a folder with all within it; the links to folders in it, which are left for later.

        Real folders come first, so that what has a name of its own is taken by it.
        """
        waiting, links = [top], []
        while waiting:
            folder = waiting.pop()
            try:
                if self._was_here(folder):
                    continue
                with os.scandir(folder) as listed:
                    entries = sorted(listed, key=lambda entry: entry.name)
            except OSError as error:
                self._fault(
                    folder,
                    f"{folder} cannot be read ({error.strerror}); "
                    "check the folder and its permissions",
                )
                continue
            inner = []
            for entry in entries:
                path = folder / entry.name
                if entry.name.startswith("."):
                    continue
                if entry.is_dir(follow_symlinks=False):
                    inner.append(path)
                elif entry.is_symlink() and self._in_output(path):
                    continue
                elif os.path.isdir(path):
                    links.append(path)
                elif path.suffix.lower() in SUFFIXES:
                    self._file(path)
                else:
                    self._found.others += 1
            waiting += reversed(inner)
        return links

    def _was_here(self, folder: Path) -> bool:
        """Whether a folder was gone through before, by whatever name, or is that of the outputs."""
        if self._in_output(folder):
            return True
        found = folder.stat()
        key = found.st_dev, found.st_ino
        known = key in self._folders
        self._folders.add(key)
        return known

    def _in_output(self, path: Path) -> bool:
        return self._output is not None and Path(os.path.realpath(path)).is_relative_to(
            self._output
        )

    def _file(self, path: Path) -> None:
        if path in self._files:
            return
        self._files.add(path)
        try:
            mode = path.stat().st_mode
        except OSError as error:
            self._fault(
                path,
                f"{path} cannot be read ({error.strerror}); a picture file was "
                "needed; check the path and its permissions",
            )
            return
        if stat.S_ISREG(mode):
            self._found.pictures.append(path)
        else:
            self._fault(
                path, f"{path} is no file but a {_kind(mode)}; a picture file was needed; save it"
            )

    def _fault(self, path: Path, reason: str) -> None:
        self._found.faults.append(Fault(path, reason))


def _kind(mode: int) -> str:
    kinds = {stat.S_IFIFO: "pipe", stat.S_IFSOCK: "socket", stat.S_IFDIR: "folder"}
    return kinds.get(stat.S_IFMT(mode), "device")
