"""Which render size serves a model best: CIEDE2000, colourfulness and time over several sizes.

    python benchmarks/render_size.py MODEL DATA [--sizes 112,160,256,full] [--json FILE]

Each size is a whole `trtcolor evaluate` over the pictures of DATA, one picture at a time; the time
is the median over pictures of the network's run alone, with the sizes taking turns picture by
picture. The figure behind a bundle's ``render_size``.
"""

from __future__ import annotations

import json
import statistics
import time
from pathlib import Path

import click

from trtcolor import dataset
from trtcolor.colorizer import Colorizer
from trtcolor.evaluation.result import Settings
from trtcolor.evaluation.run import evaluate
from trtcolor.geometry import checked_render
from trtcolor.measure import machine


@click.command()
@click.argument("model")
@click.argument("data")
@click.option("--sizes", default="96,112,128,160,192,256,384,full", show_default=True)
@click.option("--json", "json_file", type=click.Path(path_type=Path))
def main(model: str, data: str, sizes: str, json_file: Path | None) -> None:
    """Print a row a render size for MODEL on the pictures of DATA."""
    renders = [checked_render(int(s) if s.isdigit() else s) for s in sizes.split(",")]
    seconds: dict[object, list[float]] = {render: [] for render in renders}
    with Colorizer(model) as colorizer:
        for sample in dataset.open_pictures(data).samples:
            frame = dataset.decode(sample)
            for render in renders:
                prepared = colorizer.prepare(frame, render=render)
                began = time.perf_counter()
                colorizer.predict(prepared)
                seconds[render].append(time.perf_counter() - began)
    rows = []
    print(f"{'render':>8}{'CIEDE2000':>12}{'of grey':>9}{'colourful':>11}{'of life':>9}{'ms':>8}")
    for render in renders:
        found = evaluate([model], data, Settings(render=render), threads=1)
        figures = found.flat(found.bundles[0])
        milliseconds = statistics.median(seconds[render]) * 1e3
        rows.append({**figures, "network_seconds": seconds[render]})
        print(
            f"{render:>8}{figures['ciede2000']:>12.3f}{figures['ciede2000_ratio']:>9.3f}"
            f"{figures['colourfulness']:>11.2f}{figures['colourfulness_ratio']:>9.3f}"
            f"{milliseconds:>8.1f}"
        )
    if json_file is not None:
        json_file.write_text(
            json.dumps({"model": model, "machine": machine(), "rows": rows}, indent=2) + "\n"
        )


if __name__ == "__main__":
    main()
