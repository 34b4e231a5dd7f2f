"""Whether pictures of like size are worth running through the network together.

    python benchmarks/picture_batches.py [MODEL] [--backend NAME] [--threads 1] [--runs 15]
        [--json FILE]

The local graph runs on 1, 2, 4 and 8 pictures at once, in turn; ``ms`` is the median for one
picture. `trtcolor colorize` runs pictures one by one, as many at a time as there are cores, each
with one thread: that is what a batch has to beat.
"""

from __future__ import annotations

import json
import statistics
import time
from pathlib import Path
from typing import Any

import click
import numpy as np
from numpy.typing import NDArray

from trtcolor.bundle import open_bundle
from trtcolor.choose import open_runner
from trtcolor.measure import machine

BATCHES = (1, 2, 4, 8)
SIZES = ((128, 192), (256, 384))
Arrays = dict[str, NDArray[np.float32]]


@click.command()
@click.argument("model", default="default")
@click.option("--backend")
@click.option("--threads", type=click.IntRange(min=1), default=1, show_default=True)
@click.option("--runs", type=click.IntRange(min=1), default=15, show_default=True)
@click.option("--json", "json_file", type=click.Path(path_type=Path))
def main(model: str, backend: str | None, threads: int, runs: int, json_file: Path | None) -> None:
    bundle = open_bundle(model)
    runner, _ = open_runner(bundle, backend, precision=None, engine=None, threads=threads)
    found: list[dict[str, Any]] = []
    for size in SIZES:
        inputs = {n: _inputs(runner, bundle.spec.size.global_size, n, size) for n in BATCHES}
        taken: dict[int, list[float]] = {n: [] for n in BATCHES}
        for turn in range(runs + 1):
            for n in BATCHES:
                began = time.perf_counter()
                runner.run("local", inputs[n], ("chroma",))
                if turn:  # the first makes ready
                    taken[n].append(1000 * (time.perf_counter() - began) / n)
        for n in BATCHES:
            ms = statistics.median(taken[n])
            found.append({"size": size, "batch": n, "ms": ms, "all_ms": taken[n]})
            share = ms / found[-1 - BATCHES.index(n)]["ms"]
            click.echo(f"{size[0]}x{size[1]}  batch {n}  {ms:7.2f} ms  {share:5.2f} of one by one")
    runner.close()
    if json_file is not None:
        result = {"machine": machine(), "model": bundle.spec.name, "backend": runner.name}
        json_file.write_text(json.dumps(result | {"threads": threads, "rows": found}, indent=1))


def _inputs(runner: Any, global_size: int | None, n: int, size: tuple[int, int]) -> Arrays:
    """Lightness of noise, and the global features that go with it."""
    chance = np.random.default_rng(0)
    inputs = {"lightness": chance.uniform(0, 100, (n, 1, *size)).astype(np.float32)}
    if global_size is not None:
        square = chance.uniform(0, 100, (n, 1, global_size, global_size)).astype(np.float32)
        (features,) = runner.run("global", {"lightness": square}, ("global_features",))
        inputs["global_features"] = features
    return inputs


if __name__ == "__main__":
    main()
