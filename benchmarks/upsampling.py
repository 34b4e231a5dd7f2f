"""Which parameters joint bilateral upsampling has: the error that true chroma comes back with.

    python benchmarks/upsampling.py DATA [--factors 2,4,8,16] [--sigmas 6,8,10,12,16]
        [--limit N] [--json FILE]

The true a*b* of each picture of DATA is averaged over squares of FACTOR pixels, as a network with
nothing to learn would give it, brought back by either upsampling, merged with the picture's own
L* and compared with the picture: mean CIEDE2000 over all pixels and over those at borders
(benchmarks/borders.py). The figure behind `trtcolor.upsampling.RANGE_SIGMA`, and the most that
edge-aware upsampling can do for a model.
"""

from __future__ import annotations

import json
from pathlib import Path

import click
import numpy as np
from borders import borders
from numpy.typing import NDArray

from trtcolor import color, dataset
from trtcolor.measure import machine
from trtcolor.metrics.difference import ciede2000
from trtcolor.resize import resize_plane
from trtcolor.upsampling import joint_bilateral_upsample


@click.command()
@click.argument("data")
@click.option("--factors", default="2,4,8,16", show_default=True)
@click.option("--sigmas", default="6,8,10,12,16", show_default=True)
@click.option("--limit", type=click.IntRange(min=1))
@click.option("--json", "json_file", type=click.Path(path_type=Path))
def main(data: str, factors: str, sigmas: str, limit: int | None, json_file: Path | None) -> None:
    """Print a row a factor and upsampling for the pictures of DATA."""
    ways: list[float | None] = [None, *map(float, sigmas.split(","))]
    found: dict[tuple[int, float | None], list[tuple[float, float]]] = {}
    pictures = dataset.open_pictures(data).samples[:limit]
    for sample in pictures:
        lab = color.lab_from_rgb(dataset.decode(sample))
        near = borders(lab[:, :, 0])
        for factor in map(int, factors.split(",")):
            for sigma in ways:
                error = ciede2000(_brought_back(lab, factor, sigma), lab)
                if near.any():
                    pair = float(error.mean()), float(error[near].mean())
                    found.setdefault((factor, sigma), []).append(pair)
    rows = []
    print(f"{'factor':>7}{'range sigma':>13}{'CIEDE2000':>11}{'at borders':>12}{'of bilinear':>13}")
    for (factor, sigma), pairs in found.items():
        whole, at_borders = np.mean(pairs, axis=0)
        of_bilinear = at_borders / np.mean(found[factor, None], axis=0)[1]
        name = "bilinear" if sigma is None else f"{sigma:g}"
        print(f"{factor:>7}{name:>13}{whole:>11.3f}{at_borders:>12.3f}{of_bilinear:>13.3f}")
        rows.append({"factor": factor, "range_sigma": sigma, "ciede2000": pairs})
    if json_file is not None:
        words = {"data": Path(data).name, "pictures": len(pictures), "machine": machine()}
        json_file.write_text(json.dumps({**words, "rows": rows}, indent=2) + "\n")


def _brought_back(
    lab: NDArray[np.float32], factor: int, sigma: float | None
) -> NDArray[np.float32]:
    """(H, W, 3) L*a*b* of the picture whose true chroma was reduced and upsampled."""
    lightness = np.ascontiguousarray(lab[:, :, 0])
    size = -(-lab.shape[0] // factor), -(-lab.shape[1] // factor)
    chroma = resize_plane(np.ascontiguousarray(np.moveaxis(lab[:, :, 1:], 2, 0)), size)
    if sigma is not None:
        chroma = joint_bilateral_upsample(chroma, lightness, scale=None, range_sigma=sigma)
    rgb: NDArray[np.uint8] = color.merge_lab(lightness, chroma, scale=None)
    return color.lab_from_rgb(rgb)


if __name__ == "__main__":
    main()
