"""The picture measures of one picture against its original."""

from __future__ import annotations

from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from trtcolor import color
from trtcolor.metrics import difference, luv
from trtcolor.metrics.colourfulness import colourfulness
from trtcolor.metrics.structure import StructuralReference

Picture = NDArray[np.uint8]
Float = NDArray[np.float32]


class Original:
    """A true picture, with all that others are held against computed once.

    Attributes:
        rgb: (H, W, 3) uint8.
        lab: (H, W, 3) float32 CIE L*a*b* in real units.
        lightness: (H, W) float32 L*, contiguous.
    """

    def __init__(self, rgb: Picture) -> None:
        self.rgb = rgb
        self.lab = color.lab_from_rgb(rgb, threads=1)
        self.lightness = np.ascontiguousarray(self.lab[..., 0])

    @cached_property
    def luv(self) -> Float:
        """(H, W, 3) CIE L*u*v* in real units."""
        return color.luv_from_rgb(self.rgb, threads=1)

    @cached_property
    def colourfulness(self) -> float:
        return colourfulness(self.rgb)

    @cached_property
    def structure(self) -> StructuralReference:
        return StructuralReference(self.rgb)


def measure(rgb: Picture, original: Original) -> dict[str, float | None]:
    """All picture measures of an output.

    Args:
        rgb: (H, W, 3) uint8, the output.
        original: of the same size.

    Returns:
        Values by the names of `trtcolor.evaluation.figures.MEASURES`; None where a measure is not
        defined for the picture.
    """
    lab = color.lab_from_rgb(rgb, threads=1)
    # A grey has no hue, but for the rounding of its a*b*, which would count in the cosine.
    red, green, blue = np.moveaxis(rgb, -1, 0)
    lab[(red == green) & (green == blue), 1:] = 0
    ab, ab_true = lab[..., 1:], original.lab[..., 1:]
    distance = difference.ciede2000(lab, original.lab)
    accuracy_u, accuracy_v = luv.uv_accuracy(color.luv_from_rgb(rgb, threads=1), original.luv)
    moved, moved_most = difference.lightness_change(lab[..., 0], original.lightness)
    own = colourfulness(rgb)
    return {
        "ciede2000": float(distance.mean(dtype=np.float64)),
        "ciede2000_p90": float(np.percentile(distance, 90)),
        "colourfulness": own,
        "colourfulness_error": abs(own - original.colourfulness),
        "chroma_cosine": difference.chroma_cosine(ab, ab_true),
        "psnr": difference.psnr(rgb, original.rgb),
        "ssim": original.structure.ssim(rgb),
        "chroma_l1": difference.chroma_l1(ab, ab_true),
        "chroma_l2": difference.chroma_l2(ab, ab_true),
        "accuracy_u": accuracy_u,
        "accuracy_v": accuracy_v,
        "saturation_difference": luv.saturation_difference(rgb, original.rgb),
        "lightness_error": moved,
        "lightness_error_max": moved_most,
    }
