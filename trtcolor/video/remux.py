"""The finished film: its coded frames with all else of the source, packets copied as they are."""

from __future__ import annotations

import errno
import heapq
from array import array
from collections import deque
from collections.abc import Iterable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

from trtcolor.errors import VideoError
from trtcolor.video.aspect import aspect_is_lost, write_aspect
from trtcolor.video.copying import Copied, copy_stream
from trtcolor.video.decoding import first_video
from trtcolor.video.encoding import Encoding
from trtcolor.video.pyav import failures, import_av, open_container, reason_of
from trtcolor.video.sink import Coded
from trtcolor.video.svt_av1 import restrained
from trtcolor.video.work import Work

_COUNTING = ("mov", "mp4", "ipod", "3gp", "3g2")
"""Containers that count time in any fraction of a second, if asked."""


_STALE = ("encoder", "rotate", "duration", "bps", "number_of_bytes")
"""Tags of a stream that tell of its packets, or that the container writes itself."""


_ELSEWHERE = (
    "rename the folder of fragments to NAME.mkv.parts and go on with --resume into NAME.mkv"
)


def write_film(
    source: str,
    path: Path,
    container: str,
    encoding: Encoding,
    work: Work,
    copied: Copied,
    *,
    time_base: Fraction,
    display_matrix: tuple[int, ...] | None,
) -> list[str]:
    """Put a film together.

    Args:
        source: the film as it came.
        path: of the file to write.
        container: FFmpeg's name of its kind.
        encoding: what coded the frames.
        work: has them.
        copied: what else goes in.
        time_base: of their time stamps.
        display_matrix: how players are to turn the picture; None: not.

    Returns:
        What the user should know of the result, in words.

    Raises:
        VideoError: the container does not take something of it, or has lost frames.
        OSError: the disk is full, and so on.
    """
    av = import_av()
    notes: list[str] = []
    try:
        with (
            open_container(source) as given,
            av.open(
                str(path), "w", format=container, options=_options(container, given, time_base)
            ) as output,
        ):
            video = first_video(given, source)
            targets = _add_streams(output, given, video, encoding, copied)
            stream = targets[video.index]
            stream.time_base = time_base
            if display_matrix is not None:
                stream.set_display_matrix(display_matrix)
            with restrained():  # for its headers, an encoder opens here too
                output.start_encoding()
            _check_headers(stream, encoding, work)
            delay = max(fragment.delay for fragment in work.fragments)
            coded = _video_packets(work.packets(), work.times(), stream, time_base, delay)
            others = _other_packets(given, targets, video, notes)
            for _, packet in heapq.merge(coded, others, key=lambda item: item[0]):
                output.mux_one(packet)
            position = stream.index
    except failures() as error:
        number = getattr(error, "errno", None)
        if number in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO):
            raise OSError(number, f"{path} was not written: {reason_of(error)}") from None
        raise VideoError(
            f"the film cannot be put together as {container} ({reason_of(error)}); another "
            f"container was needed; {_ELSEWHERE}"
        ) from None
    if (aspect := encoding.aspect) and aspect_is_lost(container, encoding.codec, aspect):
        notes += write_aspect(path, container, position, aspect, encoding.size, display_matrix)
    return notes + _look_at(path, position, work, time_base)


def _options(container: str, given: Any, time_base: Fraction) -> dict[str, str]:
    """Of the muxer, so that time stamps stay what they are."""
    options = {}
    if container in _COUNTING and time_base.numerator == 1:
        options["video_track_timescale"] = str(time_base.denominator)
    # Sound often begins a moment before 0, which Matroska's blocks can say, up to half a minute.
    starts = [s.start_time * s.time_base for s in given.streams if s.start_time is not None]
    if container in ("matroska", "webm") and min(starts, default=0) > -30:
        options["avoid_negative_ts"] = "disabled"
    return options


def _add_streams(
    container: Any,
    given: Any,
    video: Any,
    encoding: Encoding,
    copied: Copied,
) -> dict[int, Any]:
    """Output streams by the index of the source's, in its order."""
    targets = {}
    for stream in given.streams:
        if stream is video:
            target = encoding.add_to(container)
        elif stream.index in copied.streams:
            target = copy_stream(container, stream)
        else:
            continue
        target.metadata.update(
            {k: v for k, v in stream.metadata.items() if k.lower() not in _STALE}
        )
        if target.type != "attachment":
            target.disposition = stream.disposition
        targets[stream.index] = target
    container.metadata.update(given.metadata)
    container.set_chapters(given.chapters())
    return targets


def _check_headers(stream: Any, encoding: Encoding, work: Work) -> None:
    if bytes(stream.codec_context.extradata or b"").hex() != work.fragments[0].extradata:
        raise VideoError(
            f"encoder {encoding.codec} has other headers than when the fragments were made; the "
            "same version of PyAV was needed; begin again with --overwrite"
        )


def _video_packets(
    packets: Iterable[Coded], shown: Iterable[int], stream: Any, time_base: Fraction, delay: int
) -> Iterator[tuple[float, Any]]:
    """Each with the time at which it is to be decoded: that of the frame `delay` places earlier.

    No frame is coded more than `delay` places after its own, so that is never after it is shown.
    """
    packet_class = import_av().Packet
    earlier: deque[int] = deque()
    step = 1
    for number, (coded, pts) in enumerate(zip(packets, shown, strict=True)):
        earlier.append(pts)
        if not number:  # one step before the first frame, though others last for longer
            step = max(1, coded.duration)
        packet = packet_class(coded.data)
        packet.pts, packet.duration = coded.pts, coded.duration
        if number < delay:  # nothing is shown yet
            packet.dts = earlier[0] - (delay - number) * step
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
    wanted = [s for s in wanted if targets[s.index].type != "attachment"]
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


def _look_at(path: Path, position: int, work: Work, time_base: Fraction) -> list[str]:
    """Read the packets of the video that was written, and compare their time stamps.

    Raises:
        VideoError: some are missing.
    """
    with open_container(str(path)) as written:
        stream = written.streams[position]
        unit = stream.time_base
        packets, stamps = 0, array("q")
        for packet in written.demux(stream):
            packets += bool(packet.size)
            if packet.size and packet.pts is not None:
                stamps.append(packet.pts)
    if packets != work.frames:
        raise VideoError(
            f"this container took {packets} of the {work.frames} frames that were coded; another "
            f"was needed; {_ELSEWHERE}"
        )
    if len(stamps) != packets:
        return ["this container keeps no time stamps"]
    found = sorted(stamps)
    begin = next(work.times())
    apart = max(
        abs((pts - found[0]) * unit - (wanted - begin) * time_base)
        for pts, wanted in zip(found, work.times(), strict=True)
    )
    notes = []
    if apart > unit:
        notes.append(f"time stamps of frames are up to {float(apart):.3f} s off in this container")
    elif apart:
        notes.append(f"time stamps are rounded to {unit} s, in which this container counts")
    late = found[0] * unit - begin * time_base
    if abs(late) > unit:
        when = f"{float(abs(late)):.3f} s {'later' if late > 0 else 'earlier'}"
        notes.append(f"the film begins {when}, as this container has it")
    return notes
