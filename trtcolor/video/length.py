"""How long a film is, as its container tells, and whether all of it came."""

from __future__ import annotations

import os
from contextlib import suppress
from fractions import Fraction
from typing import Any, BinaryIO

EARLY = 1.0
"""Seconds by which a film may end before what its container says without being cut short."""

TORN_EARLY = 0.1
"""The same, where the file itself is shorter than it says."""

_EBML, _SEGMENT = b"\x1a\x45\xdf\xa3", b"\x18\x53\x80\x67"


def expected_frames(container: Any, stream: Any) -> int | None:
    """How many frames a video stream will have, as far as its container tells.

    Args:
        container, stream: of PyAV.
    """
    if stream.frames:
        return int(stream.frames)
    seconds, rate = _declared_seconds(stream), stream.average_rate or stream.guessed_rate
    if seconds is None and container.duration:
        seconds = Fraction(container.duration, 1_000_000)
    return None if seconds is None or not rate else max(1, round(seconds * rate))


def what_is_missing(container: Any, stream: Any, frames: int, end: int) -> str | None:
    """Why a film that was read to its end counts as cut short; None: it does not.

    Args:
        frames: how many came, broken ones too.
        end: of the last of them, in the stream's time base.
    """
    declared, seconds = _declared_seconds(stream), end * stream.time_base
    torn = matroska_is_torn(container.name)
    if torn and declared is None and container.duration:
        declared = Fraction(container.duration, 1_000_000)
    if declared is not None and frames:
        found = seconds - (stream.start_time or 0) * stream.time_base
        if declared - found > (TORN_EARLY if torn else EARLY):
            return (
                f"it ends at {float(seconds):.3f} s, after {float(found):.3f} s of the "
                f"{float(declared):.3f} s that its container tells of"
            )
    told = stream.frames if container.format.name == "avi" else 0
    for key, text in stream.metadata.items():
        if key.upper().startswith("NUMBER_OF_FRAMES") and text.isdecimal():  # by mkvmerge
            told = int(text)
    return None if frames >= told else f"{frames} frames came of the {told} that its container has"


def matroska_is_torn(path: str) -> bool:
    """Whether a file is Matroska or WebM and ends within its segment, which holds all else.

    False where it does not say how long that is, as of live recordings, and for other files.
    """
    try:
        size = os.path.getsize(path)
        with open(path, "rb") as file:
            if file.read(4) != _EBML or (head := _element_length(file)) is None:
                return False
            file.seek(head, os.SEEK_CUR)
            if file.read(4) != _SEGMENT or (length := _element_length(file)) is None:
                return False
            return file.tell() + length > size
    except OSError:  # no file of its own: an address
        return False


def _element_length(file: BinaryIO) -> int | None:
    """An EBML number: as many bytes as the first one has leading zeros, and one; None: unknown."""
    first = file.read(1)
    width = 9 - first[0].bit_length() if first else 9
    rest = file.read(width - 1)
    if width > 8 or len(rest) < width - 1:
        return None
    most = (1 << 7 * width) - 1
    length = int.from_bytes(first + rest) & most
    return None if length == most else length


def _declared_seconds(stream: Any) -> Fraction | None:
    """How long the video is, as the container says."""
    if stream.duration:
        return Fraction(stream.duration * stream.time_base)
    for key, text in stream.metadata.items():
        if key.upper().startswith("DURATION") and text.count(":") == 2:  # Matroska's tag
            with suppress(ValueError):  # whoever wrote it meant something else
                hours, minutes, seconds = (Fraction(part) for part in text.split(":"))
                return 3600 * hours + 60 * minutes + seconds
    return None
