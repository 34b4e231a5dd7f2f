"""Work that is never lost: a film's finished fragments, in a folder beside the output.

    film.mkv.parts/
      manifest.json     which film, model and settings; written first
      000000.packets    the first frames, coded (trtcolor.video.sink)
      000000.npz        the state in which they left the filter along time
      000000.json       how many frames, what was broken, and the CRC-32 of both; written last
      000001.packets    ...

Every file is on the disk before it has its name, and a fragment counts once its .json is there. A
fragment begins with an encoder of its own and, unless it begins with a shot, with the stored state
of the one before, so the coloured film is the same whether one process made all fragments or many
did. Where fragments end is decided by the frames alone (`trtcolor.video.fragments.ends_before`).
Many processes do not finish them in their order: what lies behind a gap counts as well.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from trtcolor.errors import OutputExistsError, VideoError
from trtcolor.files import to_disk, whole_file
from trtcolor.video.encoding import Encoding
from trtcolor.video.fragments import (
    Fragment,
    FragmentWriter,
    Made,
    State,
    check_headers,
    crc_of,
    fragment_file,
    write_record,
)
from trtcolor.video.manifest import check_manifest, write_manifest
from trtcolor.video.placing import PLACED
from trtcolor.video.sink import Coded, read_packets, read_times

_RECORDS = "[0-9]" * 6 + ".json"


class Work:
    """The folder of fragments of one film.

    Args:
        folder: to be made, or there already.
        settings: all that decides what the coloured film is, as JSON can hold it.
        resume: go on where a folder made with the same settings ends.
        overwrite: throw away what is there.

    Attributes:
        fragments: the finished ones from the film's beginning to the first gap, in order.
        ahead: those behind it, by number.

    Raises:
        OutputExistsError: there is unfinished work, and neither was asked for.
        VideoError: it was made with other settings, is damaged or something else, or another
            process is at it.
        OSError: the folder cannot be made, and so on.
    """

    def __init__(
        self,
        folder: Path,
        settings: Mapping[str, Any],
        *,
        resume: bool = False,
        overwrite: bool = False,
    ) -> None:
        self.folder = folder
        self._gone = folder.with_name(f".{folder.name}.gone")
        shutil.rmtree(self._gone, ignore_errors=True)  # of a run killed at its very end
        self.fragments: list[Fragment] = []
        self.ahead: dict[int, Fragment] = {}
        manifest = folder / "manifest.json"
        if any(folder.glob(_RECORDS)) and not resume and not overwrite:
            raise OutputExistsError(
                f"{folder} has an unfinished film; a decision was needed; pass --resume to go on "
                "with it, or --overwrite to begin again"
            )
        if folder.is_dir() and any(folder.iterdir()) and not (folder / "lock").exists():
            raise VideoError(
                f"{folder} is there and holds something else than an unfinished film; a free name "
                "was needed; move it, or choose another output"
            )
        folder.mkdir(parents=True, exist_ok=True)
        self._lock = (folder / "lock").open("w")
        try:
            self._claim()
            goes_on = resume and manifest.exists()
            if goes_on:
                check_manifest(manifest, settings)
                self._find_finished()
            self._sweep(kept={folder / "lock", *([manifest] if goes_on else [])})
            if not goes_on:
                write_manifest(manifest, settings)
            to_disk(folder)
        except BaseException:
            self._lock.close()
            raise

    @property
    def frames(self) -> int:
        """How many frames of the film are finished, up to the first gap."""
        return sum(fragment.frames for fragment in self.fragments)

    @property
    def complete(self) -> bool:
        """Whether the whole film is finished."""
        return bool(self.fragments) and self.fragments[-1].last

    @property
    def extradata(self) -> str | None:
        """The encoder's headers, which all fragments share; None: there is no fragment."""
        known = (*self.fragments[:1], *self.ahead.values())
        return known[0].extradata if known else None

    def has(self, number: int, first: int, frames: int) -> bool:
        """Whether the fragment of that number is finished, and has these frames of the film."""
        known = self.fragments[number] if number < len(self.fragments) else self.ahead.get(number)
        return known is not None and (known.first, known.frames) == (first, frames)

    def state(self, number: int | None = None) -> State | None:
        """That in which a fragment left the filter along time; None: it had none.

        Args:
            number: of a finished fragment; None: the last one before the first gap, if any.
        """
        number = len(self.fragments) - 1 if number is None else number
        if number < 0:
            return None
        with np.load(self._path(number, "npz"), allow_pickle=False) as stored:
            return dict(stored) or None

    def packets(self) -> Iterator[Coded]:
        """All coded frames of the finished fragments, in the order in which they are decoded."""
        for number in range(len(self.fragments)):
            yield from read_packets(self._path(number, "packets"))

    def times(self) -> Iterator[int]:
        """The time stamps of all those frames, in the order in which they are shown."""
        for number in range(len(self.fragments)):
            yield from read_times(self._path(number, "packets"))

    def begin(self, encoding: Encoding) -> FragmentWriter:
        """The fragment at the first gap, for a block of ``with``."""
        return FragmentWriter(
            self.folder,
            len(self.fragments),
            self.frames,
            encoding,
            extradata=self.extradata,
            done=self._add,
        )

    def take(self, made: Made) -> None:
        """Keep a fragment that was made elsewhere.

        Raises:
            VideoError: it was damaged on its way, or its headers are others than before.
            OSError: the disk is full, and so on.
        """
        fragment, number = made.fragment, made.number
        crcs = (zlib.crc32(made.packets), zlib.crc32(made.state))
        if crcs != (fragment.packets_crc, fragment.state_crc):
            raise VideoError(
                f"fragment {number} came damaged; what a worker made was needed as it was; try "
                "again with --resume"
            )
        check_headers(self.extradata, fragment.extradata, self.folder)
        for ending, content in (("packets", made.packets), ("npz", made.state)):
            with whole_file(self._path(number, ending), overwrite=True) as stream:
                stream.write(content)
        write_record(self.folder, number, fragment)
        self._add(fragment, number)

    def forget_ahead(self) -> None:
        """Let what lies behind a gap count for nothing, for a run that needs all frames itself."""
        self.ahead.clear()

    def remove(self) -> None:
        """Delete the folder, which has its name until then or not at all."""
        os.rename(self.folder, self._gone)
        shutil.rmtree(self._gone)

    def close(self) -> None:
        """Let other processes have the folder; a second call does nothing."""
        self._lock.close()

    def __enter__(self) -> Work:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is not None and not any(self.folder.glob(_RECORDS)):
            self.remove()  # there is nothing to go on with
        self.close()

    def _claim(self) -> None:
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise VideoError(
                f"another process works on {self.folder}; one at a time was needed; wait for it, "
                "or end it"
            ) from None

    def _add(self, fragment: Fragment, number: int | None = None) -> None:
        """Count one; those behind the gap that it may have filled follow."""
        self.ahead[len(self.fragments) if number is None else number] = fragment
        self._join()

    def _join(self) -> None:
        while not self.complete:
            fragment = self.ahead.get(len(self.fragments))
            if fragment is None or fragment.first != self.frames:
                return
            self.fragments.append(self.ahead.pop(len(self.fragments)))

    def _find_finished(self) -> None:
        """Whole fragments; one that is missing or damaged leaves a gap."""
        for record in self.folder.glob(_RECORDS):
            number = int(record.stem)
            packets, state = self._path(number, "packets"), self._path(number, "npz")
            try:
                fragment = Fragment.from_json(record.read_text("utf-8"))
                crcs = (crc_of(packets), crc_of(state))
            except (OSError, ValueError, TypeError, KeyError):
                continue
            if crcs == (fragment.packets_crc, fragment.state_crc):
                self.ahead[number] = fragment
        self._join()

    def _sweep(self, kept: set[Path]) -> None:
        """Remove all but these files and what counts."""
        if self.complete:
            kept.add(self.folder / PLACED)
        for number in (*range(len(self.fragments)), *self.ahead):
            kept |= {self._path(number, ending) for ending in ("json", "packets", "npz")}
        for path in set(self.folder.iterdir()) - kept:
            path.unlink()

    def _path(self, number: int, ending: str) -> Path:
        return fragment_file(self.folder, number, ending)
