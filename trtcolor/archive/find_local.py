"""Which pictures are meant by files and folders of this machine."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from trtcolor.archive.names import SUFFIXES


class LocalSearch:
    """Goes through files and folders, taking each picture once.

    Args:
        output: the folder of the outputs, in which nothing is taken for an input.

    Attributes:
        pictures, faults: what was found so far; a fault has its reason.
        others: files of folders without a picture's suffix.
    """

    def __init__(self, output: Path | None) -> None:
        self.pictures: list[Path] = []
        self.faults: list[tuple[Path, str]] = []
        self.others = 0
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
                    self.others += 1
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
            self.pictures.append(path)
        else:
            self._fault(
                path, f"{path} is no file but a {_kind(mode)}; a picture file was needed; save it"
            )

    def _fault(self, path: Path, reason: str) -> None:
        self.faults.append((path, reason))


def _kind(mode: int) -> str:
    kinds = {stat.S_IFIFO: "pipe", stat.S_IFSOCK: "socket", stat.S_IFDIR: "folder"}
    return kinds.get(stat.S_IFMT(mode), "device")
