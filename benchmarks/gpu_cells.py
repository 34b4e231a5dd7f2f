"""One size and batch of gpu.py: all engines on the same pictures, in turns, within a time."""

from __future__ import annotations

import math
import signal
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from gpu_device import Device, copies
from gpu_protocol import Engine, Output, Run, Tensors
from gpu_tensorrt import GRAPH

from trtcolor.bench.cost import Cost, graph_cost, graph_traffic
from trtcolor.bench.picture import grey_frames
from trtcolor.bundle import Bundle
from trtcolor.frames import frame_from_array
from trtcolor.measure import Measurement

WARMUP = 2
ROUNDS = 10
LEAST_ROUNDS = 3
TURN_SECONDS = 0.02
MOST_IN_TURN = 10
COPY_RUNS = 10
BYTES = {"fp32": 4, "tf32": 4, "fp16": 2, "bf16": 2}
SHARE_OF_MEMORY = 0.6
"""Of the free memory, for the maps of engines that take turns."""
PATIENCE = 4
"""How much longer than its share of the time an engine may take until it has run once."""
SPENT = "the time for this size was spent"
OVERHEAD = 2.5
"""Of an engine's memory over the maps that exist at once: layouts, workspaces, arenas."""


@dataclass
class Cell:
    """Pictures of one size.

    Args:
        bundle: whose local graph runs; its global vector, where it takes one, is the same
            random one for all pictures.
        side: of the square pictures in pixels, a multiple of the network's stride.
        batch: pictures at once.
    """

    bundle: Bundle
    device: Device
    side: int
    batch: int

    def __post_init__(self) -> None:
        frames, self.picture = grey_frames((self.side, self.side), self.batch)
        planes = np.stack([frame_from_array(frame).lightness for frame in frames])[:, None]
        arrays = {"lightness": planes}
        rule, path = self.bundle.spec.size, self.bundle.graph_path(GRAPH)
        shapes: dict[str, tuple[int, ...]] = {"lightness": planes.shape}
        if "global_features" in self.bundle.spec.graphs[GRAPH].inputs:
            width = _width(self.bundle)
            vector = np.random.default_rng(0).random((1, width), np.float32)
            arrays["global_features"] = np.repeat(vector, self.batch, axis=0)
            shapes["global_features"] = (self.batch, width)
        self.inputs: Tensors = {
            name: torch.from_numpy(np.ascontiguousarray(array)).to(self.device.name)
            for name, array in arrays.items()
        }
        side = self.side // rule.chroma_scale
        self.output = Output("chroma", (self.batch, 2, side, side))
        self.cost: Cost = graph_cost(path, shapes)
        self.traffic = graph_traffic(path, shapes)

    def copies(self) -> dict[str, Any]:
        """Of what goes in and comes out, apart from the network."""
        given = Output("lightness", tuple(self.inputs["lightness"].shape))
        both = {"to_device": given, "from_device": self.output}
        return copies(self.device, both, COPY_RUNS)

    def at_once(self) -> int:
        """How many engines the memory holds."""
        each = OVERHEAD * self.cost.activations + self.cost.weights
        return max(1, int(SHARE_OF_MEMORY * self.device.free_memory() / each))


@dataclass
class Entrant:
    """An engine in a cell: its values, or why it has none."""

    engine: Engine | None
    row: dict[str, Any]
    run: Run | None = None
    seconds: float = 0.0

    def __post_init__(self) -> None:
        self.values: list[float] = []


def take_cell(
    cell: Cell, entrants: Sequence[Entrant], until: float, exact: torch.Tensor | None = None
) -> None:
    """Time engines in turns until a reading of the clock; their rows are filled.

    Args:
        exact: the result in fp32, to tell each engine's largest difference from it.
    """
    size = cell.at_once()
    for first in range(0, len(entrants), size):
        group = entrants[first : first + size]
        left = until - time.perf_counter()
        done = time.perf_counter() + left * len(group) / (len(entrants) - first)
        for i, entrant in enumerate(group):
            share = (until - time.perf_counter()) / (len(entrants) - first - i)
            _open(cell, entrant, min(PATIENCE * share, until - time.perf_counter()), exact)
        _turns(cell.device, [e for e in group if e.run is not None], done)
        for entrant in group:
            _close(entrant)
        cell.device.free_memory()


