"""A fragment of a coloured film: some hundred frames, coded by an encoder of their own."""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable, Mapping
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

LONGEST = 2
"""Full lengths after which a fragment ends though the shot goes on."""


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


@dataclass(frozen=True)
class Made:
    """A finished fragment on its way to the folder of the work.

    Attributes:
        number: of it in the film.
        fragment: what is known of it.
        packets, state: the bytes of its other two files.
    """

    number: int
    fragment: Fragment
    packets: bytes
    state: bytes

    @classmethod
    def of(cls, folder: Path, number: int, fragment: Fragment) -> Made:
        """From the folder in which it was made.

        Raises:
            OSError: its files cannot be read.
        """
        packets, state = (
            fragment_file(folder, number, ending).read_bytes() for ending in ("packets", "npz")
        )
        return cls(number, fragment, packets, state)


def ends_before(cut: bool, frames: int, full: int) -> bool:
    """Whether a fragment ends before the next whole frame.

    The frames alone decide it, so that whoever colours them makes the same fragments, and most of
    these begin with a shot, which depends on nothing that was coloured before.

    Args:
        cut: whether that frame begins a shot.
        frames: those that the fragment has.
        full: how many it has before it ends with its shot.
    """
    return frames >= full and (cut or frames >= LONGEST * full)


class FragmentWriter:
    """A fragment in the making, in a block of ``with``; it counts after `commit`, and else is gone.

    Args:
        folder: where its files will lie.
        number: of it in the film.
        first: index of its first frame in the film.
        encoding: the encoder.
        extradata: the headers that all fragments have; None: it is the first to be made.
        done: called with it once it counts.

    Attributes:
        broken: its frames that are not coloured, to be added to.
        writer: takes the frames.
    """

    def __init__(
        self,
        folder: Path,
        number: int,
        first: int,
        encoding: Encoding,
        *,
        extradata: str | None,
        done: Callable[[Fragment], None],
    ) -> None:
        self._folder, self._number, self._first = folder, number, first
        self._extradata, self._done = extradata, done
        self._stack = ExitStack()
        self.broken: list[Broken] = []
        path = fragment_file(folder, number, "packets")
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
        writer, folder, number = self.writer, self._folder, self._number
        writer.finish()
        extradata = writer.extradata.hex()
        check_headers(self._extradata, extradata, folder)
        self._stack.close()
        stored = fragment_file(folder, number, "npz")
        with whole_file(stored, overwrite=True) as stream:
            np.savez(stream, allow_pickle=False, **dict(state or {}))
        fragment = Fragment(
            first=self._first,
            frames=writer.frames,
            delay=writer.delay,
            extradata=extradata,
            packets_crc=writer.crc,
            state_crc=crc_of(stored),
            last=last,
            broken=tuple(self.broken),
            cut_short=cut_short,
        )
        write_record(folder, number, fragment)
        self._done(fragment)

    def __enter__(self) -> FragmentWriter:
        return self

    def __exit__(self, *error: Any) -> None:
        self._stack.__exit__(*error)


def write_record(folder: Path, number: int, fragment: Fragment) -> None:
    """Make a fragment count whose other files are there."""
    to_disk(folder)
    with whole_file(fragment_file(folder, number, "json"), overwrite=True) as stream:
        stream.write(json_bytes(asdict(fragment)))
    to_disk(folder)


def check_headers(known: str | None, extradata: str, folder: Path) -> None:
    """Refuse a fragment that does not go with the others.

    Args:
        known: the encoder's headers of the others; None: there are none.

    Raises:
        VideoError: its headers are others.
    """
    if known is not None and known != extradata:
        raise VideoError(
            f"the encoder's headers in {folder} are others than this one's; the same "
            "version of PyAV was needed; begin again with --overwrite"
        )


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
