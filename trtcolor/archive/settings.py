"""How pictures are coloured and written, and what tells two ways apart."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trtcolor.archive.names import FORMATS
from trtcolor.colorizer import Colorizer
from trtcolor.frames import check_saturation
from trtcolor.images import MAX_PIXELS


@dataclass(frozen=True)
class PictureSettings:
    """How pictures are coloured and written.

    Attributes:
        saturation: factor on a* and b*.
        style: (G,) global features of another picture; None: each picture's own.
        format: of all outputs, one of `trtcolor.archive.names.FORMATS`; None: as each picture's
            suffix says, or PNG.
        quality: 1..100 of formats that lose something.
        keep_metadata: copy what the files say beside their pixels.
        max_pixels: refuse larger pictures.
        runner: what else decides how the network computes, in words (precision, engine).

    Raises:
        ValueError: a saturation, format, quality or number of pixels that is none of these.
    """

    saturation: float = 1.0
    style: NDArray[np.float32] | None = None
    format: str | None = None
    quality: int = 95
    keep_metadata: bool = True
    max_pixels: int = MAX_PIXELS
    runner: str = ""

    def __post_init__(self) -> None:
        check_saturation(self.saturation)
        if self.format is not None and self.format not in FORMATS:
            raise ValueError(
                f"format is {self.format!r}; one of {', '.join(FORMATS)} was needed; pass one of "
                "these, or leave it out"
            )
        if not 1 <= self.quality <= 100:
            raise ValueError(f"quality is {self.quality}; 1 to 100 was needed; 95 is a good choice")
        if self.max_pixels < 1:
            raise ValueError(f"max_pixels is {self.max_pixels}; 1 or more was needed; leave it out")

    def described(self, colorizer: Colorizer) -> dict[str, Any]:
        """All of it that decides what an output is, as JSON can hold it, the model apart."""
        style = self.style
        return {
            "backend": colorizer.backend,
            "format": self.format,
            "gamut": colorizer.gamut,
            "keep_metadata": self.keep_metadata,
            "quality": self.quality,
            "render": colorizer.render,
            "runner": self.runner,
            "saturation": self.saturation,
            "style": None if style is None else hashlib.sha256(style.tobytes()).hexdigest(),
            "upsampling": colorizer.upsampling,
        }
