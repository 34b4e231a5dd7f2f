"""Which encoder writes a coloured film, and how it is asked for quality."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace
from fractions import Fraction

from trtcolor.errors import VideoError
from trtcolor.video.encoding import THREADS, Encoding
from trtcolor.video.pyav import failures, import_av
from trtcolor.video.samples import Samples

_PREFERRED = ("libx264", "libx265", "libvpx-vp9", "ffv1")
"""For a container that was not made for a codec, the first that it and the samples fit."""

_OF_CONTAINER = {
    "webm": ("libvpx-vp9", "libsvtav1"),
    "avi": ("mpeg4", "ffv1"),
    "mpegts": _PREFERRED[:2],
    "mpeg": ("mpeg2video",),
    "mxf": ("mpeg2video",),
}

_QUALITY: dict[str, tuple[str, float]] = {
    "libx264": ("crf", 17),
    "libx265": ("crf", 19),
    "libvpx-vp9": ("crf", 20),
    "libsvtav1": ("crf", 23),
    "h264_nvenc": ("cq", 19),
    "hevc_nvenc": ("cq", 21),
    "av1_nvenc": ("cq", 24),
    "h264_vaapi": ("qp", 19),
    "hevc_vaapi": ("qp", 21),
    "mpeg4": ("qscale", 2),
    "mpeg2video": ("qscale", 2),
    "mjpeg": ("qscale", 2),
}
"""The option by which an encoder is asked for a constant quality, and its default here."""

_OPTIONS: dict[str, dict[str, str]] = {
    "libvpx-vp9": {"b": "0", "row-mt": "1", "cpu-used": "2"},
    "ffv1": {"level": "3", "slicecrc": "1", "g": "1"},
    # Its refusals are told in words of our own; without its own threads it codes rows otherwise.
    "libx265": {"x265-params": f"log-level=none:pools={THREADS}"},
    "h264_nvenc": {"rc": "vbr", "b": "0"},
    "hevc_nvenc": {"rc": "vbr", "b": "0"},
}
_LOSSLESS = ("ffv1", "huffyuv", "ffvhuff", "rawvideo", "utvideo")


def choose_encoding(
    output: str | os.PathLike[str],
    samples: Samples,
    size: tuple[int, int],
    rate: Fraction,
    *,
    aspect: Fraction | None = None,
    codec: str | None = None,
    quality: float | None = None,
    options: Mapping[str, str] | None = None,
    hardware: str | None = None,
) -> Encoding:
    """The encoder for a file, tried in memory with its container.

    Without ``codec``: H.264 (libx264) where the container takes it, VP9 in WebM (AV1 for 10 bits),
    MPEG-4 in AVI; H.265 for 12 bits, FFV1 for what only that can hold.

    Raises:
        VideoError: no such encoder or container, or they do not take such samples, or the encoder
            has no quality to choose.
        BackendError: a hardware encoder finds no device.
    """
    container = container_of(output)
    film = Encoding(codec or "", size, samples, _simple(rate), aspect=aspect, hardware=hardware)
    if codec is None:
        for name in _OF_CONTAINER.get(container, _PREFERRED):
            plain = _asked(replace(film, codec=name), None, {})
            if samples.output_format in _formats(name) and not plain.refused_by(container):
                codec = name
                break
        else:
            raise VideoError(
                f"no encoder that {container} is known to take has {samples.output_format}; one "
                "was needed to keep Y' as it is; choose another container, such as .mkv, or --codec"
            )
    formats = _formats(codec)
    if formats and samples.output_format not in formats:
        taken = ", ".join(name for name in formats if name.startswith("yuv4")) or "no such YUV"
        raise VideoError(
            f"encoder {codec} takes no {samples.output_format} but {taken}; that "
            "was needed to keep Y' as it is; choose another --codec, such as ffv1 in .mkv"
        )
    encoding = _asked(replace(film, codec=codec), quality, options or {})
    encoding.open()
    if refusal := encoding.refused_by(container):
        raise VideoError(
            f"{os.fspath(output)!r} would be {container}, which does not take {codec} ({refusal}); "
            "another codec or container was needed; choose .mkv, which takes nearly all"
        )
    return encoding


def container_of(output: str | os.PathLike[str]) -> str:
    """FFmpeg's name of the container that a file's name asks for.

    Raises:
        VideoError: none has such an ending.
    """
    try:
        with import_av().open(os.fspath(output), "w") as container:  # writes before no header
            return str(container.format.name)
    except failures():
        raise VideoError(
            f"{os.fspath(output)!r} has an ending that no container for film goes by; one was "
            "needed; name it .mkv, .mp4, .mov or .webm"
        ) from None


def _asked(film: Encoding, quality: float | None, options: Mapping[str, str]) -> Encoding:
    """With the encoder's options, quality among them."""
    codec = film.codec
    if quality is not None and codec not in _QUALITY:
        raise VideoError(
            f"encoder {codec} {'is lossless' if codec in _LOSSLESS else 'has other options'} and "
            f"quality {quality:g} came; leave --quality out, or use --encoder-option"
        )
    settings = dict(_OPTIONS.get(codec, {}))
    qscale = None
    if codec in _QUALITY and not options.keys() & {"crf", "qp", "cq", "b"}:
        name, default = _QUALITY[codec]
        value = default if quality is None else quality
        if name == "qscale":
            qscale = value
        else:
            settings[name] = f"{value:g}"
    joined = {
        name: f"{settings[name]}:{value}"
        for name, value in options.items()
        if name.endswith("-params") and name in settings
    }
    settings |= {**options, **joined}
    return replace(film, options=settings, qscale=qscale)


def _simple(rate: Fraction) -> Fraction:
    """Near a rate, in numbers as small as MPEG-2 and MPEG-4 can count in."""
    return max(rate.limit_denominator(1001), Fraction(1, 1001))


def _formats(codec: str) -> list[str]:
    """Pixel formats that an encoder takes; empty: it does not say."""
    try:
        found = import_av().Codec(codec, "w")
        if found.type != "video":
            raise VideoError(
                f"codec {codec} is of {found.type}; one of video was needed; leave --codec out to "
                "have one chosen, sound is copied as it is"
            )
        formats = found.video_formats
    except failures():
        raise VideoError(
            f"codec {codec!r} is no encoder of this PyAV; one was needed; run python -m av "
            "--codecs for their names"
        ) from None
    return [pixels.name for pixels in formats or []]
