"""From packets to frames: those that a decoder shows, in order, and those that it lost."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from trtcolor.errors import VideoError
from trtcolor.video.deinterlace import Deinterlace, Deinterlacer
from trtcolor.video.ffv1 import SliceChecks
from trtcolor.video.pyav import failures, reason_of

_ONE_A_PACKET = ("ffv1", "h264", "hevc", "mjpeg", "mpeg2video", "prores", "dnxhd")
"""Decoders that show every packet: one that is never shown was lost, though none complained."""

_SILENT = "the decoder left it out"


@dataclass(frozen=True)
class Lost:
    """A frame of which the decoder made nothing.

    Attributes:
        pts: when it would be shown, in the stream's time base; None: not known.
        reason: why it is lost.
    """

    pts: int | None
    reason: str


def first_video(container: Any, name: str) -> Any:
    """The stream that is coloured: the first of video that is no cover picture.

    Raises:
        VideoError: there is none, or FFmpeg does not know its codec.
    """
    for stream in container.streams.video:
        if not is_cover(stream):
            if stream.codec_context is None:
                raise VideoError(
                    f"{name!r} has video of a codec that FFmpeg does not know; another was needed; "
                    "convert it"
                )
            return stream
    raise VideoError(f"{name!r} has no video stream; one was needed; choose another file")


def is_cover(stream: Any) -> bool:
    """Whether it is a picture that goes with the film."""
    from av.stream import Disposition

    return bool(stream.disposition & Disposition.attached_pic)


def decoded_frames(
    container: Any,
    stream: Any,
    *,
    deinterlace: Deinterlace | None = None,
    faults: dict[int | None, str],
) -> Iterator[Any]:
    """Frames (``av.VideoFrame``) and `Lost` ones, in the order in which they are shown.

    Args:
        container, stream: of PyAV, at the beginning.
        deinterlace: the filter that frames marked as interlaced go through.
        faults: gets, by `stamp_of`, why frames that come are not what was written.
    """
    # Of two fields in two packets one is never shown by itself.
    shown = _shown(container, stream, faults, silent=deinterlace is None)
    if deinterlace is None:
        return shown
    return Deinterlacer(stream, deinterlace).filtered(shown, Lost)


def stamp_of(item: Any) -> int | None:
    """What a packet and its frame have in common, where frames are shown as they are coded."""
    stamp: int | None = item.dts if item.pts is None else item.pts
    return stamp


def _shown(
    container: Any, stream: Any, faults: dict[int | None, str], *, silent: bool
) -> Iterator[Any]:
    silent = silent and stream.codec_context.name in _ONE_A_PACKET
    checks = SliceChecks() if stream.codec_context.name == "ffv1" else None
    waiting: set[int] = set()  # time stamps of packets whose frames have not come
    reason: str | None = None
    begun = False
    for packet in _packets(container, stream):
        if isinstance(packet, Lost):
            reason = packet.reason
            continue
        if packet.size and packet.pts is not None and not packet.is_discard:
            waiting.add(packet.pts)
        if packet.size and checks is not None:
            fault = checks.fault(bytes(packet), key=packet.is_keyframe)
            if fault is not None:
                faults[stamp_of(packet)] = fault
        try:
            frames = stream.codec_context.decode(packet if packet.size else None)
        except failures() as error:
            reason, frames = reason_of(error), []
        for frame in frames:
            lost = [] if frame.pts is None else sorted(p for p in waiting if p < frame.pts)
            waiting.difference_update(lost, (frame.pts,))
            # Before its first frame a decoder leaves out what leads to a place before the film.
            if reason is not None or (silent and begun):
                yield from (Lost(pts, reason or _SILENT) for pts in lost)
                reason = None
            begun = True
            yield frame
    if reason is not None or (silent and begun):
        yield from (Lost(pts, reason or _SILENT) for pts in sorted(waiting))


def _packets(container: Any, stream: Any) -> Iterator[Any]:
    try:
        yield from container.demux(stream)
    except failures() as error:
        yield Lost(None, reason_of(error))
