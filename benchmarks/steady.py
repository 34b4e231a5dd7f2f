"""How steady the colours of film are, and what it costs: frame by frame against `--steady`.

    python benchmarks/steady.py [CLIP...] [--limit N] [--json FILE]

Every CLIP, and two synthetic ones made of scikit-image's photographs (each still, then panned over,
then cut away from; one with a little grain and flicker, one as worn as old film can be), is
coloured at several values of ``steady``. Of the frames as RGB under their own lightness are
measured CDC (`trtcolor.metrics.clips`), the flicker of colours where lightness stands still, and
colourfulness. The row "grey" shows how much of CDC is the light's own: a fade moves every
histogram, and no colours can take that away. So CDC's mean is given over all shots, and over those
alone where grey's is below frame by frame's.
``crosses`` is the largest difference, at the default, of a* or b* in the frames behind cuts from
those of a run that begins there: 0 where nothing crosses a cut.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import closing
from itertools import islice
from pathlib import Path
from typing import Any

import click
import numpy as np
from numpy.typing import NDArray

from trtcolor.color import merge_lab
from trtcolor.colorizer import Colorizer
from trtcolor.demo import photographs
from trtcolor.images import read_picture
from trtcolor.measure import machine
from trtcolor.metrics.clips import ChromaFlicker, ColorDistributionConsistency
from trtcolor.metrics.colourfulness import colourfulness
from trtcolor.planes import lightness_from_luma
from trtcolor.video.decode import VideoReader
from trtcolor.video.frames import ColouredFrame, LumaFrame, Signal
from trtcolor.video.stream import color_frames

LEVELS = (0.0, 0.25, 0.5, 0.75, 1.0)
WEAR = {"synthetic": (0.02, 2.0), "synthetic, worn": (0.06, 5.0)}  # flicker of light, grain
SHOT = 40  # frames of a synthetic shot
BEHIND = 16  # frames behind a cut that are compared


@click.command()
@click.argument("clips", nargs=-1)
@click.option("--limit", type=int, help="Frames of each clip.")
@click.option("--json", "json_file", type=click.Path(path_type=Path))
def main(clips: Sequence[str], limit: int | None, json_file: Path | None) -> None:
    """Print a row a value of steady for each of CLIPS and for the synthetic ones."""
    with Colorizer() as colorizer:
        results = [
            run(colorizer, Path(clip).stem, list(islice(lumas(clip), limit))) for clip in clips
        ]
        for name, (flicker, grain) in WEAR.items():
            results.append(run(colorizer, name, list(synthetic(flicker, grain))))
        model = colorizer.spec.name
    if json_file is not None:
        result = {"model": model, "machine": machine(), "clips": results}
        json_file.write_text(json.dumps(result, indent=2) + "\n")


def run(colorizer: Colorizer, name: str, frames: list[LumaFrame]) -> dict[str, Any]:
    """Colour one clip at every level."""
    rows = []
    for steady in LEVELS:
        with closing(color_frames(colorizer, frames, steady=steady)) as coloured:
            rows.append(measured(coloured) | {"steady": steady})
    crosses = crossing(colorizer, frames, rows[0]["cuts"])
    grey = measured(as_grey(frames, rows[0]["cuts"]))
    own = rows[0]["cdc_of_shots"]
    pairs = zip(own, grey["cdc_of_shots"], strict=True)
    lit = [a is not None and b is not None and b < a for a, b in pairs]
    print(f"{name}: {len(frames)} frames, cuts at {rows[0]['cuts']}")
    for row in (*rows, grey):
        row["cdc_of_coloured_shots"] = mean(row["cdc_of_shots"], row["frames_of_shots"], lit)
        label = "grey" if row is grey else f"steady {row['steady']:g}"
        print(f"  {label:12}" + "".join(told(row, rows[0], key) for key in SHOWN), flush=True)
    print(f"  crosses {crosses:g}")
    return {"clip": name, "frames": len(frames), "grey": grey, "rows": rows, "crosses": crosses}


SHOWN = ("cdc", "cdc_of_coloured_shots", "flicker", "colourfulness")


def told(row: dict[str, Any], first: dict[str, Any], key: str) -> str:
    if row[key] is None or not first[key]:
        return f" {key} -"
    return f" {key} {row[key]:.5g} ({row[key] / first[key]:.3f})"


def mean(values: list[float | None], weights: list[int], taken: list[bool]) -> float | None:
    """Of the shots taken, weighted by their frames."""
    rows = [(v, w) for v, w, t in zip(values, weights, taken, strict=True) if t and v is not None]
    return sum(v * w for v, w in rows) / sum(w for _, w in rows) if rows else None


def measured(frames: Iterator[ColouredFrame]) -> dict[str, Any]:
    """All figures of one clip."""
    consistency, flicker = ColorDistributionConsistency(), ChromaFlicker()
    vividness, cuts = [], []
    for index, frame in enumerate(frames):
        signal = frame.signal
        lightness = lightness_from_luma(frame.luma, depth=signal.depth, range=signal.range)
        rgb = merge_lab(lightness, np.ascontiguousarray(frame.chroma), scale=None, gamut="reduce")
        consistency.update(rgb, frame.cut)
        flicker.update(rgb, frame.cut)
        vividness.append(colourfulness(rgb))
        cuts += [index] if frame.cut else []
    shots = consistency.shots()
    return {
        "cuts": cuts,
        "cdc": consistency.result(),
        "cdc_of_shots": [value for _, value in shots],
        "frames_of_shots": [count for count, _ in shots],
        "flicker": flicker.result(),
        "still": flicker.share,
        "colourfulness": float(np.mean(vividness)),
    }


def crossing(colorizer: Colorizer, frames: list[LumaFrame], cuts: list[int]) -> float:
    """Largest difference of the chroma behind the cuts from that of a film that begins there."""
    largest = 0.0
    for cut in cuts[1:]:
        before = frames[max(cut - 2 * BEHIND, 0) : cut + BEHIND]
        with closing(color_frames(colorizer, before)) as coloured:
            through = [frame.chroma for frame in coloured][-BEHIND:]
        with closing(color_frames(colorizer, before[-BEHIND:])) as coloured:
            alone = [frame.chroma for frame in coloured]
        pairs = zip(through, alone, strict=True)
        largest = max(largest, *(float(np.abs(a - b).max()) for a, b in pairs))
    return largest


def lumas(clip: str) -> Iterator[LumaFrame]:
    """The Y' planes of a file's frames."""
    with VideoReader(clip) as reader:
        for rgb in reader:
            yield LumaFrame(luma(rgb), Signal(range="full"))


def luma(rgb: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Y' in full range (BT.709)."""
    weights = np.array([0.2126, 0.7152, 0.0722], np.float32)
    codes: NDArray[np.uint8] = np.rint(rgb @ weights).astype(np.uint8)
    return codes


def synthetic(flicker: float, grain: float) -> Iterator[LumaFrame]:
    """Photographs, each still, then panned over, then cut away from.

    ``flicker``: share by which the light changes at most; ``grain``: deviation in codes.
    """
    rng = np.random.default_rng(1)
    for picture in photographs():
        grey = luma(read_picture(picture).rgb8)
        height, width = grey.shape
        window = (height * 3 // 4, width * 3 // 4)
        for step in (0, max(1, (width - window[1]) // SHOT)):
            for index in range(SHOT):
                part = grey[: window[0], step * index : step * index + window[1]]
                lit = part * rng.uniform(1 - flicker, 1 + flicker) + rng.normal(
                    0, grain, part.shape
                )
                yield LumaFrame(lit.clip(0, 255).astype(np.uint8), Signal(range="full"))


def as_grey(frames: list[LumaFrame], cuts: list[int]) -> Iterator[ColouredFrame]:
    """The frames without colour."""
    none = np.zeros((2, 1, 1), np.float32)
    for index, frame in enumerate(frames):
        plane = frame.luma
        yield ColouredFrame(plane, plane, plane, frame.signal, None, None, none, index in cuts)


if __name__ == "__main__":
    main()
