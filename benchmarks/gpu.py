"""PyTorch, ONNX Runtime and TensorRT on a GPU in one run: times, and their share of its best.

    python benchmarks/gpu.py [--budget 150] [--model MODEL] [--json FILE] [--build]
    python benchmarks/gpu.py --device cpu --sizes 16,32 --batches 1,2   (to rehearse it)

The local graph of a model runs on square pictures, its global vector given, as in a shot of film;
iizuka2016 has seeded random weights where it is not installed (timing only). Engines share the
process and its stream, get the same tensors, and take turns; a time is between two CUDA events, so
that copies, which are timed apart, are not in it. FLOPs are those of the exported graph, whatever
an engine makes of it. Then the same frames go the whole way, uint8 RGB in and out. A row that
cannot be had says why. The file is written after every size, and what the budget does not hold is
left out, the least telling sizes first.

TensorRT runs engines of trtcolor's own: those in the user's cache of engines, or with --build those
that are built first, which takes minutes and is not in the budget.
"""

from __future__ import annotations

import re
import time
from pathlib import Path
from typing import Any

import click
import torch
from gpu_bench import FRAMES, NETWORK, Bench
from gpu_device import Device, floor
from gpu_engines import compiled, is_variant, makers
from gpu_frames import frame_makers
from gpu_protocol import Maker
from gpu_table import table
from gpu_tensorrt import build

from trtcolor.backends.available import TENSORRT, available
from trtcolor.bench.run import opened_model
from trtcolor.bundle import Bundle
from trtcolor.errors import TrtcolorError

SIZES = (224, 512, 1024, 2048)
BATCHES = (1, 4, 16)
FIRST = ((1024, 1), (512, 1), (2048, 1), (224, 1), (1024, 16), (224, 16), (1024, 4), (512, 16))
"""What is measured before the rest, as (size, batch)."""
VARIANTS_UNTIL = 2
"""At so many sizes all ways of ONNX Runtime in fp16 are timed, then only the fastest goes on."""
FRAMES_AFTER = 3
"""So many sizes of the network are measured before those of whole frames."""
FRAME_CELLS = 3
COMPILED_AFTER = 4
"""So many sizes are measured before torch.compile has its turn at the first one."""
COMPILE_SECONDS = 45.0
"""That one mode at one size is given."""
CELL_SECONDS = 12.0
"""Longest for a size and batch; the first, in which libraries start, has twice that."""
FRAME_SECONDS = 8.0
"""The same for whole frames."""
RESULTS = Path(__file__).parent / "results"


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
    made = kept(makers(bench.bundle, bench.device), skip)
    cells = planned(sizes, batches)
    modes = kept(compiled(bench.bundle, bench.device), skip) if compile_too else []
    rows: list[dict[str, Any]] = []
    for number, (size, batch) in enumerate(cells):
        if number == VARIANTS_UNTIL:
            slow = slow_variants(rows)
            bench.result["left_out"] = slow
            made = [maker for maker in made if maker[0] not in slow]
        if number == min(FRAMES_AFTER, len(cells) - 1):
            _frames(bench, [cell for cell in cells if cell[1] == 1], skip)
        if number == COMPILED_AFTER and modes and bench.left > 2 * COMPILE_SECONDS:
            _compile(bench, modes[0], *cells[0])
            modes = modes[1:]
        if bench.left < 2:
            break
        longest = CELL_SECONDS * (1 if number else 2)
        rows = bench.measure(NETWORK, made, size, batch, min(longest, bench.left * 0.5))
        bench.write()
        click.echo(f"{size} x{batch}: {bench.left:.0f} s left", err=True)
    for mode in modes:
        if bench.left > COMPILE_SECONDS:
            _compile(bench, mode, *cells[0])


def _build(bundle: Bundle, sizes: list[int], batches: list[int]) -> None:
    """Engines of every TensorRT that is installed; the row of one that cannot be built says so."""
    for backend in (name for name in TENSORRT if available(name).problem is None):
        try:
            build(bundle, backend, sizes, batches)
        except TrtcolorError as error:
            click.echo(f"{backend}: {error}", err=True)


def kept(made: list[Maker], skip: str) -> list[Maker]:
    """Engines whose name does not hold a pattern; none is held by the empty one."""
    return [maker for maker in made if not (skip and re.search(skip, maker[0]))]


def slow_variants(rows: list[dict[str, Any]]) -> list[str]:
    """Names of the ways to the same end that are not the fastest by these rows."""
    timed = {row["engine"]: row["median"] for row in rows if "median" in row}
    ways = sorted((name for name in timed if is_variant(name)), key=lambda name: timed[name])
    return ways[1:]


def _frames(bench: Bench, cells: list[tuple[int, int]], skip: str) -> None:
    made = kept(frame_makers(bench.bundle, bench.device), skip)
    for size, batch in cells[:FRAME_CELLS]:
        if bench.left < FRAME_SECONDS:
            return
        bench.measure(FRAMES, made, size, batch, FRAME_SECONDS)
        bench.write()
        click.echo(f"frames of {size} x{batch}: {bench.left:.0f} s left", err=True)


def _compile(bench: Bench, mode: Maker, size: int, batch: int) -> None:
    bench.measure(NETWORK, [mode], size, batch, COMPILE_SECONDS)
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
@click.option("--build", "build_too", is_flag=True, help="First build TensorRT engines in fp16.")
@click.option("--json", "json_file", type=click.Path(path_type=Path))
def main(
    model: str,
    device: str,
    sizes: str,
    batches: str,
    budget: float,
    compile_too: bool,
    skip: str,
    build_too: bool,
    json_file: Path | None,
) -> None:
    """Time MODEL on the GPU and print a table in Markdown."""
    start = time.perf_counter()
    if device == "cuda" and not torch.cuda.is_available():
        raise click.ClickException(
            f"PyTorch {torch.__version__} finds no GPU; one was needed; rehearse with --device cpu"
        )
    with opened_model(model) as bundle:
        if build_too:
            _build(bundle, _numbers(sizes), _numbers(batches))
            start = time.perf_counter()
        where = Device(device)
        gpu = torch.cuda.get_device_name() if where.is_gpu else "cpu"
        name = re.sub("[^a-z0-9]+", "-", gpu.lower()).strip("-")
        path = json_file or RESULTS / f"gpu-{name}.json"
        bench = Bench(bundle, where, budget - (time.perf_counter() - start), path)
        run(bench, _numbers(sizes), _numbers(batches), skip=skip, compile_too=compile_too)
    click.echo(table(bench.result))


if __name__ == "__main__":
    main()
