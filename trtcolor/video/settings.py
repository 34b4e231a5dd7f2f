"""How a film is to be coloured and written."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.metadata import version
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from trtcolor.geometry import Render
from trtcolor.video.deinterlace import Deinterlace
from trtcolor.video.encoding import Encoding
from trtcolor.video.steady import DEFAULT_STEADY

OnError = Literal["stop", "grey", "repeat"]

FRAGMENT = 240
"""Frames after which a fragment ends with its shot, or at the latest after as many again: what a
killed run loses at most."""


@dataclass(frozen=True)
class FilmSettings:
    """How a film is coloured and written.

    Attributes:
        steady: strength of the filter along time, 0 to 1.
        style: (G,) global features of another picture; None: the film's own.
        saturation: factor on a* and b*.
        render: how large the network sees a frame; None: as the Colorizer does.
        codec: the encoder; None: as `trtcolor.video.encoders.choose_encoding` says.
        quality: of the encoder, by its own measure (CRF, QP); None: a default near the invisible.
        encoder_options: further ones, by their names in FFmpeg.
        deinterlace: filter for interlaced film, which else is refused.
        hardware: device that decodes.
        assume_sdr: take PQ, HLG, linear and logarithmic film as of standard range.
        on_error: what becomes of a frame that the decoder could not read: ``"stop"`` ends with an
            error, ``"grey"`` shows what there is of it without colour, ``"repeat"`` shows the
            last coloured frame in its place. Its time stamp stays.
        fragment: frames after which a fragment ends with its shot; twice as many are the most.
        runner: what else decides how the network computes, in words (precision, engine).

    Raises:
        ValueError: ``on_error`` is none of these, or ``fragment`` below 1.
    """

    steady: float = DEFAULT_STEADY
    style: NDArray[np.float32] | None = None
    saturation: float = 1.0
    render: Render | None = None
    codec: str | None = None
    quality: float | None = None
    encoder_options: Mapping[str, str] = field(default_factory=dict)
    deinterlace: Deinterlace | None = None
    hardware: str | None = None
    assume_sdr: bool = False
    on_error: OnError = "stop"
    fragment: int = FRAGMENT
    runner: str = ""

    def __post_init__(self) -> None:
        if self.on_error not in get_args(OnError):
            raise ValueError(
                f"on_error is {self.on_error!r}; one of {', '.join(get_args(OnError))} was needed; "
                "pass one of these"
            )
        if self.fragment < 1:
            raise ValueError(
                f"fragment is {self.fragment}; 1 frame or more was needed; leave it out"
            )


def identity_of(settings: FilmSettings, encoding: Encoding) -> dict[str, Any]:
    """All that decides the frames of the coloured film; ``on_error`` only where one is broken."""
    style = settings.style
    return {
        "steady": settings.steady,
        "style": None if style is None else hashlib.sha256(style.tobytes()).hexdigest(),
        "saturation": settings.saturation,
        "render": settings.render,
        "codec": encoding.codec,
        "options": dict(encoding.options),
        "qscale": encoding.qscale,
        "pixels": encoding.samples.output_format,
        "size": list(encoding.size),
        "deinterlace": settings.deinterlace,
        "fragment": settings.fragment,
        "runner": settings.runner,
        "versions": {name: version(name) for name in ("trtcolor", "av", "numpy")},
    }