def exact_result(cell: Cell, engine: Engine) -> torch.Tensor:
    """What an engine gives, kept."""
    engine.begin()
    result = engine.bind(cell.inputs, cell.output)().float().clone()
    engine.release()
    return result


def _open(cell: Cell, entrant: Entrant, seconds: float, exact: torch.Tensor | None) -> None:
    if entrant.engine is None:
        return
    if seconds <= 0:
        entrant.row["error"] = SPENT
        return
    start = time.perf_counter()
    try:
        with within(seconds):
            entrant.engine.begin()
            run = entrant.engine.bind(cell.inputs, cell.output)
            result = run()
            cell.device.synchronize()
            entrant.row["first_seconds"] = time.perf_counter() - start
            entrant.row["max_difference"] = _difference(result, exact)
            cell.device.times(run, WARMUP)
            (entrant.seconds,) = cell.device.times(run, 1)
    except Exception as error:  # out of memory, no kernel, a compiler's own: its row says so
        late = time.perf_counter() - start >= seconds  # compilers raise others in its place
        _fail(entrant, TimeoutError(_late(seconds)) if late else error)
    else:
        entrant.run = run


def _difference(result: torch.Tensor, exact: torch.Tensor | None) -> float | None:
    if not bool(torch.isfinite(result).all()):
        raise ValueError("the result is not finite; this engine is wrong at this precision")
    return None if exact is None else float((result.float() - exact).abs().max())


def _turns(device: Device, entrants: list[Entrant], until: float) -> None:
    """Rounds, every other one backwards."""
    for number in range(ROUNDS):
        if number >= LEAST_ROUNDS and time.perf_counter() >= until:
            break
        for entrant in entrants if number % 2 else reversed(entrants):
            if entrant.run is None or entrant.engine is None:
                continue
            runs = max(1, min(MOST_IN_TURN, math.ceil(TURN_SECONDS / max(entrant.seconds, 1e-6))))
            try:
                entrant.engine.begin()
                device.times(entrant.run, 1)  # what the caches hold is the last one's
                entrant.values += device.times(entrant.run, runs)
            except Exception as error:
                _fail(entrant, error)


def _close(entrant: Entrant) -> None:
    row = entrant.row
    if "error" not in row and entrant.values:
        row.update(Measurement(row["engine"], tuple(entrant.values)).to_dict())
    entrant.run = None
    if entrant.engine is not None:
        entrant.engine.release()


def _fail(entrant: Entrant, error: Exception) -> None:
    reason = " ".join(str(error).split())[:300] or type(error).__name__
    memory = "out of memory" in reason.lower() or "failed to allocate" in reason.lower()
    entrant.row["error"] = f"out of memory ({reason})" if memory else reason
    entrant.run = None


def judge(row: dict[str, Any], cell: Cell, floor: dict[str, dict[str, Any]]) -> None:
    """Hold a row's median to the floor: arithmetic at the measured peak, bytes at the copy's rate.

    The bytes are those of the graph layer by layer: each convolution reads its map and weights
    once and writes its own once, at the row's width; what stands between is taken to be fused.
    """
    precision = row["precision"]
    row["flops"] = cell.cost.flops
    row["bytes"] = cell.traffic * BYTES[precision]
    if "median" not in row or precision not in floor:
        return
    arithmetic = row["flops"] / floor[precision]["rate"]
    memory = row["bytes"] / floor["copy"]["rate"]
    row["flops_per_second"] = row["flops"] / row["median"]
    row["share_of_peak"] = arithmetic / row["median"]
    row["share_of_memory"] = memory / row["median"]
    row["floor_seconds"] = max(arithmetic, memory)
    row["share_of_floor"] = row["floor_seconds"] / row["median"]


@contextmanager
def within(seconds: float) -> Iterator[None]:
    """Raise TimeoutError in what takes longer; it comes when Python runs the next time."""

    def stop(number: int, frame: object) -> None:
        raise TimeoutError(_late(seconds))

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def _late(seconds: float) -> str:
    return f"not ready within {seconds:.0f} s, its share of the budget"


def _width(bundle: Bundle) -> int:
    """Length of the global vector: what the local graph's input declares."""
    import onnx

    graph = onnx.load(bundle.graph_path(GRAPH), load_external_data=False).graph
    (value,) = (value for value in graph.input if value.name == "global_features")
    return value.type.tensor_type.shape.dim[1].dim_value
