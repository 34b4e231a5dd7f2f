"""What tiles cost and save: time, peak memory and the colours, tiled against untiled.

    python benchmarks/tiles.py MODEL [--sizes 1024,2048] [--memory 200MB] [--rounds 3]
        [--whole-up-to 2048] [--json FILE]

Each figure is of `Colorizer.colorize` on a square grey photograph at full render size, in a process
of its own; tiled and untiled take turns. ``peak`` is the process's largest resident size, program
and weights included; ``beyond`` is the same without the picture itself: the frame, its lightness,
its chroma and the result. Sizes over ``--whole-up-to`` are run in tiles only. Without ``--memory``
tiles are those that the library chooses by itself.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import click
import numpy as np
from PIL import Image

from trtcolor.bundle import open_bundle
from trtcolor.colorizer import Colorizer
from trtcolor.demo import photographs
from trtcolor.measure import machine, peak_memory
from trtcolor.memory import choose_tiles, parse_bytes

NO_LIMIT = 2**50
THIS = Path(__file__)


@click.command()
@click.argument("model")
@click.option("--sizes", default="1024,2048", show_default=True)
@click.option("--memory", type=parse_bytes)
@click.option("--rounds", type=click.IntRange(min=1), default=3, show_default=True)
@click.option("--whole-up-to", type=int, default=2048, show_default=True)
@click.option("--backend", default="onnxruntime", show_default=True)
@click.option("--json", "json_file", type=click.Path(path_type=Path))
def main(
    model: str,
    sizes: str,
    memory: int | None,
    rounds: int,
    whole_up_to: int,
    backend: str,
    json_file: Path | None,
) -> None:
    """Print a row a size for MODEL."""
    rows = []
    print(
        f"{'size':>6}{'tiles':>7}{'tile':>12}{'work':>7}{'time':>8}{'of whole':>10}"
        f"{'peak MB':>9}{'whole':>7}{'beyond MB':>11}{'a*b* off':>10}"
    )
    for side in map(int, sizes.split(",")):
        row = compare(model, side, memory, rounds, side <= whole_up_to, backend)
        rows.append(row)
        print(text(row), flush=True)
    if json_file is not None:
        result = {"model": model, "backend": backend, "machine": machine(), "rows": rows}
        json_file.write_text(json.dumps(result, indent=2) + "\n")


def compare(
    model: str, side: int, memory: int | None, rounds: int, whole: bool, backend: str
) -> dict[str, Any]:
    """All figures of one size."""
    rule = open_bundle(model).spec.size
    padded = -(-side // rule.multiple) * rule.multiple
    tiles = choose_tiles((padded, padded), rule, memory)
    limits = {"tiled": memory} | ({"whole": NO_LIMIT} if whole else {})
    runs: dict[str, list[dict[str, Any]]] = {name: [] for name in limits}
    with tempfile.TemporaryDirectory() as folder:
        for _ in range(rounds):
            for name, limit in limits.items():
                job = {"model": model, "side": side, "memory": limit, "backend": backend}
                job["chroma"] = f"{folder}/{name}.npy"
                done = subprocess.run(
                    [sys.executable, "-P", THIS, json.dumps(job)],
                    check=True,
                    capture_output=True,
                    text=True,
                )
                runs[name].append(json.loads(done.stdout))
        chroma = {name: np.load(f"{folder}/{name}.npy", mmap_mode="r") for name in limits}
        off = float(np.abs(chroma["tiled"] - chroma["whole"]).max()) if whole else None
    figures = {
        name: {key: [run[key] for run in found] for key in found[0]} for name, found in runs.items()
    }
    return {
        "side": side,
        "memory": memory,
        "map_bytes": rule.map_bytes,
        "tiles": len(tiles),
        "tile": tiles.tile,
        "work": tiles.work,
        "largest_difference": off,
        **figures,
    }


def text(row: dict[str, Any]) -> str:
    """A line of the table: medians of times, largest peaks."""
    seconds = {n: statistics.median(row[n]["seconds"]) for n in ("tiled", "whole") if n in row}
    peak = {n: max(row[n]["peak"]) / 1e6 for n in seconds}
    beyond = peak["tiled"] - row["tiled"]["picture"][0] / 1e6
    tile = "x".join(map(str, reversed(row["tile"])))
    ratio = whole = off = "-"
    if "whole" in seconds:
        ratio = f"{seconds['tiled'] / seconds['whole']:.2f}"
        whole, off = f"{peak['whole']:.0f}", f"{row['largest_difference']:.1e}"
    return (
        f"{row['side']:>6}{row['tiles']:>7}{tile:>12}{row['work']:>7.2f}{seconds['tiled']:>8.2f}"
        f"{ratio:>10}{peak['tiled']:>9.0f}{whole:>7}{beyond:>11.0f}{off:>10}"
    )


def run_one(job: dict[str, Any]) -> dict[str, Any]:
    """One coloured picture: its seconds in the network, the process's peak, the picture's bytes."""
    side = job["side"]
    grey = Image.open(photographs()[0]).convert("L").resize((side, side), Image.Resampling.BICUBIC)
    frame = np.array(grey)
    del grey
    with Colorizer(
        job["model"], backend=job["backend"], render="full", memory=job["memory"]
    ) as colorizer:
        prepared = colorizer.prepare(frame)
        start = time.perf_counter()
        chroma = colorizer.predict(prepared)
        seconds = time.perf_counter() - start
        result = colorizer.merge(prepared, chroma)
    peak = peak_memory()
    np.save(job["chroma"], chroma)
    parts = (frame, prepared.frame.lightness, chroma, result)
    return {"seconds": seconds, "peak": peak, "picture": sum(part.nbytes for part in parts)}


if __name__ == "__main__":
    if len(sys.argv) == 2 and sys.argv[1].startswith("{"):
        print(json.dumps(run_one(json.loads(sys.argv[1]))))
    else:
        main()
