"""PyTorch and ONNX Runtime on a GPU in one run: times, and their share of what the GPU can do.

    python benchmarks/gpu.py [--budget 150] [--model MODEL] [--json FILE]
    python benchmarks/gpu.py --device cpu --sizes 16,32 --batches 1,2   (to rehearse it)

The local graph of a model runs on square pictures, its global vector given, as in a shot of film;
iizuka2016 has seeded random weights where it is not installed (timing only). Engines share the
process and its stream, get the same tensors, and take turns; a time is between two CUDA events, so
that copies, which are timed apart, are not in it. FLOPs are those of the exported graph, whatever
an engine makes of it. A row that cannot be had says why. The file is written after every size, and
what the budget does not hold is left out, the least telling sizes first.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import time
from pathlib import Path
from typing import Any

import click
import torch
from gpu_cells import Cell, Entrant, exact_chroma, judge, take_cell
from gpu_device import Device, floor
from gpu_engines import Engine, Maker, compiled, makers
from gpu_table import table

from trtcolor.bench.run import opened_model
from trtcolor.bundle import Bundle

SIZES = (224, 512, 1024, 2048)
BATCHES = (1, 4, 16)
FIRST = ((1024, 1), (512, 1), (2048, 1), (224, 1), (1024, 16), (224, 16), (1024, 4), (512, 16))
"""What is measured before the rest, as (size, batch)."""
COMPILED_AFTER = 4
"""So many sizes are measured before torch.compile has its turn at the first one."""
COMPILE_SECONDS = 45.0
"""That one mode at one size is given."""
CELL_SECONDS = 12.0
"""Longest for a size and batch; the first, in which libraries start, has twice that."""
RESULTS = Path(__file__).parent / "results"


class Bench:
    """The file in the making, and the time that is left for it."""

    def __init__(self, bundle: Bundle, device: Device, budget: float, path: Path) -> None:
        self.bundle, self.device, self.path = bundle, device, path
        self.end = time.perf_counter() + budget
        self.engines: dict[str, Engine | str] = {}
        digest = hashlib.sha256(json.dumps(dict(bundle.spec.files), sort_keys=True).encode())
        self.result: dict[str, Any] = {
            "model": bundle.spec.name,
            "model_version": bundle.spec.version,
            "model_sha256": digest.hexdigest(),
            "graph": "local, its global vector given",
            "device": device.name,
            "budget": budget,
            "machine": device.about(),
            "floor": {},
            "copies": [],
            "rows": [],
        }

    @property
    def left(self) -> float:
        """Seconds of the budget."""
        return self.end - time.perf_counter()

    def write(self) -> None:
        """Put the file in place as it stands, whole."""
        self.result["seconds_left"] = self.left
        part = self.path.with_suffix(".part")
        part.write_text(json.dumps(self.result, indent=1) + "\n", encoding="utf-8")
        os.replace(part, self.path)

    def measure(self, made: list[Maker], side: int, batch: int, seconds: float) -> None:
        """Time engines at one size and batch, for at most about so many seconds."""
        until = time.perf_counter() + min(seconds, self.left)
        rows = [
            {"engine": name, "precision": precision, "size": side, "batch": batch}
            for name, precision, _ in made
        ]
        self.result["rows"] += rows
        try:
            cell = Cell(self.bundle, self.device, side, batch)
        except Exception as error:
            for row in rows:
                row["error"] = " ".join(str(error).split())
            return
        self.result["picture"] = cell.picture
        entrants = [self._entrant(maker, row) for maker, row in zip(made, rows, strict=True)]
        take_cell(cell, entrants, until, self._exact(cell))
        for row in rows:
            judge(row, cell, self.result["floor"])
        if not any(c["size"] == side and c["batch"] == batch for c in self.result["copies"]):
            self.result["copies"].append({"size": side, "batch": batch, **cell.copies()})

    def _entrant(self, maker: Maker, row: dict[str, Any]) -> Entrant:
        name, _, make = maker
        if name not in self.engines:
            try:
                self.engines[name] = make()
            except Exception as error:
                self.engines[name] = " ".join(str(error).split())[:300]
        engine = self.engines[name]
        if isinstance(engine, str):
            row["error"] = engine
            return Entrant(None, row)
        return Entrant(engine, row)

    def _exact(self, cell: Cell) -> torch.Tensor | None:
        """PyTorch's a*b* in fp32; none where it does not run."""
        engine = self.engines.get("torch fp32")
        if engine is None or isinstance(engine, str):
            return None
        try:
            return exact_chroma(cell, engine)
        except Exception:  # its own row will say why
            return None


