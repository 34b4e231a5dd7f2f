"""The finished film: its coded frames with all else of the source, packets copied as they are."""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import Any

from trtcolor.errors import VideoError
from trtcolor.video.decoding import first_video
from trtcolor.video.encoders import Encoding, container_of
from trtcolor.video.pyav import failures, import_av, open_container, reason_of
from trtcolor.video.sink import Coded

_TURNING = ("mov", "mp4", "ipod", "3gp", "3g2", "matroska")
"""Containers that keep a display matrix."""

_CHAPTERS = ("mov", "mp4", "ipod", "matroska", "webm", "nut", "ogg", "asf")
"""Containers that keep chapters."""

_COUNTING = ("mov", "mp4", "ipod", "3gp", "3g2")
"""Containers that count time in any fraction of a second, if asked."""


@dataclass(frozen=True)
class Copied:
    """What of a source goes into a container.

    Attributes:
        streams: indices of the source's streams that are copied.
        dropped: a word on each that cannot be.
    """

    streams: tuple[int, ...]
    dropped: tuple[str, ...]


def keeps_rotation(output: Path) -> bool:
    """Whether a file of that name can say how the picture is to be turned."""
    return container_of(output) in _TURNING


def what_is_copied(source: str, output: Path, encoding: Encoding) -> Copied:
    """Find out before the work begins, by headers in memory.

    Raises:
        VideoError: sound would be lost, since the container does not take its codec.
    """
    container = container_of(output)
    kept, dropped = [], []
    with open_container(source) as given:
        video = first_video(given, source)
        chapters = bool(given.chapters())
        for stream in given.streams:
            if stream is video or (chapters and _is_chapter_track(stream)):
                continue
            refusal = encoding.refused_by(container, partial(_copy_stream, stream=stream))
            if refusal is None:
                kept.append(stream.index)
            elif stream.type == "audio":
                raise VideoError(
                    f"{container} does not take the sound of {source!r} ({_described(stream)}: "
                    f"{refusal}); a container that does was needed; choose .mkv, which takes "
                    "nearly all"
                )
            else:
                dropped.append(f"{_described(stream)}: {container} does not take it ({refusal})")
        if chapters and container not in _CHAPTERS:
            dropped.append(f"the chapters: {container} has none")
    return Copied(tuple(kept), tuple(dropped))


def write_film(
    source: str,
    output: Path,
    encoding: Encoding,
    packets: Iterable[Coded],
    shown: Iterable[int],
    *,
    time_base: Fraction,
    delay: int,
    copied: Copied,
    extradata: bytes,
    display_matrix: tuple[int, ...] | None,
    temporary: Path,
    place: Callable[[], None],
) -> list[str]:
    """Write the film; its name appears when it is whole and on the disk.

    Args:
        packets: the coded frames, in the order in which they are decoded.
        shown: their time stamps, in the order in which they are shown.
        time_base: of their time stamps.
        delay: frames by which that order lags behind the one of showing at most.
        copied: what else goes in.
        extradata: the encoder's headers that the packets were made with.
        temporary: a free name on the same disk, where it is written.
        place: gives what lies there the output's name.

    Returns:
        What the user should know of the result, in words.

    Raises:
        VideoError: the container takes something of it not.
        OSError: the disk is full, and so on.
    """
    av = import_av()
    notes: list[str] = []
    container_format = container_of(output)
    options = {}
    if container_format in _COUNTING and time_base.numerator == 1:
        options["video_track_timescale"] = str(time_base.denominator)
    try:
        with (
            open_container(source) as given,
            av.open(str(temporary), "w", format=container_format, options=options) as container,
        ):
            video = first_video(given, source)
            targets = _add_streams(
                container, given, video, encoding, copied, time_base, display_matrix
            )
            container.start_encoding()
            stream = targets[video.index]
            if bytes(stream.codec_context.extradata or b"") != extradata:
                raise VideoError(
                    f"encoder {encoding.codec} has other headers than when the fragments were "
                    "made; the same version of PyAV was needed; begin again with --overwrite"
                )
            notes += _note_rounding(stream.time_base, time_base)
            coded = _video_packets(packets, shown, stream, time_base, delay)
            others = _other_packets(given, targets, video, notes)
            for _, packet in heapq.merge(coded, others, key=lambda item: item[0]):
                container.mux_one(packet)
    except failures() as error:
        if isinstance(error, OSError) and not isinstance(error, av.FFmpegError):
            raise
        if getattr(error, "errno", None) in (28, 122, 27):  # disk, quota, size of a file
            raise
        raise VideoError(
            f"{str(output)!r} cannot be written ({reason_of(error)}); another container or codec "
            "was needed; the work is kept: choose another and --resume, or --overwrite"
        ) from None
    place()
    return notes


