"""The output folder as it is seen by what makes pictures, in this process or on another machine.

An output is made as a part, under a name that is nobody's; only the run that holds the folder
(`trtcolor.archive.place`) gives it its own. So work that is done twice, as a cluster does that of a
lost worker, makes a part too many and no output too many.
"""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Protocol

from trtcolor.archive.record import Identity
from trtcolor.errors import PictureError
from trtcolor.files import to_disk


class Part(Protocol):
    """An output in the making.

    Attributes:
        file: where to write it, on this machine; its name is that of the output.
    """

    @property
    def file(self) -> Path: ...

    def keep(self) -> str:
        """The file is whole: it stays when the block ends.

        Returns:
            What `Place.put` knows it by, in another process too.

        Raises:
            OSError: the disk is full, and so on.
        """
        ...


class Desk(Protocol):
    """An output folder, for making parts of outputs. It pickles; threads may share it."""

    def check(self) -> None:
        """Raises PictureError if this machine does not see the folder that the run holds."""
        ...

    def shown(self, output: PurePath) -> str:
        """What messages call an output."""
        ...

    def is_there(self, output: PurePath) -> bool:
        """Whether something has an output's name.

        Raises:
            PictureError: a link on the way leads out of the output folder.
            OSError: its folder cannot be made.
        """
        ...

    def holds(self, output: PurePath, content: Identity) -> bool:
        """Whether an output that is there has that content."""
        ...

    def part(self, output: PurePath) -> AbstractContextManager[Part]:
        """A part to be made in a block of ``with``; gone at its end unless it was kept."""
        ...


@dataclass(frozen=True)
class FolderDesk:
    """The `Desk` of a folder of this machine, or of a disk that several share.

    Attributes:
        folder: of the outputs, absolute: processes of a cluster work in other folders.
        parts: where parts are made, on the same disk; absolute, made by the run that holds the
            folder, and no other run's.
    """

    folder: Path
    parts: Path

    def check(self) -> None:
        if not self.parts.is_dir():
            raise PictureError(
                f"{self.folder} is not there as the run sees it; a folder on a disk that all "
                "machines share was needed; mount it under the same path, or name another"
            )

    def shown(self, output: PurePath) -> str:
        return str(self.folder / output)

    def is_there(self, output: PurePath) -> bool:
        path = self.folder / output
        root, above = Path(os.path.realpath(self.folder)), Path(os.path.realpath(path.parent))
        if not above.is_relative_to(root):
            raise PictureError(
                f"{path} would lie in {above}, outside the output folder; a folder without such "
                "links was needed; remove the link, or name another"
            )
        path.parent.mkdir(parents=True, exist_ok=True)
        return os.path.lexists(path)

    def holds(self, output: PurePath, content: Identity) -> bool:
        return content.holds_for(self.folder / output, trust_time=False)

    @contextmanager
    def part(self, output: PurePath) -> Iterator[_FilePart]:
        folder = self.parts / secrets.token_hex(8)
        folder.mkdir()
        part = _FilePart(folder / output.name)
        try:
            yield part
        finally:
            if not part.kept:
                shutil.rmtree(folder, ignore_errors=True)


@dataclass
class _FilePart:
    file: Path
    kept: bool = False

    def keep(self) -> str:
        to_disk(self.file)
        self.kept = True
        return str(self.file)
