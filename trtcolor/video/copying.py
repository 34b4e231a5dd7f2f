"""What of a film goes into the coloured one beside its frames, and what cannot."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from trtcolor.errors import VideoError
from trtcolor.video.decoding import first_video, is_cover
from trtcolor.video.encoders import container_of
from trtcolor.video.encoding import Encoding
from trtcolor.video.pyav import open_container

_TURNING = ("mov", "mp4", "ipod", "3gp", "3g2", "matroska")
"""Containers that keep a display matrix."""

_CHAPTERS = ("mov", "mp4", "ipod", "matroska", "webm", "nut", "ogg", "asf")
"""Containers that keep chapters."""

_TIMECODES = ("mov", "mp4", "matroska")
"""Containers that keep the tag ``timecode`` of the video."""

_BROADCAST = {
    "audio": ("mp1", "mp2", "mp3", "aac", "aac_latm", "ac3", "eac3", "dts", "truehd", "opus",
              "s302m", "pcm_bluray", "ac4"),
    "subtitle": ("dvb_subtitle", "dvb_teletext", "hdmv_pgs_subtitle"),
    "attachment": (),
}  # fmt: skip
"""By kind, what MPEG-TS says the codec of; any other it takes too, as bytes of unknown meaning."""


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
            if container in _TIMECODES and _is_timecode_of(stream, video):
                continue
            refusal = _loss(container, stream)
            if refusal is None:
                refusal = encoding.refused_by(container, partial(copy_stream, stream=stream))
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


def copy_stream(container: Any, stream: Any) -> Any:
    """A new stream of an ``av`` container for the packets of another one.

    A cover picture, which PyAV reads as video of one packet, is an attachment again in Matroska.

    Raises:
        One of `trtcolor.video.pyav.failures`: it does not take such a stream.
    """
    if is_cover(stream) and container.format.name == "matroska":
        name = stream.metadata.get("filename", f"cover.{stream.name}")
        kind = stream.metadata.get("mimetype", f"image/{stream.name}".replace("mjpeg", "jpeg"))
        with open_container(stream.container.name) as again:
            packet = next(again.demux(again.streams[stream.index]))
            return container.add_attachment(name, kind, bytes(packet))
    if stream.type in ("attachment", "data"):
        return container.add_stream_from_template(stream)
    return container.add_stream_from_template(stream, opaque=True)


def _loss(container: str, stream: Any) -> str | None:
    """Why a stream would be there and nobody could read it; None: one could."""
    if container != "mpegts" or stream.type not in _BROADCAST:
        return None
    context = stream.codec_context
    if context is not None and context.codec.canonical_name in _BROADCAST[stream.type]:
        return None
    if context is None and stream.type == "subtitle":  # teletext, of which PyAV knows no decoder
        return None
    return "no player would know what it is"


def _is_timecode_of(stream: Any, video: Any) -> bool:
    """QuickTime keeps the clock time of the first frame, a tag of the video, in a track as well.

    The muxer makes that track anew; beside a copied one it makes none and takes neither.
    """
    timecode = video.metadata.get("timecode")
    return bool(stream.type == "data" and timecode and stream.metadata.get("timecode") == timecode)


def _is_chapter_track(stream: Any) -> bool:
    """QuickTime keeps the chapters in a track of text as well."""
    return bool(stream.type == "data" and stream.name == "bin_data")


def _described(stream: Any) -> str:
    language = f" ({stream.language})" if getattr(stream, "language", None) else ""
    name = stream.name or stream.metadata.get("filename") or "unknown"
    return f"stream {stream.index}, {stream.type} {name}{language}"