def _add_streams(
    container: Any,
    given: Any,
    video: Any,
    encoding: Encoding,
    copied: Copied,
    time_base: Fraction,
    display_matrix: tuple[int, ...] | None,
) -> dict[int, Any]:
    """Output streams by the index of the source's, in its order."""
    targets = {}
    for stream in given.streams:
        if stream is video:
            target = encoding.add_to(container)
            target.time_base = time_base
            if display_matrix is not None:
                target.set_display_matrix(display_matrix)
        elif stream.index in copied.streams:
            target = _copy_stream(container, stream)
        else:
            continue
        target.metadata.update(
            {k: v for k, v in stream.metadata.items() if k.lower() not in _STALE}
        )
        target.disposition = stream.disposition
        targets[stream.index] = target
    container.metadata.update(given.metadata)
    container.set_chapters(given.chapters())
    return targets


_STALE = ("encoder", "rotate", "duration", "bps", "number_of_bytes")
"""Tags of a stream that tell of its packets, or that the container writes itself."""


def _copy_stream(container: Any, stream: Any) -> Any:
    if stream.type in ("attachment", "data"):
        return container.add_stream_from_template(stream)
    return container.add_stream_from_template(stream, opaque=True)


def _video_packets(
    packets: Iterable[Coded], shown: Iterable[int], stream: Any, time_base: Fraction, delay: int
) -> Iterator[tuple[float, Any]]:
    """Each with the time at which it is to be decoded: that of the frame `delay` places earlier.

    No frame is coded more than `delay` places after its own, so that is never after it is shown.
    """
    packet_class = import_av().Packet
    earlier: deque[int] = deque()
    for number, (coded, pts) in enumerate(zip(packets, shown, strict=True)):
        earlier.append(pts)
        packet = packet_class(coded.data)
        packet.pts, packet.duration = coded.pts, coded.duration
        if number < delay:  # nothing is shown yet
            packet.dts = earlier[0] - (delay - number) * max(1, coded.duration)
        else:
            packet.dts = earlier.popleft()
        packet.time_base = time_base
        packet.is_keyframe = coded.key
        packet.stream = stream
        yield float(packet.dts * time_base), packet


def _other_packets(
    given: Any, targets: dict[int, Any], video: Any, notes: list[str]
) -> Iterator[tuple[float, Any]]:
    """Packets of the streams that are copied, as they lie in the source, each with its time."""
    wanted = [s for s in given.streams if s.index in targets and s is not video]
    wanted = [s for s in wanted if s.type != "attachment"]
    if not wanted:
        return
    time = 0.0
    try:
        for packet in given.demux(wanted):
            if not packet.size:
                continue
            stamp = packet.pts if packet.dts is None else packet.dts
            if stamp is not None:
                time = float(stamp * packet.time_base)
            packet.stream = targets[packet.stream.index]
            yield time, packet
    except failures() as error:
        notes.append(f"the other streams end at {time:.3f} s ({reason_of(error)})")


def _note_rounding(kept: Fraction, time_base: Fraction) -> list[str]:
    if (time_base / kept).denominator == 1:
        return []
    return [f"time stamps of the video are rounded to {kept} s, in which this container counts"]


def _is_chapter_track(stream: Any) -> bool:
    """QuickTime keeps the chapters in a track of text as well."""
    return bool(stream.type == "data" and stream.name == "bin_data")


def _described(stream: Any) -> str:
    language = f" ({stream.language})" if getattr(stream, "language", None) else ""
    name = stream.name or stream.metadata.get("filename") or "unknown"
    return f"stream {stream.index}, {stream.type} {name}{language}"
