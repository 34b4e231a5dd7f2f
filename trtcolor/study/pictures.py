"""A picture as it is shown, in the version of each approach.

Every picture is cropped to its middle square, scaled to 256x256 and cropped to the middle 224x224:
what 004 (section 3.4) trains on, with its crop in the middle in place of a random one. Of square
pictures, as those of Places are, it is the same; others keep their aspect here, where the paper's
scaling would make them look unnatural for another reason than their colours. The models colour what
is left, so that all versions of a picture are the same but for their chroma.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from trtcolor import color, dataset
from trtcolor.colorizer import Colorizer
from trtcolor.study.folder import SIDE

SCALED = SIDE * 8 // 7
"""256 pixels (004, section 3.4)."""

Picture = NDArray[np.uint8]


class Versions(NamedTuple):
    """The prepared original and what each model made of it; whether the data had it smaller."""

    pictures: list[Picture]
    enlarged: bool


def prepared_picture(rgb: Picture) -> Picture:
    """The middle 224x224 of a picture's middle square at 256x256.

    Args:
        rgb: uint8 (H, W, 3), any size.

    Returns:
        uint8 (224, 224, 3).

    Source: 004, section 3.4, with the crop in the middle.
    """
    from PIL import Image, ImageOps

    picture = Image.fromarray(rgb)
    square = ImageOps.fit(picture, (SCALED, SCALED), Image.Resampling.BICUBIC)
    edge = (SCALED - SIDE) // 2
    return np.asarray(square.crop((edge, edge, edge + SIDE, edge + SIDE)))


class Painter:
    """Makes all versions of a sample: the prepared original, then each model's."""

    def __init__(self, colorizers: Sequence[Colorizer], saturation: float) -> None:
        self._colorizers, self._saturation = colorizers, saturation

    def versions(self, sample: dataset.Sample) -> Versions | None:
        """All versions of a sample; None: it is grey or of low variance.

        Raises:
            DataError: it cannot be decoded.
        """
        rgb = dataset.decode(sample)
        original = prepared_picture(rgb)
        if not dataset.is_colourful(color.lab_from_rgb(original, threads=1)):
            return None
        coloured = [
            colorizer.colorize(original, saturation=self._saturation)
            for colorizer in self._colorizers
        ]
        return Versions([original, *coloured], min(rgb.shape[:2]) < SCALED)
