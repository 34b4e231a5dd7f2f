"""What an evaluation found: figures for each picture, their means, as a table and as JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from trtcolor import __version__
from trtcolor.dataset import FilterCounts

# Figure, number format, what it means; in the order of the table.
MEANINGS = (
    ("ciede2000", ".3f", "CIEDE2000 to the original, mean over pixels, then over pictures"),
    ("ciede2000_grey", ".3f", "the same of pictures left grey"),
    ("ciede2000_ratio", ".4f", "the first over the second; below 1 is better than grey"),
    ("ciede2000_p90", ".3f", "CIEDE2000, 90th percentile over pixels, mean over pictures"),
    ("ciede2000_p90_grey", ".3f", "the same of pictures left grey"),
    ("colourfulness", ".2f", "Hasler and Suesstrunk, mean over pictures"),
    ("colourfulness_original", ".2f", "the same of the originals"),
    ("colourfulness_ratio", ".4f", "the first over the second; 1 is as colourful as life"),
    ("psnr", ".3f", "dB of R, G and B to the original, mean over pictures"),
    ("psnr_grey", ".3f", "the same of pictures left grey"),
    ("lightness_error", ".4f", "|dL*| to the input after rounding to 8 bits, mean"),
    ("lightness_error_max", ".4f", "the same, largest of all pixels"),
    ("top1", ".4f", "scene named first is the true one, share of the labelled pictures"),
    ("top5", ".4f", "true scene among the first five"),
)


@dataclass(frozen=True)
class PictureFigures:
    """One picture's figures.

    Attributes:
        key: of the sample.
        values: those of `MEANINGS` that a single picture has.
        rank: place, from 1, of its true scene among the model's first five, 0 if it is not there;
            None where that was not asked.
    """

    key: str
    values: Mapping[str, float]
    rank: int | None


@dataclass(frozen=True)
class Evaluation:
    """A model measured on data.

    Attributes:
        model: its name.
        files: SHA-256 of its files.
        data: where the pictures came from, as given.
        settings: limit, saturation and render.
        pictures: figures of every picture kept, in the order of the data.
        counts: pictures kept, dropped as colourless, and unreadable.
        unreadable: keys of the unreadable ones.
        no_scenes: why there is no scene accuracy, or None where there is.
        seconds: for all of it, decoding and measuring included.
    """

    model: str
    files: Mapping[str, str]
    data: str
    settings: Mapping[str, Any]
    pictures: tuple[PictureFigures, ...]
    counts: FilterCounts
    unreadable: tuple[str, ...]
    no_scenes: str | None
    seconds: float

    def figures(self) -> dict[str, Any]:
        """The means by the names of `MEANINGS`, with what they were measured on; plain data."""
        values = [picture.values for picture in self.pictures]
        means = {name: float(np.mean([v[name] for v in values])) for name in values[0]}
        means["lightness_error_max"] = max(v["lightness_error_max"] for v in values)
        for name, reference in (("ciede2000", "grey"), ("colourfulness", "original")):
            base = means[f"{name}_{reference}"]
            means[f"{name}_ratio"] = means[name] / base if base > 0 else 0.0
        ranks = [picture.rank for picture in self.pictures if picture.rank is not None]
        if ranks:
            means |= {f"top{n}": sum(1 <= r <= n for r in ranks) / len(ranks) for n in (1, 5)}
        ordered = {name: means[name] for name, _, _ in MEANINGS if name in means}
        return {
            **ordered,
            "pictures": self.counts.kept,
            "colourless": self.counts.colourless,
            "unreadable": self.counts.unreadable,
            # A path of this machine has no place in a published model.json.
            "data": "/".join(Path(self.data).parts[-2:]),
            **{name: value for name, value in self.settings.items() if value is not None},
            "trtcolor": __version__,
        }

    def table(self) -> str:
        """Aligned text, a figure a line with what it means."""
        figures = self.figures()
        lines = [f"model {self.model} on {self.data}: {self.counts}"]
        for name, form, meaning in MEANINGS:
            if name in figures:
                lines.append(f"{name:<23}{figures[name]:>9{form}}  {meaning}")
        if self.no_scenes is not None:
            lines.append(f"scene accuracy left out: {self.no_scenes}")
        rate = len(self.pictures) / self.seconds if self.seconds > 0 else 0.0
        lines.append(
            f"{self.seconds:.1f} s, {rate:.1f} pictures/s, decoding and measuring included"
        )
        return "\n".join(lines)

    def to_json(self) -> str:
        """Everything, the figures of each picture included."""
        entries = asdict(self) | {"figures": self.figures(), "trtcolor": __version__}
        return json.dumps(entries, allow_nan=False) + "\n"
