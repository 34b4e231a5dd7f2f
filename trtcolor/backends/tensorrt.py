"""TensorRT and TensorRT-RTX on an NVIDIA GPU: plans run through one code path."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from trtcolor.backends import _cuda
from trtcolor.backends._tensorrt import import_tensorrt, in_own_thread
from trtcolor.backends._tensorrt_engine import Engine
from trtcolor.backends._tensorrt_jit import CacheFile, Jit, Specialization
from trtcolor.backends._tensorrt_plan import Plan, closed_error
from trtcolor.backends._tensorrt_slots import Streams
from trtcolor.backends.base import FrameGraphs, Pending
from trtcolor.backends.frame_plans import FramePlans
from trtcolor.errors import BackendError

if TYPE_CHECKING:
    from trtcolor.backends.device_arrays import DeviceArray
    from trtcolor.color import Gamut
    from trtcolor.geometry import Render


class TensorRTRunner:
    """A `trtcolor.backends.base.DeviceRunner` of plans.

    A plan is deserialised when its graph is first run or loaded. Deserialising runs code that is
    in the plan: give only plans from `trtcolor.engines` or from someone trusted.

    Runs of a shape on the same memory are replayed as a CUDA graph: by TensorRT-RTX itself, of
    TensorRT from the third one on. `run` and `start` copy through page-locked memory, so that the
    copies of one run overlap the work of another; once the buffers have grown to the largest shape
    nothing is allocated on the device.

    Args:
        backend: ``tensorrt`` or ``tensorrt-rtx``, which built the plans, in the same version.
        plans: bytes by the name of the graph.
        device: index of the GPU.
        frames: what the plans before and behind the network do; None: there are none.
        specialization: of TensorRT-RTX's kernels to a shape: ``lazy``, ``eager`` or ``none``.
        cache: where TensorRT-RTX keeps the kernels that it compiles; None: nowhere.

    Raises:
        BackendError: the module does not import, or there is no such GPU.
    """

    def __init__(
        self,
        backend: str,
        plans: Mapping[str, bytes],
        *,
        device: int = 0,
        frames: FramePlans | None = None,
        specialization: Specialization = "lazy",
        cache: CacheFile | None = None,
    ) -> None:
        self.name = backend
        self._api = import_tensorrt(backend)
        self.gpu = _cuda.probe(device)
        self.index = device
        self.device = f"cuda:{device}"
        self._frames = frames
        self._bytes = dict(plans)
        self._plans: dict[str, Plan] = {}
        self._jit = Jit(self._api, specialization, cache)
        self._streams: Streams | None = None
        self._closed = False
        self._lock = threading.Lock()

    @property
    def notes(self) -> tuple[str, ...]:
        """What the GPU or TensorRT did not allow so far, a sentence each; runs are right anyway."""
        with self._lock:
            plans = tuple(self._plans.values())
        return (*self._jit.notes, *(note for plan in plans for note in plan.notes))

    def run(
        self, graph: str, inputs: Mapping[str, NDArray[np.float32]], outputs: Sequence[str]
    ) -> list[NDArray[np.float32]]:
        """Run a graph; see `trtcolor.backends.base.Runner.run`."""
        return self.start(graph, inputs, outputs).result()

    def start(
        self, graph: str, inputs: Mapping[str, NDArray[Any]], outputs: Sequence[str]
    ) -> Pending:
        """Begin a run; see `trtcolor.backends.base.DeviceRunner.start`."""
        return self._plan(graph).start(inputs, outputs)

    def enqueue(
        self,
        graph: str,
        inputs: Mapping[str, DeviceArray],
        outputs: Mapping[str, DeviceArray],
        stream: _cuda.Stream,
    ) -> None:
        """Put a run into a stream; see `trtcolor.backends.base.DeviceRunner.enqueue`.

        Runs of one graph come one after the other, whichever streams they are put into.
        """
        self._plan(graph).enqueue(inputs, outputs, stream)

    def frame_graphs(self, render: Render, gamut: Gamut, channels: int) -> FrameGraphs:
        """Names of the plans around the network; see `trtcolor.backends.base.DeviceRunner`."""
        if self._frames is None:
            raise BackendError(
                f"frames in GPU memory came for an engine of {self.name} without plans for frames; "
                "such were needed; run: trtcolor build-engine --frames"
            )
        return self._frames.graphs(render, gamut, channels)

    def load(self, graph: str) -> None:
        """Deserialise a graph's plan; see `trtcolor.backends.base.BackendRunner.load`."""
        self._plan(graph)

    def close(self) -> None:
        """Free plans, contexts and buffers; a later run raises BackendError."""
        with self._lock:
            self._closed = True
            self._bytes.clear()
            self._jit.save()
            for plan in self._plans.values():
                plan.close()
            self._plans.clear()
            if self._streams is not None:
                self._streams.close()
                self._streams = None

    def _plan(self, name: str) -> Plan:
        with self._lock:
            if self._closed:
                raise closed_error(name)
            if name not in self._plans:
                if name not in self._bytes:
                    known = ", ".join(sorted({*self._bytes, *self._plans})) or "none"
                    raise BackendError(
                        f"graph {name!r} was to run on {self.name}; one of {known} was needed; "
                        "build its engine"
                    )
                self._plans[name] = in_own_thread(lambda: self._loaded(name))
                del self._bytes[name]  # the engine has its own copy
            return self._plans[name]

    def _loaded(self, name: str) -> Plan:
        with _cuda.using(self.index):
            if self._streams is None:
                self._streams = Streams.new()
            engine = Engine.load(self._api, self.name, name, self._bytes[name], self._jit)
            return Plan(self._api, engine, self.index, self._streams)
