"""TensorRT and TensorRT-RTX on an NVIDIA GPU: plans run through one code path."""

from __future__ import annotations

import math
import threading
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trtcolor.backends import _cuda
from trtcolor.backends._profiles import Shape, choose_profile, engine_profiles
from trtcolor.backends._tensorrt import (
    MODULES,
    Messages,
    deserialize,
    import_tensorrt,
    in_own_thread,
    logger,
    one_line,
)
from trtcolor.errors import BackendError


class TensorRTRunner:
    """A `trtcolor.backends.base.Runner` of plans.

    A plan is deserialised when its graph is first run or loaded. Deserialising runs code that is
    in the plan: give only plans from `trtcolor.engines` or from someone trusted.

    Args:
        backend: ``tensorrt`` or ``tensorrt-rtx``, which built the plans, in the same version.
        plans: bytes by the name of the graph.
        device: index of the GPU.

    Raises:
        BackendError: the module does not import, or there is no such GPU.
    """

    def __init__(self, backend: str, plans: Mapping[str, bytes], *, device: int = 0) -> None:
        self.name = backend
        self._api = import_tensorrt(backend)
        self.gpu = _cuda.probe(device)
        self._index = device
        self.device = f"cuda:{device}"
        self._plans = dict(plans)
        self._graphs: dict[str, _Graph] = {}
        self._closed = False
        self._lock = threading.Lock()

    def run(
        self, graph: str, inputs: Mapping[str, NDArray[np.float32]], outputs: Sequence[str]
    ) -> list[NDArray[np.float32]]:
        """Run a graph; see `trtcolor.backends.base.Runner.run`."""
        return self._graph(graph).run(inputs, outputs)

    def load(self, graph: str) -> None:
        """Deserialise a graph's plan; see `trtcolor.backends.base.BackendRunner.load`."""
        self._graph(graph)

    def close(self) -> None:
        """Free plans, contexts and buffers; a later `run` raises BackendError."""
        with self._lock:
            self._closed = True
            self._plans.clear()
            for graph in self._graphs.values():
                graph.close()
            self._graphs.clear()

    def _graph(self, name: str) -> _Graph:
        with self._lock:
            if self._closed:
                raise closed_error(name)
            if name not in self._graphs:
                if name not in self._plans:
                    raise BackendError(
                        f"graph {name!r} was to run on {self.name}; one of "
                        f"{', '.join(sorted(self._plans)) or 'none'} was needed; build its engine"
                    )
                plan, index = self._plans[name], self._index
                self._graphs[name] = in_own_thread(
                    lambda: _Graph(self._api, self.name, name, plan, index)
                )
                del self._plans[name]  # the engine has its own copy
            return self._graphs[name]


class _Graph:
    """One plan with its context, stream and buffers; one run at a time."""

    def __init__(self, api: Any, backend: str, name: str, plan: bytes, device: int) -> None:
        self._title = f"{MODULES[backend].title} {api.__version__}"
        self._name = name
        self._device = device
        self._lock = threading.Lock()
        self._log = logger(api)
        _cuda.call("cudaSetDevice", device)
        self._runtime, self._engine = deserialize(api, backend, name, plan)
        with self._log.collect() as messages:
            self._context = self._engine.create_execution_context()
        if self._context is None:
            raise self._failure("made no context for", messages.reason())
        engine = self._engine
        names = [engine.get_tensor_name(index) for index in range(engine.num_io_tensors)]
        self._inputs = [n for n in names if engine.get_tensor_mode(n) == api.TensorIOMode.INPUT]
        self._outputs = [n for n in names if n not in self._inputs]
        self._types = {n: np.dtype(api.nptype(engine.get_tensor_dtype(n))) for n in names}
        self._profiles = engine_profiles(engine, self._inputs)
        self._buffers = {n: _cuda.Buffer() for n in names}
        self._stream: _cuda.Stream | None = _cuda.Stream()

    def run(
        self, inputs: Mapping[str, NDArray[Any]], outputs: Sequence[str]
    ) -> list[NDArray[np.float32]]:
        self._check(inputs, outputs)
        arrays = {n: np.ascontiguousarray(array, self._types[n]) for n, array in inputs.items()}
        with self._lock, self._log.collect() as messages:
            if self._stream is None:
                raise closed_error(self._name)
            _cuda.call("cudaSetDevice", self._device)  # it is the calling thread's own
            self._set_shapes({n: a.shape for n, a in arrays.items()}, self._stream, messages)
            for name, array in arrays.items():
                self._buffers[name].upload(array, self._stream)
            shapes = {name: tuple(self._context.get_tensor_shape(name)) for name in self._outputs}
            for name, shape in shapes.items():
                self._buffers[name].reserve(math.prod(shape) * self._types[name].itemsize)
            for name, buffer in self._buffers.items():
                done = self._context.set_tensor_address(name, buffer.address)
                self._need(done, messages, "refuses an address of")
            done = self._context.execute_async_v3(self._stream.handle)
            self._need(done, messages, "did not run")
            results = [
                self._buffers[name].download(shapes[name], self._types[name], self._stream)
                for name in outputs
            ]
            self._stream.synchronize()
            return results

    def _set_shapes(
        self, shapes: Mapping[str, Shape], stream: _cuda.Stream, messages: Messages
    ) -> None:
        context = self._context
        index = choose_profile(self._name, self._profiles, shapes)
        if context.active_optimization_profile != index:
            done = context.set_optimization_profile_async(index, stream.handle)
            self._need(done, messages, "did not switch the profile of")
        for name, shape in shapes.items():
            done = context.set_input_shape(name, shape)
            self._need(done, messages, f"refuses the shape of {name} for")
        try:
            missing = context.infer_shapes()
        except RuntimeError as error:
            raise self._failure("cannot infer the shapes of", one_line(error)) from None
        self._need(not missing, messages, f"does not know the shape of {missing} for")

    def close(self) -> None:
        with self._lock:
            if self._stream is None:
                return
            _cuda.call("cudaSetDevice", self._device)
            self._stream.synchronize()
            self._context = self._engine = self._runtime = None  # in this order
            for buffer in self._buffers.values():
                buffer.close()
            self._stream.close()
            self._stream = None

    def _check(self, inputs: Mapping[str, NDArray[Any]], outputs: Sequence[str]) -> None:
        unknown = [name for name in outputs if name not in self._outputs]
        if set(inputs) != set(self._inputs) or unknown:
            raise BackendError(
                f"graph {self._name!r} was given {', '.join(sorted(inputs)) or 'nothing'} and asked"
                f" for {', '.join(outputs) or 'nothing'}; it takes {', '.join(self._inputs)} and "
                f"gives {', '.join(self._outputs)}; check the inputs, or build the engine again"
            )

    def _need(self, done: bool, messages: Messages, verb: str) -> None:
        if not done:
            raise self._failure(verb, messages.reason())

    def _failure(self, verb: str, reason: str) -> BackendError:
        return BackendError(
            f"{self._title} {verb} graph {self._name!r} ({reason}); check the inputs and the GPU's "
            "free memory, or build the engine again"
        )


def closed_error(graph: str) -> BackendError:
    return BackendError(
        f"graph {graph!r} was to run on a closed runner; an open one was needed; "
        "make a new Colorizer"
    )
