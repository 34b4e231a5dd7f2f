"""What a scan costs from file to file: processor seconds of each stage, and bytes read and written.

    python benchmarks/archive_stages.py [MODEL] [--rounds 3]
        [--json benchmarks/results/archive-stages.json]

Photographs inside scikit-image, grey and enlarged with a little grain, as scans of 0.4, 6 and 24
megapixels: JPEG of quality 95, and TIFF of 16 bits. Each kind is coloured into a fresh folder as
``trtcolor colorize`` does, pictures side by side and a thread each; the processor's seconds are
those of the threads that did the work, so a busy machine changes them less than it does the clock.
"""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from statistics import median
from typing import Any

import click
import numpy as np
from PIL import Image

from trtcolor.archive.find import find_pictures
from trtcolor.archive.run import color_pictures
from trtcolor.colorizer import Colorizer
from trtcolor.demo import photographs
from trtcolor.measure import machine

KINDS = (("jpg", (768, 512), 24), ("jpg", (3000, 2000), 6), ("jpg", (6000, 4000), 4),
         ("tif", (6000, 4000), 4))  # fmt: skip
"""Suffix, (width, height) and how many pictures."""


@click.command()
@click.argument("model", default="default")
@click.option("--rounds", type=click.IntRange(min=1), default=3, show_default=True)
@click.option("--json", "json_file", type=click.Path(path_type=Path))
def main(model: str, rounds: int, json_file: Path | None) -> None:
    """Print a row a kind of scan."""
    rows = []
    print(f"{'scans':<18}{'read':>8}{'network':>9}{'write':>8}{'all':>8}   MB in, out")
    with tempfile.TemporaryDirectory() as folder, Colorizer(model, threads=1) as colorizer:
        for suffix, size, count in KINDS:
            source = Path(folder) / f"{suffix}-{size[0]}"
            _write_scans(source, suffix, size, count)
            row = {"suffix": suffix, "size": size} | _measured(colorizer, source, count, rounds)
            rows.append(row)
            seconds = "".join(f"{row[name]:>8.3f}" for name in ("read", "network", "write", "cpu"))
            megabytes = f"{row['bytes_in'] / 1e6:.1f}, {row['bytes_out'] / 1e6:.1f}"
            print(f"{suffix} {size[0]}x{size[1]:<9}{seconds}   {megabytes}")
    if json_file is not None:
        result = {"model": colorizer.spec.name, "machine": machine(), "rows": rows}
        json_file.write_text(json.dumps(result, indent=1) + "\n")


def _write_scans(folder: Path, suffix: str, size: tuple[int, int], count: int) -> None:
    folder.mkdir()
    chance = np.random.default_rng(1)
    pictures = photographs()
    for number in range(count):
        with Image.open(pictures[number % len(pictures)]) as picture:
            scan = np.asarray(picture.convert("L").resize(size, Image.Resampling.BICUBIC))
        grain = scan + chance.normal(0, 1.5, scan.shape)
        path = folder / f"{number:02}.{suffix}"
        if suffix == "tif":
            Image.fromarray((grain.clip(0, 255) * 257).astype(np.uint16)).save(path)
        else:
            Image.fromarray(grain.clip(0, 255).astype(np.uint8)).save(path, quality=95)


def _measured(colorizer: Colorizer, source: Path, count: int, rounds: int) -> dict[str, Any]:
    """Medians over the rounds of a picture's seconds, and its bytes."""
    taken: list[dict[str, float]] = []
    for _ in range(rounds):
        with tempfile.TemporaryDirectory() as output:
            summary = color_pictures(colorizer, find_pictures([str(source)]), output)
            if summary.failed:
                raise click.ClickException(f"{summary.failed} of {source.name} failed")
            made = sum(path.stat().st_size for path in Path(output).glob(f"*{source.name[:3]}"))
        stages = summary.stages
        own = {name: stage.own_cpu_seconds / count for name, stage in stages.stages.items()}
        whole = {"cpu": stages.cpu_seconds / count, "wall": stages.seconds / count}
        taken.append(own | whole | {"bytes_out": made / count})
    given = sum(path.stat().st_size for path in source.iterdir())
    medians = {name: median(round[name] for round in taken) for name in taken[0]}
    return medians | {"bytes_in": given / count, "pictures": count, "rounds": taken}


if __name__ == "__main__":
    main()
