"""Whether two Colorizers in one process fight: two threads, one each, against one after the other.

    python benchmarks/two_colorizers.py [MODEL] [--sizes 224,512,1024] [--rounds 7] [--json FILE]

Each of the two colours the same number of frames at full render size. ``after`` is the wall time
of one and then the other, ``at once`` that of both in two threads, in turns; ``ratio`` is the
median of at once / after of each round: 1 says that they share the cores without loss, less that
one alone does not keep them all busy. Both ways with one thread for each core, which is the
default, and with one thread each. Without MODEL the untrained ``iizuka2016`` runs.
"""

from __future__ import annotations

import json
import statistics
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import click
import numpy as np
from numpy.typing import NDArray

from trtcolor.backends.available import RUNNING, available
from trtcolor.bench.picture import grey_frames
from trtcolor.bench.untrained import write_untrained
from trtcolor.colorizer import Colorizer
from trtcolor.measure import machine


@click.command()
@click.argument("model", required=False)
@click.option("--sizes", default="224,512,1024", show_default=True)
@click.option("--rounds", type=click.IntRange(min=1), default=7, show_default=True)
@click.option("--json", "json_file", type=click.Path(path_type=Path))
def main(model: str | None, sizes: str, rounds: int, json_file: Path | None) -> None:
    """Print a row for each backend, size and number of threads."""
    rows = []
    print(f"{'backend':<13}{'threads':>8}{'size':>6}{'after s':>9}{'at once s':>11}{'ratio':>7}")
    with tempfile.TemporaryDirectory() as folder:
        bundle = model or str(write_untrained(Path(folder)))
        for backend in RUNNING:
            if available(backend).problem is not None:
                print(f"{backend:<13}{available(backend).problem}")
                continue
            for side in map(int, sizes.split(",")):
                for threads in (None, 1):
                    row = compare(bundle, backend, threads, side, rounds)
                    rows.append(row)
                    print(text(row), flush=True)
    if json_file is not None:
        result = {"model": model or "iizuka2016, untrained", "machine": machine(), "rows": rows}
        json_file.write_text(json.dumps(result, indent=1) + "\n")


def compare(
    bundle: str, backend: str, threads: int | None, side: int, rounds: int
) -> dict[str, Any]:
    """Seconds of every round, both ways, and whether the pictures were the same."""
    (frame,), _ = grey_frames((side, side), 1)
    frames = max(1, (1024 // side) ** 2 // 4)  # so that a round takes about as long at each size
    after, at_once = [], []
    with (
        Colorizer(bundle, backend=backend, threads=threads, render="full") as one,
        Colorizer(bundle, backend=backend, threads=threads, render="full") as other,
        ThreadPoolExecutor(2) as both,
    ):
        pair = (one, other)
        expected = [colorizer.colorize(frame) for colorizer in pair]

        def colour(colorizer: Colorizer) -> NDArray[Any]:
            for _ in range(frames):
                picture = colorizer.colorize(frame)
            return picture

        for _ in range(rounds):
            start = time.perf_counter()
            apart = [colour(colorizer) for colorizer in pair]
            middle = time.perf_counter()
            together = list(both.map(colour, pair))
            at_once.append(time.perf_counter() - middle)
            after.append(middle - start)
            same = all(map(np.array_equal, expected * 2, apart + together))
            if not same:
                raise SystemExit(f"{backend} at {side}: two at once gave another picture")
    return {
        "backend": backend,
        "threads": threads,
        "side": side,
        "frames": frames,
        "after": after,
        "at_once": at_once,
    }


def text(row: dict[str, Any]) -> str:
    """A line of the table."""
    ratios = [a / b for a, b in zip(row["at_once"], row["after"], strict=True)]
    return (
        f"{row['backend']:<13}{row['threads'] or 'cores':>8}{row['side']:>6}"
        f"{statistics.median(row['after']):>9.2f}{statistics.median(row['at_once']):>11.2f}"
        f"{statistics.median(ratios):>7.2f}"
    )


if __name__ == "__main__":
    main()
