"""A stand-in for `tensorrt` or `tensorrt_rtx` over the stand-in for CUDA (recording_cuda.py).

A plan stands for an ONNX graph and its profiles. A context reads and writes the addresses that it
was given, by ONNX Runtime, when its stream comes to it; so results are real. What NVIDIA's
documentation asks of a caller is asked here too, as far as it can be seen: shapes within a profile,
addresses and activation memory that are somebody's, a plain run before a capture, no replay after
the context has changed, and one run of an engine after the other.
"""

from __future__ import annotations

import ctypes
import enum
import itertools
import math
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
from fake_kernels import FakeRuntimeConfig
from recording_cuda import RecordingRuntime

from trtcolor.backends._profiles import Profile, Shape


class ILogger:
    """Severities as numbers; the base of trtcolor's logger."""

    INTERNAL_ERROR, ERROR, WARNING, INFO, VERBOSE = range(5)

    def log(self, severity: int, message: str) -> None:
        raise NotImplementedError


class FakeTensorRT:
    """Takes the place of the module.

    Args:
        runtime: the stand-in for CUDA; calls of contexts are noted in its `calls` too.
        rtx: whether it is TensorRT-RTX.

    Attributes:
        failures: for each call that is to fail, by name, the error that it logs; taken once.
        contexts: that were made, by the number of their making.
        tells_activation: whether contexts say how much memory a shape needs, or engines for all.
    """

    ILogger = ILogger
    TensorIOMode = enum.Enum("TensorIOMode", "INPUT OUTPUT")
    ExecutionContextAllocationStrategy = enum.Enum("Strategy", "STATIC USER_MANAGED")

    def __init__(self, runtime: RecordingRuntime, *, rtx: bool) -> None:
        self.cuda = runtime
        self.__version__ = "1.7.1.116" if rtx else "11.4.0.106"
        self.failures: dict[str, str] = {}
        self.contexts: list[FakeContext] = []
        self.plans: dict[bytes, tuple[bytes, Sequence[Profile]]] = {}
        self.log: Any = None
        self.tells_activation = True
        if rtx:
            self.CudaGraphStrategy = enum.Enum("CudaGraphStrategy", "DISABLED WHOLE_GRAPH_CAPTURE")
            self.DynamicShapesKernelSpecializationStrategy = enum.Enum("S", "LAZY EAGER NONE")

    def plan(self, graph: onnx.ModelProto, *profiles: Profile) -> bytes:
        """A plan of a graph."""
        token = b"plan %d" % len(self.plans)
        self.plans[token] = graph.SerializeToString(), profiles
        return token

    def nptype(self, dtype: np.dtype[Any]) -> np.dtype[Any]:
        return dtype

    def Runtime(self, log: Any) -> Any:
        self.log = log
        return SimpleNamespace(deserialize_cuda_engine=self._deserialize)

    def _deserialize(self, plan: bytes) -> Any:
        if plan not in self.plans:
            self.log.log(ILogger.ERROR, "magic tag does not match")
            return None
        return FakeEngine(self, *self.plans[plan])

    def done(self, call: str, *arguments: Any) -> bool:
        """Note a call of a context; False where it is to fail."""
        self.cuda.calls.append((call, arguments))
        if call in self.failures:
            return self.refuse(self.failures.pop(call))
        return True

    def refuse(self, reason: str) -> bool:
        self.log.log(ILogger.ERROR, reason)
        return False


class FakeEngine:
    def __init__(self, api: FakeTensorRT, graph: bytes, profiles: Sequence[Profile]) -> None:
        self.api = api
        self.profiles = profiles
        self.session = onnxruntime.InferenceSession(graph, providers=["CPUExecutionProvider"])
        self.inputs = [value.name for value in self.session.get_inputs()]
        self.outputs = [value.name for value in self.session.get_outputs()]
        values = (*self.session.get_inputs(), *self.session.get_outputs())
        self.types = {v.name: _dtype(v.type) for v in values}
        self.num_io_tensors = len(values)
        self.device_memory_size_v2 = 0 if api.tells_activation else 1 << 20
        self.num_optimization_profiles = len(profiles)
        self.enqueued, self.ran = itertools.count(), itertools.count()
        self._shapes: dict[tuple[Shape, ...], dict[str, Shape]] = {}

    def get_tensor_name(self, index: int) -> str:
        return [*self.inputs, *self.outputs][index]

    def get_tensor_mode(self, name: str) -> Any:
        mode = self.api.TensorIOMode
        return mode.INPUT if name in self.inputs else mode.OUTPUT

    def get_tensor_dtype(self, name: str) -> np.dtype[Any]:
        return self.types[name]

    def is_shape_inference_io(self, name: str) -> bool:
        return False

    def get_tensor_profile_shape(self, name: str, index: int) -> Sequence[Shape]:
        return self.profiles[index][name]

    def create_execution_context(self, how: Any) -> FakeContext | None:
        if not self.api.done("create_execution_context", how):
            return None
        self.api.contexts.append(FakeContext(self, how))
        return self.api.contexts[-1]

    def create_runtime_config(self) -> FakeRuntimeConfig:
        return FakeRuntimeConfig()

    def output_shapes(self, shapes: tuple[Shape, ...]) -> dict[str, Shape]:
        if shapes not in self._shapes:
            given = {
                name: np.zeros(shape, self.types[name])
                for name, shape in zip(self.inputs, shapes, strict=True)
            }
            found = self.session.run(self.outputs, given)
            self._shapes[shapes] = {
                name: array.shape for name, array in zip(self.outputs, found, strict=True)
            }
        return self._shapes[shapes]


