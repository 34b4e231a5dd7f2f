"""How long a film is, as its container tells, and whether all of it came."""

from __future__ import annotations

from contextlib import suppress
from fractions import Fraction
from typing import Any

EARLY = 1.0
"""Seconds by which a film may end before what its container says without being cut short."""


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
    if declared is not None and frames:
        found = seconds - (stream.start_time or 0) * stream.time_base
        if declared - found > EARLY:
            return (
                f"it ends at {float(seconds):.3f} s, after {float(found):.3f} s of the "
                f"{float(declared):.3f} s that its container tells of"
            )
    told = stream.frames if container.format.name == "avi" else 0
    for key, text in stream.metadata.items():
        if key.upper().startswith("NUMBER_OF_FRAMES") and text.isdecimal():  # by mkvmerge
            told = int(text)
    return None if frames >= told else f"{frames} frames came of the {told} that its container has"


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
