"""A fragment of a coloured film: some hundred frames, coded by an encoder of their own."""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trtcolor.errors import VideoError
from trtcolor.files import to_disk, whole_file
from trtcolor.video.encoding import Encoding
from trtcolor.video.sink import PacketWriter

State = Mapping[str, NDArray[Any]]


@dataclass(frozen=True)
class Broken:
    """A frame that was not coloured.

    Attributes:
        index: its place in the film, from 0.
        seconds: when it is shown.
        reason: why.
    """

    index: int
    seconds: float
    reason: str


@dataclass(frozen=True)
class Fragment:
    """What is known of a finished fragment.

    Attributes:
        first: index of its first frame in the film.
        frames: how many it has.
        delay: how far its coded order lags behind that of showing, in frames.
        extradata: the encoder's headers, in hexadecimal digits.
        packets_crc, state_crc: CRC-32 of its other two files.
        last: whether the film ends with it.
        broken: its frames that were not coloured.
        cut_short: why the film counts as cut short at its end; None: it does not.
    """

    first: int
    frames: int
    delay: int
    extradata: str
    packets_crc: int
    state_crc: int
    last: bool
    broken: tuple[Broken, ...] = ()
    cut_short: str | None = None

    @classmethod
    def from_json(cls, text: str) -> Fragment:
        entries = json.loads(text)
        entries["broken"] = tuple(Broken(**entry) for entry in entries["broken"])
        return cls(**entries)


class FragmentWriter:
    """A fragment in the making, in a block of ``with``; it counts after `commit`, and else is gone.

    Args:
        folder: of the work.
        fragments: those that are finished; this one is added to them.
        encoding: the encoder.

    Attributes:
        broken: its frames that are not coloured, to be added to.
        writer: takes the frames.
    """

    def __init__(self, folder: Path, fragments: list[Fragment], encoding: Encoding) -> None:
        self._folder, self._fragments = folder, fragments
        self._stack = ExitStack()
        self.broken: list[Broken] = []
        path = fragment_file(folder, len(fragments), "packets")
        self.writer = PacketWriter(
            encoding, self._stack.enter_context(whole_file(path, overwrite=True))
        )

    def commit(
        self, state: State | None, *, last: bool = False, cut_short: str | None = None
    ) -> None:
        """Finish it.

        Args:
            state: of the filter along time after its last frame.
            last: whether the film ends here.
            cut_short: why it counts as cut short.

        Raises:
            VideoError: the encoder failed, or its headers are others than before.
            OSError: the disk is full, and so on.
        """
        writer, fragments, number = self.writer, self._fragments, len(self._fragments)
        writer.finish()
        extradata = writer.extradata.hex()
        if fragments and fragments[0].extradata != extradata:
            raise VideoError(
                f"the encoder's headers in {self._folder} are others than this one's; the same "
                "version of PyAV was needed; begin again with --overwrite"
            )
        self._stack.close()
        stored = fragment_file(self._folder, number, "npz")
        with whole_file(stored, overwrite=True) as stream:
            np.savez(stream, allow_pickle=False, **dict(state or {}))
        fragment = Fragment(
            first=sum(fragment.frames for fragment in fragments),
            frames=writer.frames,
            delay=writer.delay,
            extradata=extradata,
            packets_crc=writer.crc,
            state_crc=crc_of(stored),
            last=last,
            broken=tuple(self.broken),
            cut_short=cut_short,
        )
        to_disk(self._folder)
        with whole_file(fragment_file(self._folder, number, "json"), overwrite=True) as stream:
            stream.write(json_bytes(asdict(fragment)))
        to_disk(self._folder)
        fragments.append(fragment)

    def __enter__(self) -> FragmentWriter:
        return self

    def __exit__(self, *error: Any) -> None:
        self._stack.__exit__(*error)


def fragment_file(folder: Path, number: int, ending: str) -> Path:
    """One of a fragment's three files, ``"packets"``, ``"npz"`` or ``"json"``."""
    return folder / f"{number:06d}.{ending}"


def crc_of(path: Path) -> int:
    """CRC-32 of a file."""
    crc = 0
    with path.open("rb") as stream:
        while block := stream.read(1 << 20):
            crc = zlib.crc32(block, crc)
    return crc


def json_bytes(entries: Mapping[str, Any]) -> bytes:
    """The same text for the same entries."""
    return json.dumps(entries, indent=1, sort_keys=True).encode()
