"""An encoder and all that it needs to know of a film."""

from __future__ import annotations

import io
import os
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from trtcolor.errors import BackendError, VideoError
from trtcolor.kernels import _color
from trtcolor.video.pyav import failures, import_av, reason_of
from trtcolor.video.samples import Samples
from trtcolor.video.svt_av1 import restrained

THREADS = 8
"""Of an encoder, on every machine: most make other bytes with other numbers of threads."""

_REPEATABLE = "asm=MMX2,SSE2Fast,SSSE3,SSE4.2,AVX,FMA3,BMI2,AVX2"
"""x264 without AVX-512, with which it makes other bytes of the same frames every now and then; a
fragment that is made again has to be the same."""


@dataclass(frozen=True)
class Encoding:
    """An encoder and all that it needs to know of a film.

    Attributes:
        codec: the encoder's name in FFmpeg.
        options: of the encoder, quality included.
        size: (height, width).
        samples: what they mean.
        rate: frames a second, roughly; the time stamps are kept apart from the encoder.
        aspect: of a sample; None: not said.
        qscale: quality of encoders that have no option for it.
        hardware: the device of a hardware encoder that wants one (VAAPI, QSV).
    """

    codec: str
    size: tuple[int, int]
    samples: Samples
    rate: Fraction
    aspect: Fraction | None = None
    options: Mapping[str, str] = field(default_factory=dict)
    qscale: float | None = None
    hardware: str | None = None

    def add_to(self, container: Any, *, global_header: bool = True) -> Any:
        """A new video stream of an ``av`` container, whose encoder is not open yet.

        Raises:
            One of `trtcolor.video.pyav.failures`: the container does not take it.
        """
        accelerator = None
        if self.hardware and self.codec.endswith(("_vaapi", "_qsv")):
            from av.codec.hwaccel import HWAccel

            accelerator = HWAccel(device_type=self.hardware)
        stream = container.add_stream(
            self.codec, rate=self.rate, options=self._options_here(), hwaccel=accelerator
        )
        stream.height, stream.width = self.size
        stream.pix_fmt = self.samples.output_format
        context = stream.codec_context
        context.time_base = 1 / self.rate
        if global_header:  # the same headers for every fragment and for the whole
            context.flags |= int(import_av().codec.context.Flags.global_header)
        if self.qscale is not None:
            context.qscale = True
            context.global_quality = round(self.qscale * 118)  # FF_QP2LAMBDA
        if self.aspect:
            context.sample_aspect_ratio = self.aspect
        names = ("colorspace", "color_primaries", "color_trc", "color_range")
        for name, value in zip(names, self.samples.tags, strict=True):
            setattr(context, name, value)
        if not self.codec.endswith("rawvideo"):
            context.thread_count = THREADS
        return stream

    def open(self) -> Any:
        """An ``av.CodecContext`` that is open.

        Raises:
            VideoError, BackendError: it does not open.
        """
        try:
            # A container and its streams refer to each other: closed, they are gone at once.
            with import_av().open(os.devnull, "w", format="null") as container:
                context = self.add_to(container).codec_context
            with restrained():
                context.open()
        except failures() as error:
            raise self._refusal(error) from None
        if unknown := context.options:
            raise VideoError(
                f"encoder {self.codec} knows no option {', '.join(unknown)}; one of its own was "
                f"needed; run ffmpeg -h encoder={self.codec} for them"
            )
        return context

    def refused_by(
        self, container: str, beside: Callable[[Any], object] | None = None
    ) -> str | None:
        """Why a container does not take it, found out in memory; None: it does.

        Args:
            container: FFmpeg's name of it.
            beside: adds further streams to the ``av`` container.
        """
        trial = import_av().open(io.BytesIO(), "w", format=container)
        try:
            self.add_to(trial)
            if beside is not None:
                beside(trial)
            with restrained():
                trial.start_encoding()
        except failures() as error:
            return reason_of(error)
        finally:
            with suppress(*failures()):  # some do not end well without a packet
                trial.close()
        return None

    def _options_here(self) -> dict[str, str]:
        """Its options, and what this machine's processor makes necessary, which changes no byte."""
        options = dict(self.options)
        if self.codec == "libx264" and "avx512" in _color.variants():
            asked = [_REPEATABLE, options.get("x264-params")]
            options["x264-params"] = ":".join(filter(None, asked))
        return options

    def _refusal(self, error: Exception) -> VideoError | BackendError:
        if self.codec.endswith(("_nvenc", "_vaapi", "_qsv", "_amf", "_videotoolbox")):
            return BackendError(
                f"hardware encoder {self.codec} does not work here ({reason_of(error)}); its "
                "device and driver were needed; choose another --codec, such as libx264"
            )
        return VideoError(
            f"encoder {self.codec} does not take {self.size[1]}x{self.size[0]} "
            f"{self.samples.output_format} with {dict(self.options)} ({reason_of(error)}); "
            "settings that it knows were needed; choose another --codec or --quality"
        )
