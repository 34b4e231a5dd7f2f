"""Work that is never lost: a film's finished fragments, in a folder beside the output.

    film.mkv.parts/
      manifest.json     which film, model and settings; written first
      000000.packets    the first frames, coded (trtcolor.video.sink)
      000000.npz        the state in which they left the filter along time
      000000.json       how many frames, what was broken, and the CRC-32 of both; written last
      000001.packets    ...

Every file is on the disk before it has its name, and a fragment counts once its .json is there. A
fragment begins with an encoder of its own and with the stored state of the one before, so the
coloured film is the same whether one process made all fragments or many did. Where fragments end is
decided by the frames alone.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np

from trtcolor.errors import OutputExistsError, VideoError
from trtcolor.files import put_file_in_place, to_disk, whole_file
from trtcolor.video.encoding import Encoding
from trtcolor.video.fragments import (
    Fragment,
    FragmentWriter,
    State,
    crc_of,
    fragment_file,
    json_bytes,
)
from trtcolor.video.sink import Coded, read_packets, read_times

FORMAT = 1


class Work:
    """The folder of fragments of one film.

    Args:
        folder: to be made, or there already.
        settings: all that decides what the coloured film is, as JSON can hold it.
        resume: go on where a folder made with the same settings ends.
        overwrite: throw away what is there.

    Attributes:
        fragments: the finished ones, in order.

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
        manifest = folder / "manifest.json"
        if self._path(0, "json").exists() and not resume and not overwrite:
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
            if resume and manifest.exists():
                _check_same(_read_manifest(manifest), settings, folder)
                self._find_finished()
            self._sweep()
            with whole_file(manifest, overwrite=True) as stream:
                stream.write(json_bytes(dict(settings) | {"format": FORMAT}))
            to_disk(folder)
        except BaseException:
            self._lock.close()
            raise

    @property
    def frames(self) -> int:
        """How many frames of the film are finished."""
        return sum(fragment.frames for fragment in self.fragments)

    @property
    def complete(self) -> bool:
        """Whether the whole film is finished."""
        return bool(self.fragments) and self.fragments[-1].last

    def state(self) -> State | None:
        """That in which the last fragment left the filter along time; None: it had none."""
        if not self.fragments:
            return None
        with np.load(self._path(len(self.fragments) - 1, "npz"), allow_pickle=False) as stored:
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
        """The next fragment, for a block of ``with``."""
        return FragmentWriter(self.folder, self.fragments, encoding)

    def place(self, temporary: Path, output: Path, *, overwrite: bool) -> None:
        """Give the finished film its name.

        Raises:
            OutputExistsError: there is such a file, and ``overwrite`` is false.
            OSError: the folder is not writable, and so on.
        """
        with whole_file(self.folder / "placed.json", overwrite=True) as stream:
            stream.write(json_bytes(_identity(temporary)))
        put_file_in_place(temporary, output, overwrite=overwrite)

    def placed(self, output: Path) -> bool:
        """Whether that file is this very film, finished before the folder could be removed."""
        try:
            stored = json.loads((self.folder / "placed.json").read_text("utf-8"))
            return bool(stored == _identity(output))
        except (OSError, ValueError):
            return False

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
        if kind is not None and not self._path(0, "json").exists():
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

    def _find_finished(self) -> None:
        """Whole fragments, up to the first that is missing or damaged."""
        while not self.complete:
            number = len(self.fragments)
            try:
                fragment = Fragment.from_json(self._path(number, "json").read_text("utf-8"))
                packets, state = self._path(number, "packets"), self._path(number, "npz")
                whole = (crc_of(packets), crc_of(state)) == (
                    fragment.packets_crc,
                    fragment.state_crc,
                )
            except (OSError, ValueError, TypeError, KeyError):
                return
            if not whole or fragment.first != self.frames:
                return
            self.fragments.append(fragment)

    def _sweep(self) -> None:
        """Remove all but what counts."""
        kept = {self.folder / "lock"}
        if self.complete:
            kept.add(self.folder / "placed.json")
        for number in range(len(self.fragments)):
            kept |= {self._path(number, ending) for ending in ("json", "packets", "npz")}
        for path in set(self.folder.iterdir()) - kept:
            path.unlink()

    def _path(self, number: int, ending: str) -> Path:
        return fragment_file(self.folder, number, ending)


def _read_manifest(path: Path) -> dict[str, Any]:
    with suppress(ValueError):
        stored = json.loads(path.read_text("utf-8"))
        if isinstance(stored, dict):
            return stored
    raise VideoError(
        f"{path} is damaged; the manifest of an unfinished film was needed; begin again with "
        "--overwrite"
    )


def _check_same(stored: Mapping[str, Any], settings: Mapping[str, Any], folder: Path) -> None:
    wanted = json.loads(json_bytes(dict(settings) | {"format": FORMAT}))
    old, new = dict(_entries(stored)), dict(_entries(wanted))
    changed = sorted(key for key in old.keys() | new.keys() if old.get(key) != new.get(key))
    if changed:
        was = ", ".join(f"{key} {old.get(key)!r}, now {new.get(key)!r}" for key in changed)
        raise VideoError(
            f"{folder} was begun otherwise ({was}); the same film, model and settings were needed; "
            "give them, or begin again with --overwrite"
        )


def _entries(table: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """What is in a table and in those within it, by their names."""
    for key, entry in table.items():
        if isinstance(entry, Mapping):
            yield from ((f"{key} {name}", inner) for name, inner in _entries(entry))
        else:
            yield key, entry


def _identity(path: Path) -> dict[str, int]:
    found = path.stat()
    return {"device": found.st_dev, "inode": found.st_ino, "bytes": found.st_size}