def planned(sizes: list[int], batches: list[int]) -> list[tuple[int, int]]:
    """All sizes and batches, the most telling ones first."""
    every = [(size, batch) for batch in batches for size in sizes]
    first = [pair for pair in FIRST if pair in every]
    rest = [pair for pair in every if pair not in first]
    return first + sorted(rest, key=lambda pair: pair[0] ** 2 * pair[1])


def run(
    bench: Bench, sizes: list[int], batches: list[int], *, skip: str, compile_too: bool
) -> None:
    """Fill the file within the budget, without engines whose name holds the pattern `skip`."""
    gpu = bench.device.is_gpu
    side, copied = (8192, 2**31) if gpu else (256, 2**22)
    bench.result["floor"] = floor(bench.device, side=side, copy_bytes=copied)
    bench.write()
    made = [m for m in makers(bench.bundle, bench.device) if not (skip and re.search(skip, m[0]))]
    cells = planned(sizes, batches)
    modes = compiled(bench.bundle, bench.device) if compile_too else []
    for number, (size, batch) in enumerate(cells):
        if number == COMPILED_AFTER and modes and bench.left > 2 * COMPILE_SECONDS:
            _compile(bench, modes[0], *cells[0])
            modes = modes[1:]
        if bench.left < 2:
            break
        longest = CELL_SECONDS * (1 if number else 2)
        bench.measure(made, size, batch, min(longest, bench.left * 0.5))
        bench.write()
        click.echo(f"{size} x{batch}: {bench.left:.0f} s left", err=True)
    for mode in modes:
        if bench.left > COMPILE_SECONDS:
            _compile(bench, mode, *cells[0])


def _compile(bench: Bench, mode: Maker, size: int, batch: int) -> None:
    bench.measure([mode], size, batch, COMPILE_SECONDS)
    bench.write()
    click.echo(f"{mode[0]} at {size} x{batch}: {bench.left:.0f} s left", err=True)


def _numbers(text: str) -> list[int]:
    return [int(number) for number in text.split(",")]


@click.command()
@click.option("--model", default="iizuka2016", show_default=True)
@click.option("--device", type=click.Choice(("cuda", "cpu")), default="cuda", show_default=True)
@click.option("--sizes", default=",".join(map(str, SIZES)), show_default=True)
@click.option("--batches", default=",".join(map(str, BATCHES)), show_default=True)
@click.option("--budget", default=150.0, show_default=True, metavar="SECONDS")
@click.option("--compile/--no-compile", "compile_too", default=True, show_default=True)
@click.option("--skip", default="", metavar="PATTERN", help="Engines by a part of their name.")
@click.option("--json", "json_file", type=click.Path(path_type=Path))
def main(
    model: str,
    device: str,
    sizes: str,
    batches: str,
    budget: float,
    compile_too: bool,
    skip: str,
    json_file: Path | None,
) -> None:
    """Time MODEL on the GPU and print a table in Markdown."""
    start = time.perf_counter()
    if device == "cuda" and not torch.cuda.is_available():
        raise click.ClickException(
            f"PyTorch {torch.__version__} finds no GPU; one was needed; rehearse with --device cpu"
        )
    with opened_model(model) as bundle:
        where = Device(device)
        gpu = torch.cuda.get_device_name() if where.is_gpu else "cpu"
        name = re.sub("[^a-z0-9]+", "-", gpu.lower()).strip("-")
        path = json_file or RESULTS / f"gpu-{name}.json"
        bench = Bench(bundle, where, budget - (time.perf_counter() - start), path)
        run(bench, _numbers(sizes), _numbers(batches), skip=skip, compile_too=compile_too)
    click.echo(table(bench.result))


if __name__ == "__main__":
    main()
