"""What `trtcolor evaluate` costs beside the network that it measures.

    python benchmarks/evaluation.py BUNDLE DATA [--pictures 400] [--rounds 5] [--json FILE]

Both over the same pictures in the same number of threads, one picture a thread, in turns: the
network alone (`Colorizer.predict_all` on frames prepared before the clock starts) and the whole
evaluation (decoding, filter, network, merge, every measure of every row, figures). The ratio is
that of the medians.
"""

from __future__ import annotations

import json
import statistics
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import click

from trtcolor import color, dataset
from trtcolor.colorizer import Colorizer
from trtcolor.evaluation.result import Settings, last_parts
from trtcolor.evaluation.run import evaluate
from trtcolor.measure import Measurement, machine
from trtcolor.threads import usable_cores


@click.command()
@click.argument("bundle")
@click.argument("data")
@click.option("--pictures", default=400, show_default=True, help="Of DATA, the first ones.")
@click.option("--rounds", default=5, show_default=True, help="After one to warm up.")
@click.option("--threads", default=usable_cores(), show_default=True)
@click.option("--json", "json_file", type=click.Path(path_type=Path))
def main(
    bundle: str, data: str, pictures: int, rounds: int, threads: int, json_file: Path | None
) -> None:
    """Time the network alone and the whole evaluation of BUNDLE on the pictures of DATA."""
    settings = Settings(limit=pictures)
    times: dict[str, list[float]] = {"network": [], "evaluation": []}
    with Colorizer(bundle, threads=1) as colorizer:
        prepared = [
            colorizer.prepare(rgb)
            for rgb in map(dataset.decode, dataset.open_pictures(data).samples[:pictures])
            if dataset.is_colourful(color.lab_from_rgb(rgb))
        ]
        for turn in range(rounds + 1):
            start = time.perf_counter()
            with ThreadPoolExecutor(threads) as pool:
                for _ in pool.map(colorizer.predict_all, prepared):
                    pass
            ready = time.perf_counter()
            found = evaluate([bundle], data, settings, threads=threads)
            end = time.perf_counter()
            assert found.counts.kept == len(prepared)
            if turn:
                times["network"].append(ready - start)
                times["evaluation"].append(end - ready)
    network, whole = (statistics.median(times[name]) for name in times)
    print(f"{len(prepared)} pictures kept, {threads} threads, medians of {rounds} rounds")
    for name, seconds in (("network", network), ("evaluation", whole)):
        print(f"{name:>12}{seconds:8.2f} s {1e3 * seconds / len(prepared):8.2f} ms a picture")
    print(f"{'ratio':>12}{whole / network:8.2f}")
    if json_file is not None:
        report = {
            "bundle": Path(bundle).name,
            "data": last_parts(data),
            "pictures": {"read": pictures, "kept": len(prepared)},
            "threads": threads,
            "rows": [row.name for row in found.rows],
            "machine": machine(),
            "measurements": [Measurement(n, tuple(v)).to_dict() for n, v in times.items()],
            "ratio": whole / network,
        }
        json_file.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
