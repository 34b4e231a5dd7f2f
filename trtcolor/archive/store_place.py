"""`StorePlace`: outputs in an object store, held by one run at a time, never half-made.

OUT/.trtcolor/locks/ID        whose a run's it is (trtcolor.stores.lease)
OUT/.trtcolor/results.jsonl   the journal (trtcolor.archive.store_journal)
OUT/.trtcolor/parts/ID        an output on its way; a leftover once nobody holds OUT

An output is uploaded as a part; once the journal has its line, the store itself copies it to its
name, at once and whole, and the part is removed.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from pathlib import PurePath
from typing import Any

from trtcolor.archive.place import INNER
from trtcolor.archive.store_desk import StoreDesk
from trtcolor.archive.store_journal import StoreJournal
from trtcolor.closing import Closing
from trtcolor.errors import StoreError
from trtcolor.stores.address import Address
from trtcolor.stores.lease import Lease
from trtcolor.stores.objects import AT_ONCE, abort_uploads, below, copy, remove, remove_all


class StorePlace(Closing):
    """A prefix of a store that this process holds. Threads may share it.

    Args:
        folder: the prefix.

    Attributes:
        folder: as given.
        inner: for what is no output.
        at_once: how many parts are put in place side by side.
        there: names below `folder` that objects had when it was taken.

    Raises:
        StoreError: another process holds it, it is no prefix of a store, and so on.
    """

    at_once = AT_ONCE

    def __init__(self, folder: Address) -> None:
        self.folder, self.inner = folder, folder.joinpath(INNER)
        self._lease = Lease(self.inner.joinpath("locks"), folder)
        try:
            self._sweep()
            self.there = names_below(folder)
        except BaseException:
            self._lease.close()
            raise

    @property
    def desk(self) -> StoreDesk:
        """What makes parts of outputs for it."""
        return StoreDesk(self.folder, self._parts, self._lease.own)

    def journal(self, head: Mapping[str, Any]) -> StoreJournal:
        """What is remembered of it."""
        return StoreJournal(self.inner, head, check=self._lease.check)

    def put(self, part: str, output: PurePath, *, overwrite: bool) -> None:
        """Give a part that was kept its name.

        Args:
            part: as `trtcolor.archive.desk.Part.keep` gave it; gone afterwards.
            output: path below the folder.
            overwrite: replace an object that was there at the beginning; what has come since is
                not ours, and never replaced.

        Raises:
            OutputExistsError: there is an object that is not to be replaced.
            StoreError: the folder is not held any more, and so on.
        """
        self._lease.check()
        ours = output.as_posix() in self.there
        copy(self._parts.joinpath(part), self.folder.joinpath(output), overwrite=overwrite and ours)
        self.drop(part)

    def drop(self, part: str) -> None:
        """Remove a part that was kept and gets no name."""
        remove(self._parts.joinpath(part))

    def close(self) -> None:
        """Let other runs have it; a second call does nothing."""
        with suppress(StoreError):
            self._lease.check()  # or what lies there is another run's
            self._sweep()
        with suppress(StoreError):  # it ends by itself
            self._lease.close()

    @property
    def _parts(self) -> Address:
        return self.inner.joinpath("parts")

    def _sweep(self) -> None:
        abort_uploads(self._parts)
        remove_all(part.address for part in below(self._parts))


def names_below(folder: Address) -> frozenset[str]:
    """Names of all objects below a prefix, without those of what is no output."""
    names = (file.address.relative_to(folder).as_posix() for file in below(folder))
    return frozenset(name for name in names if not name.startswith(f"{INNER}/"))
