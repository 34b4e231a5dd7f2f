"""A GPU with its events, or the CPU with a clock in its place: what gpu.py times on, and its floor.

Times on the GPU are between two CUDA events on the stream that all engines are given, so that
launches count where they keep the GPU waiting. The CPU is there to rehearse.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from typing import Any

import torch
from gpu_protocol import Output

from trtcolor.bench.surroundings import surroundings
from trtcolor.measure import Measurement

PRODUCTS = {
    "fp32": torch.float32,
    "tf32": torch.float32,
    "fp16": torch.float16,
    "bf16": torch.bfloat16,
}
FLOOR_RUNS = 20
FLOOR_SECONDS = 1.0
"""For each product."""


class Device:
    """Where tensors lie and how work on them is timed.

    Args:
        name: ``cuda``, the first GPU, or ``cpu``.

    Attributes:
        stream: handle of the stream for others than PyTorch; None on the CPU.

    Raises:
        RuntimeError: no GPU answers PyTorch.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.stream: int | None = None
        if name == "cuda":
            stream = torch.cuda.Stream()
            torch.cuda.set_stream(stream)
            self.stream = stream.cuda_stream
            torch.backends.cudnn.benchmark = True

    @property
    def is_gpu(self) -> bool:
        """Whether it is more than a rehearsal."""
        return self.name == "cuda"

    def set_tf32(self, on: bool) -> None:
        """Whether PyTorch's products of float32 are rounded to TF32 before they are multiplied."""
        torch.backends.cudnn.allow_tf32 = on
        torch.backends.cuda.matmul.allow_tf32 = on

    def times(self, function: Callable[[], object], runs: int) -> list[float]:
        """Seconds of each of some runs, one queued behind the other."""
        if not self.is_gpu:
            values = []
            for _ in range(runs):
                start = time.perf_counter()
                function()
                values.append(time.perf_counter() - start)
            return values
        events = [
            (torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True))
            for _ in range(runs)
        ]
        self.synchronize()
        for start, end in events:
            start.record()
            function()
            end.record()
        self.synchronize()
        return [start.elapsed_time(end) / 1000 for start, end in events]

    def synchronize(self) -> None:
        """Wait until all that was queued is done."""
        if self.is_gpu:
            torch.cuda.synchronize()

    def free_memory(self) -> int:
        """Bytes that can be taken now, what PyTorch holds unused given back."""
        if self.is_gpu:
            torch.cuda.empty_cache()
            return torch.cuda.mem_get_info()[0]
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_AVPHYS_PAGES")

    def about(self) -> dict[str, Any]:
        """The machine, its versions, and of a GPU what PyTorch knows of it."""
        entries: dict[str, Any] = {**surroundings(), "torch_cuda": torch.version.cuda}
        entries["cudnn"] = torch.backends.cudnn.version()
        if self.is_gpu:
            properties = torch.cuda.get_device_properties(0)
            entries["gpu"] = properties.name
            entries["multiprocessors"] = properties.multi_processor_count
            entries["gpu_memory"] = properties.total_memory
            entries["compute_capability"] = f"{properties.major}.{properties.minor}"
        return entries


def floor(device: Device, *, side: int, copy_bytes: int) -> dict[str, dict[str, Any]]:
    """What the device does at best: matrix products by precision, and a copy within its memory.

    Args:
        device: to measure.
        side: of the square matrices, of normal random numbers.
        copy_bytes: of the array that is copied.

    Returns:
        By precision, and for ``copy``: ``work`` (FLOPs, or bytes read and written), ``rate`` (work
        a second at the median), and the measurement.
    """
    found = {}
    for precision, dtype in PRODUCTS.items():
        if precision == "tf32" and not device.is_gpu:
            continue
        device.set_tf32(precision == "tf32")
        a, b = (torch.randn(side, side, device=device.name).to(dtype) for _ in range(2))
        out = torch.empty_like(a)
        found[precision] = _rate(
            device, 2.0 * side**3, lambda a=a, b=b, o=out: torch.mm(a, b, out=o)
        )
    device.set_tf32(False)
    source = torch.randint(0, 255, (copy_bytes,), dtype=torch.uint8, device=device.name)
    target = torch.empty_like(source)
    found["copy"] = _rate(device, 2.0 * copy_bytes, lambda: target.copy_(source))
    return found


def copies(device: Device, arrays: Mapping[str, Output], runs: int) -> dict[str, Any]:
    """Times of arrays of these shapes and types from pinned main memory to the device, or back.

    Args:
        arrays: like those of ``to_device`` and ``from_device``.
    """
    found = {}
    for way, like in arrays.items():
        host = torch.ones(like.shape, dtype=like.dtype, pin_memory=device.is_gpu)
        there = host.to(device.name, copy=True)
        source, target = (host, there) if way == "to_device" else (there, host)
        found[way] = _measured(
            device, lambda s=source, t=target: t.copy_(s, non_blocking=True), way, runs
        )
    return found


def _rate(device: Device, work: float, function: Callable[[], object]) -> dict[str, Any]:
    device.times(function, 2)
    (once,) = device.times(function, 1)
    runs = max(3, min(FLOOR_RUNS, int(FLOOR_SECONDS / once)))
    measurement = Measurement("", tuple(device.times(function, runs)))
    return {"work": work, "rate": work / measurement.median, **measurement.to_dict()}


def _measured(
    device: Device, function: Callable[[], object], name: str, runs: int
) -> dict[str, Any]:
    device.times(function, 2)
    return Measurement(name, tuple(device.times(function, runs))).to_dict()
