"""A TensorRT for gpu.py: an engine of trtcolor's own, in the stream, on the tensors' memory."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import click
from gpu_device import Device
from gpu_protocol import Output, Run, Tensors
from torch import Tensor

from trtcolor.backends import _cuda
from trtcolor.backends.base import DeviceRunner
from trtcolor.backends.device_arrays import DeviceArray
from trtcolor.backends.frame_plans import FramePlans
from trtcolor.bundle import Bundle
from trtcolor.engines.build import build_engine
from trtcolor.engines.load import open_engine
from trtcolor.engines.profile import ShapeProfile
from trtcolor.errors import EngineError

GRAPH = "local"
RENDER = "full"
"""Frames are seen by the network as they are."""
COMMON = 1024
"""Pixels of the size that engines are to be best at."""


@dataclass
class TensorRTEngine:
    """The newest engine of the model in the user's cache of engines (``trtcolor build-engine``).

    Args:
        backend: ``tensorrt`` or ``tensorrt-rtx``.

    Raises:
        EngineError: there is none that runs here.
        BackendError: the TensorRT is not installed, or no GPU answers.
    """

    name: str
    precision: str
    device: Device
    bundle: Bundle
    backend: str

    def __post_init__(self) -> None:
        precision: Any = self.precision
        runner = open_engine(self.bundle, self.backend, precision=precision)
        if not isinstance(runner, DeviceRunner):
            runner.close()
            raise EngineError(
                f"engines of {self.backend} take no memory of the GPU; a runner that does was "
                "needed; leave this row out with --skip"
            )
        self._runner = runner

    def bind(self, inputs: Tensors, output: Output) -> Run:
        runner, stream = self._runner, _cuda.Stream(self.device.stream)
        result = output.empty(self.device.name)
        given = {name: lent(tensor) for name, tensor in inputs.items()}
        written = {output.name: lent(result)}

        def run() -> Tensor:
            runner.enqueue(GRAPH, given, written, stream)
            return result

        return run

    def begin(self) -> None:
        pass

    def release(self) -> None:
        pass  # its maps are the runner's, which shares them between sizes


def build(bundle: Bundle, backend: str, sizes: Sequence[int], batches: Sequence[int]) -> None:
    """Build the engine for these sizes and batches in fp16, with plans for frames, or find it.

    Its colours may be as far off as they like: weights may be random, and what each engine differs
    by stands in its row.
    """
    largest = max(sizes)
    common = min(sizes, key=lambda size: abs(size - COMMON))
    profile = ShapeProfile(
        (1, min(sizes), min(sizes)),
        (1, common, common),
        (max(batches), largest, largest),
    )
    build_engine(
        bundle.path,
        backend=backend,
        precision="fp16",
        profiles=[profile],
        frames=FramePlans(render=RENDER),
        accept_error=True,
        say=lambda line: click.echo(line, err=True),
    )


def lent(tensor: Tensor) -> DeviceArray:
    """A contiguous tensor's memory, which it keeps."""
    kind = str(tensor.dtype).removeprefix("torch.")
    return DeviceArray(tensor.data_ptr(), tuple(tensor.shape), kind, 0, owner=tensor)
