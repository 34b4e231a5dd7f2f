"""`StoreDesk`: a prefix of a store, for making parts of outputs."""

from __future__ import annotations

import secrets
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePath

from trtcolor.archive.record import Identity
from trtcolor.errors import PictureError
from trtcolor.stores.address import Address
from trtcolor.stores.objects import is_there, upload
from trtcolor.stores.remote_file import RemoteFile


@dataclass(frozen=True)
class StoreDesk:
    """The `trtcolor.archive.desk.Desk` of a prefix of a store.

    An output is written to a file of this machine; what is kept of it is an object among `parts`.

    Attributes:
        folder: prefix of the outputs.
        parts: prefix of what has no name yet.
        mark: an object that is there while this run holds the prefix, and at no other time.
    """

    folder: Address
    parts: Address
    mark: Address

    def check(self) -> None:
        if not is_there(self.mark):
            raise PictureError(
                f"{self.folder} is not there as the run sees it; the same store was needed on all "
                "machines; set the same endpoint and credentials in the environment of each"
            )

    def shown(self, output: PurePath) -> str:
        return str(self.folder.joinpath(output))

    def is_there(self, output: PurePath) -> bool:
        return is_there(self.folder.joinpath(output))

    def holds(self, output: PurePath, content: Identity) -> bool:
        file = RemoteFile(self.folder.joinpath(output))
        if file.now().bytes != content.bytes:
            return False
        with file.local() as path:
            return content.holds_for(path, trust_time=False)

    @contextmanager
    def part(self, output: PurePath) -> Iterator[StorePart]:
        with tempfile.TemporaryDirectory(prefix="trtcolor-") as folder:
            yield StorePart(Path(folder) / f"output{output.suffix}", self.parts)


@dataclass(frozen=True)
class StorePart:
    """The `trtcolor.archive.desk.Part` of a store."""

    file: Path
    parts: Address

    def keep(self) -> str:
        name = f"{secrets.token_hex(16)}{self.file.suffix}"
        upload(self.file, self.parts.joinpath(name), overwrite=False)
        return name
