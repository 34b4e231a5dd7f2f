"""What a render size costs and gives: time and CIEDE2000 over several, with either upsampling.

    python benchmarks/render_size.py MODEL DATA [--sizes 128,256,full] [--side N] [--limit N]
        [--json FILE]

Each picture of DATA is coloured at each render size and its chroma brought to full resolution by
either upsampling. CIEDE2000 against the picture itself, unless it is grey, and against the same
model at ``full`` (bilinear) is the mean over pixels, and over the pixels at borders
(benchmarks/borders.py). Times are medians over pictures in ms: of the network alone, and of the
whole `Colorizer.colorize`, its three steps added up; sizes take turns picture by picture. The
figures behind a bundle's ``render_size`` and the default upsampling.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, TypeVar, get_args

import click
import numpy as np
from borders import borders
from numpy.typing import NDArray
from PIL import Image

from trtcolor import color, dataset
from trtcolor.colorizer import Colorizer
from trtcolor.frames import Upsampling, array_from_frame
from trtcolor.geometry import Render, checked_render
from trtcolor.measure import machine
from trtcolor.metrics.colourfulness import colourfulness
from trtcolor.metrics.difference import ciede2000

Result = TypeVar("Result")
Errors = dict[str, float | None]


@dataclass(frozen=True)
class Coloured:
    """One picture at one render size with one upsampling."""

    picture: str
    render: Render
    upsampling: Upsampling
    ciede2000: Errors
    colourfulness: float
    network_seconds: float
    total_seconds: float


@dataclass(frozen=True)
class Original:
    """A picture: what is compared with it, and what it is itself."""

    picture: str
    colourful: bool
    colourfulness: float
    ciede2000_of_grey: float
    border_share: float


@click.command()
@click.argument("model")
@click.argument("data")
@click.option("--sizes", default="64,96,128,192,256,384,full", show_default=True)
@click.option("--side", type=click.IntRange(min=1), help="Scale pictures to this shorter side.")
@click.option("--limit", type=click.IntRange(min=1))
@click.option("--json", "json_file", type=click.Path(path_type=Path))
def main(
    model: str, data: str, sizes: str, side: int | None, limit: int | None, json_file: Path | None
) -> None:
    """Print a row a render size and upsampling for MODEL on the pictures of DATA."""
    renders = [checked_render(int(s) if s.isdigit() else s) for s in sizes.split(",")]
    originals: list[Original] = []
    coloured: list[Coloured] = []
    with Colorizer(model) as colorizer:
        for sample in dataset.open_pictures(data).samples[:limit]:
            frame = _scaled(dataset.decode(sample), side)
            if not originals:
                colorizer.colorize(frame)  # what is built once is not the first picture's
            original = _original(sample.key, frame)
            originals.append(original)
            coloured += _at_each_size(colorizer, original, frame, renders)
    _print_table(originals, coloured, renders)
    if json_file is not None:
        found = {
            "model": colorizer.spec.name,
            "data": Path(data).name,
            "side": side,
            "machine": machine(),
            "originals": [asdict(original) for original in originals],
            "coloured": [asdict(one) for one in coloured],
        }
        json_file.write_text(json.dumps(found, indent=1) + "\n")


def _scaled(frame: NDArray[np.uint8], side: int | None) -> NDArray[np.uint8]:
    if side is None:
        return frame
    height, width = (round(length * side / min(frame.shape[:2])) for length in frame.shape[:2])
    return np.asarray(Image.fromarray(frame).resize((width, height), Image.Resampling.LANCZOS))


def _original(picture: str, frame: NDArray[np.uint8]) -> Original:
    lab = color.lab_from_rgb(frame)
    grey = lab.copy()
    grey[:, :, 1:] = 0
    return Original(
        picture=picture,
        colourful=dataset.is_colourful(lab),
        colourfulness=colourfulness(frame),
        ciede2000_of_grey=float(ciede2000(grey, lab).mean()),
        border_share=float(borders(lab[:, :, 0]).mean()),
    )


def _at_each_size(
    colorizer: Colorizer, original: Original, frame: NDArray[np.uint8], renders: list[Render]
) -> list[Coloured]:
    truth = color.lab_from_rgb(frame)
    near = borders(truth[:, :, 0])
    full = color.lab_from_rgb(colorizer.colorize(frame, render="full"))
    found = []
    for render in renders:
        prepared, before = _timed(colorizer.prepare, frame, render=render)
        chroma, network = _timed(colorizer.predict, prepared)
        scale = prepared.plan.merge_scale
        for upsampling in get_args(Upsampling):
            rgb, after = _timed(  # as Colorizer.merge
                array_from_frame,
                prepared.frame,
                chroma,
                scale=scale,
                gamut="reduce",
                upsampling=upsampling,
            )
            lab = color.lab_from_rgb(rgb)
            errors = _errors("full", lab, full, near)
            if original.colourful:
                errors |= _errors("original", lab, truth, near)
            total = before + network + after
            found.append(
                Coloured(
                    original.picture, render, upsampling, errors, colourfulness(rgb), network, total
                )
            )
    return found


def _timed(step: Callable[..., Result], *words: Any, **options: Any) -> tuple[Result, float]:
    began = time.perf_counter()
    result = step(*words, **options)
    return result, time.perf_counter() - began


def _errors(
    name: str, lab: NDArray[np.float32], other: NDArray[np.float32], near: NDArray[np.bool_]
) -> Errors:
    error = ciede2000(lab, other)
    at_borders = float(error[near].mean()) if near.any() else None
    return {name: float(error.mean()), f"{name}_at_borders": at_borders}


def _print_table(
    originals: list[Original], coloured: list[Coloured], renders: list[Render]
) -> None:
    share = np.mean([original.border_share for original in originals])
    print(f"{len(originals)} pictures, {share:.0%} of their pixels at borders; CIEDE2000 and ms")
    print(
        f"{'render':>7} {'upsampling':<16}{'original':>9}{'borders':>9}{'of grey':>9}"
        f"{'colourful':>11}{'full':>8}{'borders':>9}{'network':>9}{'total':>8}"
    )
    true = {original.picture: original for original in originals if original.colourful}
    grey = _mean([original.ciede2000_of_grey for original in true.values()])
    vivid = _mean([original.colourfulness for original in true.values()])
    for render in renders:
        for upsampling in get_args(Upsampling):
            rows = [c for c in coloured if (c.render, c.upsampling) == (render, upsampling)]
            shown = {
                name: _mean([row.ciede2000.get(name) for row in rows])
                for name in ("original", "original_at_borders", "full", "full_at_borders")
            }
            vividness = _mean([row.colourfulness for row in rows if row.picture in true])
            network, total = (
                float(np.median([getattr(row, f"{name}_seconds") for row in rows])) * 1e3
                for name in ("network", "total")
            )
            print(
                f"{render!s:>7} {upsampling:<16}{shown['original']:>9.3f}"
                f"{shown['original_at_borders']:>9.3f}{shown['original'] / grey:>9.3f}"
                f"{vividness / vivid:>11.3f}{shown['full']:>8.3f}"
                f"{shown['full_at_borders']:>9.3f}{network:>9.1f}{total:>8.1f}"
            )


def _mean(numbers: list[Any]) -> float:
    """Of those that are numbers; a NaN if none is."""
    known = [number for number in numbers if number is not None]
    return float(np.mean(known)) if known else float("nan")


if __name__ == "__main__":
    main()
