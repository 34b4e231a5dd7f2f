"""The figures of an evaluation: names, headings and what each means, in the order of the tables.

The definitions themselves, with their sources, are the docstrings of `trtcolor.metrics`. Two kinds:

- **Picture measures** hold the uint8 RGB output, with its own Lab and Luv, against the original, so
  that pictures left grey, the mean colour and every bundle are measured alike. Of each picture,
  then the mean over pictures.
- **Bin measures** (cross entropy and bin accuracy) hold a classifier's ``bin_logits`` against the
  truth averaged over the area of each sample of the network's own output grid, as its training
  does.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

Column = Sequence[float | None]
"""A value a picture, None where the measure is not defined for it."""


@dataclass(frozen=True)
class Measure:
    """How a figure is named and printed.

    Attributes:
        name: in JSON and in ``model.json``.
        heading: of its column.
        form: number format.
        meaning: in words.
        reduce: over the pictures that have a value.
    """

    name: str
    heading: str
    form: str
    meaning: str
    reduce: Callable[[Sequence[float]], float] = lambda values: float(np.mean(values))


COLOUR = (
    Measure("ciede2000", "dE", ".2f", "CIEDE2000 to the original, mean over pixels"),
    Measure("ciede2000_p90", "p90", ".2f", "its 90th percentile over pixels"),
    Measure("ciede2000_ratio", "/grey", ".3f", "dE over that of pictures left grey"),
    Measure("colourfulness", "CF", ".1f", "colourfulness (Hasler and Suesstrunk)"),
    Measure("colourfulness_difference", "dCF", "+.1f", "mean CF less that of the originals"),
    Measure("colourfulness_error", "|dCF|", ".1f", "absolute difference of CF, mean over pictures"),
    Measure("chroma_cosine", "cos", ".3f", "cosine to the true a*b* where its chroma exceeds 10"),
    Measure("psnr", "PSNR", ".2f", "dB over R, G and B"),
    Measure("ssim", "SSIM", ".4f", "11x11 Gaussian window, mean of R, G and B"),
    Measure("chroma_l1", "L1", ".4f", "mean |d| of a*b*/128 (003)"),
    Measure("chroma_l2", "L2", ".4f", "mean d^2 of a*b*/128 (003)"),
)
OTHER = (
    Measure("accuracy_u", "AccU", ".1%", "pixels in the right one of 50 bins of u* (001)"),
    Measure("accuracy_v", "AccV", ".1%", "the same of v*"),
    Measure("saturation_difference", "dSat", ".1%", "|difference| of mean HSV saturation (001)"),
    Measure("lightness_error", "dL*", ".3f", "|change| of L*, mean over pixels"),
    Measure("lightness_error_max", "max", ".2f", "the largest of all pixels", max),
    Measure("out_of_gamut", "gamut", ".2%", "pixels drawn into sRGB"),
    Measure("cross_entropy", "CE", ".3f", "cross entropy of the colour bins"),
    Measure("weighted_cross_entropy", "wCE", ".3f", "the same, rare colours weighted"),
    Measure("bin_accuracy", "bins", ".1%", "samples whose best bin is the nearest one"),
    Measure("top1", "top1", ".1%", "scene named first is the true one"),
    Measure("top5", "top5", ".1%", "true scene among the first five"),
    Measure("lpips", "LPIPS", ".4f", "distance of deep features"),
    Measure("fid", "FID", ".2f", "Frechet distance of all pictures' features"),
)
MEASURES = {measure.name: measure for measure in (*COLOUR, *OTHER)}


@dataclass(frozen=True)
class Figure:
    """A measured number and how many pictures it is of."""

    value: float
    pictures: int


def reduced(name: str, values: Column) -> Figure | None:
    """The figure of a measure over pictures; those with None do not count; None if all are."""
    present = [value for value in values if value is not None]
    return Figure(MEASURES[name].reduce(present), len(present)) if present else None


def scene_figures(ranks: Column) -> dict[str, Figure]:
    """Top-1 and top-5 accuracy of ranks from 1, the place of each picture's true scene."""
    present = [rank for rank in ranks if rank is not None]
    if not present:
        return {}
    return {
        f"top{first}": Figure(sum(rank <= first for rank in present) / len(present), len(present))
        for first in (1, 5)
    }


def compared(figures: Mapping[str, Figure], grey: Figure, originals: Figure) -> dict[str, Figure]:
    """Figures that hold a row against others.

    Args:
        figures: of the row.
        grey: CIEDE2000 of the pictures left grey.
        originals: colourfulness of the originals.
    """
    found = {}
    if "ciede2000" in figures and grey.value > 0:
        ratio = figures["ciede2000"].value / grey.value
        found["ciede2000_ratio"] = Figure(ratio, figures["ciede2000"].pictures)
    own = figures["colourfulness"]
    found["colourfulness_difference"] = Figure(own.value - originals.value, own.pictures)
    if originals.value > 0:
        found["colourfulness_ratio"] = Figure(own.value / originals.value, own.pictures)
    return found