class FakeContext:
    """Attributes: how: what it was made with; changes: how often what it runs on was changed."""

    def __init__(self, engine: FakeEngine, how: Any) -> None:
        self._engine = engine
        self._api = engine.api
        self.how = how
        self.active_optimization_profile = 0
        self.changes = 0
        self._ran_at = -1
        self._shapes: dict[str, Shape] = {}
        self._addresses: dict[str, int] = {}
        self._memory = (0, 0)

    def set_optimization_profile_async(self, index: int, stream: int) -> bool:
        self._shapes.clear()
        self.changes += 1
        self.active_optimization_profile = index
        return self._api.done("set_optimization_profile_async", index, stream)

    def set_input_shape(self, name: str, shape: Shape) -> bool:
        low, _, high = self._engine.profiles[self.active_optimization_profile][name]
        if not all(a <= n <= b for a, n, b in zip(low, shape, high, strict=True)):
            return self._api.refuse(f"{name} is out of the profile")
        self._shapes[name] = shape
        self.changes += 1
        return self._api.done("set_input_shape", name, shape)

    def infer_shapes(self) -> list[str]:
        return [name for name in self._engine.inputs if name not in self._shapes]

    def get_tensor_shape(self, name: str) -> Shape:
        return self._engine.output_shapes(self._input_shapes())[name]

    def update_device_memory_size_for_shapes(self) -> int:
        self._memory = (0, 0)
        return self._needed() if self._api.tells_activation else 0

    def set_device_memory(self, address: int, size: int) -> None:
        self._memory = address, size
        self.changes += 1
        self._api.done("set_device_memory", address, size)

    def set_tensor_address(self, name: str, address: int) -> bool:
        if address % 256:
            return self._api.refuse(f"the address of {name} is not aligned")
        self._addresses[name] = address
        self.changes += 1
        return self._api.done("set_tensor_address", name, address)

    def execute_async_v3(self, stream: int) -> bool:
        if not self._api.done("execute_async_v3", stream):
            return False
        cuda, engine = self._api.cuda, self._engine
        captured = cuda._streams[stream].capture is not None
        if captured and self._ran_at != self.changes:
            return self._api.refuse("it has not run with these shapes before it is captured")
        needed = {*engine.inputs, *engine.outputs}
        if set(self._addresses) != needed or set(self._shapes) != set(engine.inputs):
            return self._api.refuse("a shape or an address is missing")
        if self._memory[1] < self._needed():
            return self._api.refuse("its activation memory does not suffice")
        self._ran_at = self.changes
        cuda.enqueue(stream, self._work(captured))
        return True

    def _work(self, captured: bool) -> Callable[[], None]:
        engine, changes = self._engine, self.changes
        shapes, addresses, memory = dict(self._shapes), dict(self._addresses), self._memory
        number = -1 if captured else next(engine.enqueued)

        def work() -> None:
            if captured:
                assert self.changes == changes, "a graph is replayed whose context has changed"
            else:
                assert next(engine.ran) == number, "two runs of an engine are out of order"
            for address in (*addresses.values(), memory[0]):
                assert self._held(address), "a run works on memory that was freed"
            given = {n: _view(addresses[n], shapes[n], engine.types[n]) for n in engine.inputs}
            found = engine.session.run(engine.outputs, given)
            for name, array in zip(engine.outputs, found, strict=True):
                _view(addresses[name], array.shape, array.dtype)[...] = array

        return work

    def _held(self, address: int) -> bool:
        blocks = self._api.cuda._memory.items()
        return any(start <= address < start + max(size, 1) for start, (_, size, _) in blocks)

    def _input_shapes(self) -> tuple[Shape, ...]:
        return tuple(self._shapes[name] for name in self._engine.inputs)

    def _needed(self) -> int:
        return 16 * sum(map(math.prod, self._input_shapes()))


@contextmanager
def installed(runtime: RecordingRuntime, *, rtx: bool) -> Iterator[FakeTensorRT]:
    """The stand-in as the module that the backend imports, for a while."""
    api = FakeTensorRT(runtime, rtx=rtx)
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(sys.modules, "tensorrt_rtx" if rtx else "tensorrt", api)  # type: ignore[arg-type]
        yield api


def _dtype(text: str) -> np.dtype[Any]:
    """Of what ONNX Runtime calls e.g. ``tensor(float)``."""
    name = text.removeprefix("tensor(").removesuffix(")")
    return np.dtype({"float": "float32", "double": "float64"}.get(name, name))


def _view(address: int, shape: Shape, dtype: np.dtype[Any]) -> Any:
    size = math.prod(shape) * dtype.itemsize
    memory = (ctypes.c_char * size).from_address(address)
    return np.frombuffer(memory, dtype, math.prod(shape)).reshape(shape)
