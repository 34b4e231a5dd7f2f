"""What it costs that ONNX Runtime's threads do not spin while they wait, and what spinning takes.

    python benchmarks/spinning.py [MODEL] [--sizes 224,512,1024] [--runs 15] [--json FILE]

The library's own session takes turns with two others that differ in one setting: ``spins``, as
ONNX Runtime does by default, and ``stops``, which spins within a run and not after it. Before each
run all threads have gone to sleep. ``time`` is the median of the local graph's run, ``share`` that
over the library's, ``idle`` the processor time taken in half a second after a run, in which nothing
is asked for. Random weights do not change it: without MODEL the untrained ``iizuka2016`` runs.
"""

from __future__ import annotations

import json
import tempfile
import time
from pathlib import Path
from typing import Any

import click
import numpy as np

from trtcolor.backends.onnxruntime import OnnxRuntimeRunner
from trtcolor.bench.picture import grey_frames
from trtcolor.bench.untrained import write_untrained
from trtcolor.bundle import Bundle, open_bundle
from trtcolor.color import lightness_from_grey
from trtcolor.measure import Measurement, machine
from trtcolor.resize import resize_plane

SLEEP = 0.5
"""Seconds after which ONNX Runtime's threads have long stopped to spin."""


class Spins(OnnxRuntimeRunner):
    """Its threads spin for a while when they have nothing to do, within a run and after it."""

    spinning = "1"


class Stops(Spins):
    """They spin within a run only."""

    def _options(self) -> Any:
        options = super()._options()
        options.add_session_config_entry("session.force_spinning_stop", "1")
        return options


KINDS = {"sleeps (the library)": OnnxRuntimeRunner, "stops": Stops, "spins": Spins}


@click.command()
@click.argument("model", required=False)
@click.option("--sizes", default="224,512,1024", show_default=True)
@click.option("--runs", type=click.IntRange(min=1), default=15, show_default=True)
@click.option("--threads", type=click.IntRange(min=1), help="Default: one a core.")
@click.option("--json", "json_file", type=click.Path(path_type=Path))
def main(
    model: str | None, sizes: str, runs: int, threads: int | None, json_file: Path | None
) -> None:
    """Print a row a size and setting."""
    with tempfile.TemporaryDirectory() as folder:
        bundle = open_bundle(model or write_untrained(Path(folder)))
        runners = {name: kind(bundle, threads=threads) for name, kind in KINDS.items()}
        rows = []
        print(f"{'size':>6}  {'threads':<22}{'time ms':>9}{'share':>7}{'idle ms':>9}")
        for side in map(int, sizes.split(",")):
            found = compare(bundle, runners, side, runs)
            first = next(iter(found.values()))[0].median
            for name, (timed, idle) in found.items():
                share = timed.median / first
                print(
                    f"{side:>6}  {name:<22}{1e3 * timed.median:>9.1f}{share:>7.2f}"
                    f"{1e3 * float(np.median(idle)):>9.1f}",
                    flush=True,
                )
                rows.append({"side": side, "kind": name, "share": share, "idle": idle})
                rows[-1] |= timed.to_dict()
    if json_file is not None:
        result = {"model": bundle.spec.name, "threads": threads, "machine": machine(), "rows": rows}
        json_file.write_text(json.dumps(result, indent=1) + "\n")


def compare(
    bundle: Bundle, runners: dict[str, OnnxRuntimeRunner], side: int, runs: int
) -> dict[str, tuple[Measurement, list[float]]]:
    """The time of a run and the processor time while idle after it, by kind."""
    frames, _ = grey_frames((side, side), 1)
    inputs = {"lightness": lightness_from_grey(frames[0])[None, None]}
    square = bundle.spec.size.global_size
    if square is not None:
        copy = resize_plane(inputs["lightness"][0, 0], (square, square))[None, None]
        for runner in runners.values():
            (features,) = runner.run("global", {"lightness": copy}, ["global_features"])
        inputs["global_features"] = features
    seconds: dict[str, list[float]] = {name: [] for name in runners}
    idle: dict[str, list[float]] = {name: [] for name in runners}
    for turn in range(runs + 1):
        for name, runner in runners.items():
            start = time.perf_counter()
            runner.run("local", inputs, ["chroma"])
            taken, used = time.perf_counter() - start, time.process_time()
            time.sleep(SLEEP)
            if turn > 0:  # the first one loads the graph
                seconds[name].append(taken)
                idle[name].append(time.process_time() - used)
    return {name: (Measurement(name, tuple(seconds[name])), idle[name]) for name in runners}


if __name__ == "__main__":
    main()
