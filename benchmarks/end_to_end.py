"""What the end-to-end graph takes on ONNX Runtime's CPU provider, against the C path.

    python benchmarks/end_to_end.py [MODEL] [--sizes 224,512,1024,2048] [--runs 15]
        [--json benchmarks/results/end-to-end.json]

Both colour the same RGB frames, in turns, each in a process of its own with as many threads:
``colorizer`` with preparation and merge in C and the network on the same ONNX Runtime, ``graph``
with all in one ONNX file, ``auto`` the Colorizer on the backend that it takes by itself. Sizes are
sides of square frames. ``time`` is the median of a frame, ``share`` that over the Colorizer's on
ONNX Runtime: of the graph above 1 says that the Colorizer is faster.
"""

from __future__ import annotations

import json
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import click
import numpy as np

from trtcolor.backends.onnxruntime import import_onnxruntime
from trtcolor.bundle import open_bundle
from trtcolor.colorizer import Colorizer
from trtcolor.measure import Measurement, machine
from trtcolor.threads import physical_cores

KINDS = ("colorizer", "graph", "auto")

_held: dict[str, Any] = {}
"""What the worker's process runs."""


@click.command()
@click.argument("model", default="default")
@click.option("--sizes", default="224,512,1024,2048", show_default=True)
@click.option("--runs", type=click.IntRange(min=1), default=15, show_default=True)
@click.option("--threads", type=click.IntRange(min=1), help="Default: one a core.")
@click.option("--json", "json_file", type=click.Path(path_type=Path))
def main(model: str, sizes: str, runs: int, threads: int | None, json_file: Path | None) -> None:
    """Print a row a size and way."""
    threads = threads or physical_cores() or 1
    workers = {kind: ProcessPoolExecutor(1, get_context("spawn")) for kind in KINDS}
    for kind, worker in workers.items():
        worker.submit(_load, kind, model, threads).result()
    rows: list[dict[str, Any]] = []
    print(f"{'size':>10}  {'way':<12}{'time ms':>9}{'share':>7}")
    for side in map(int, sizes.split(",")):
        size = (side, side)
        seconds: dict[str, list[float]] = {kind: [] for kind in KINDS}
        for turn in range(runs + 1):
            for kind, worker in workers.items():
                taken = worker.submit(_colour, kind, size).result()
                if turn > 0:  # the first one lays out the memory
                    seconds[kind].append(taken)
        first = float(np.median(seconds[KINDS[0]]))
        for kind in KINDS:
            timed = Measurement(kind, tuple(seconds[kind]))
            share = timed.median / first
            print(f"{side:>5}x{side:<4}  {kind:<12}{1e3 * timed.median:>9.1f}{share:>7.2f}")
            rows.append({"side": side, "share": share} | timed.to_dict())
    for worker in workers.values():
        worker.shutdown()
    if json_file is not None:
        name = open_bundle(model).spec.name
        result = {"model": name, "threads": threads, "machine": machine(), "rows": rows}
        json_file.write_text(json.dumps(result, indent=1) + "\n")


def _load(kind: str, model: str, threads: int) -> None:
    if kind != "graph":
        backend = "auto" if kind == "auto" else "onnxruntime"
        _held[kind] = Colorizer(model, backend=backend, threads=threads)
        return
    from trtcolor.end_to_end.graph import end_to_end_graph

    onnxruntime = import_onnxruntime()
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    graph = end_to_end_graph(open_bundle(model)).SerializeToString()
    _held[kind] = onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])


def _colour(kind: str, size: tuple[int, int]) -> float:
    """Seconds that a frame takes; always the same one."""
    frame = np.random.default_rng(0).integers(0, 256, (*size, 3), np.uint8)
    start = time.perf_counter()
    if kind != "graph":
        _held[kind].colorize(frame)
    else:
        _held[kind].run(None, {"frames": frame[None]})
    return time.perf_counter() - start


if __name__ == "__main__":
    main()
