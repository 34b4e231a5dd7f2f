"""What the machine could do: matrix products of float32 and of int8, and a memory copy.

A network's arithmetic is nearly all matrix products, so the rate of a large one is a floor under
the time of any engine that computes the same products (Winograd's convolution does with fewer).
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import numpy as np

from trtcolor.errors import BackendError
from trtcolor.measure import Clock, Measurement, measure

SIDE = 1536
"""Of the square matrices: large enough for the full rate, 7 GFLOP."""
COPY_BYTES = 128 * 2**20
CLEARLY = 1.2
"""Closer ones are taken for equal: two benchmarks of one machine are to have the same floor."""
KINDS = ("sgemm", "int8", "copy")


@dataclass(frozen=True)
class Task:
    """A thing to run and what it does in one run: operations, or bytes read and written."""

    name: str
    work: float
    function: Callable[[], object]


class Floor:
    """The tasks, ready to be timed in this process.

    The float32 product is ONNX Runtime's, or NumPy's where that one is missing or a trial finds it
    clearly slower.

    Args:
        threads: of ONNX Runtime's products; NumPy's are governed by the environment.
        side: of the matrices.
        copy_bytes: of the array that is copied.
        clock: seconds from any origin.
    """

    def __init__(
        self,
        threads: int | None,
        *,
        side: int = SIDE,
        copy_bytes: int = COPY_BYTES,
        clock: Clock = time.perf_counter,
    ) -> None:
        random = np.random.default_rng(0)
        self._clock, self._threads = clock, threads
        self._work = 2.0 * side**3
        self._side, self._copy_bytes = side, copy_bytes
        self._matrices = [random.standard_normal((side, side), np.float32) for _ in range(2)]
        by_numpy, *others = self._sgemm_tasks()
        seconds = self._trial(by_numpy)
        rivals = [task for task in others if self._trial(task) < CLEARLY * seconds]
        self.sgemm = rivals[0] if rivals else by_numpy

    def measure(self, kind: str, runs: int) -> Measurement:
        """Time one of `KINDS`.

        Raises:
            BackendError: int8 without ONNX Runtime and onnx.
        """
        task = self.task(kind)
        return measure(task.function, runs=runs, warmup=1, name=task.name, clock=self._clock)

    def task(self, kind: str) -> Task:
        """The task of a kind; as from `measure`."""
        if kind == "sgemm":
            return self.sgemm
        if kind == "int8":
            return self._int8()
        source = np.ones(self._copy_bytes, np.uint8)
        target = np.empty_like(source)
        return Task("copy by NumPy", 2.0 * source.nbytes, lambda: np.copyto(target, source))

    def _sgemm_tasks(self) -> list[Task]:
        a, b = self._matrices
        out = np.empty_like(a)
        tasks = [Task("sgemm by NumPy", self._work, lambda: np.matmul(a, b, out=out))]
        try:
            run = _product("MatMul", a, b, self._threads)
        except BackendError:
            return tasks
        return [*tasks, Task("sgemm by ONNX Runtime", self._work, run)]

    def _int8(self) -> Task:
        random = np.random.default_rng(0)
        shape = (self._side, self._side)
        a = random.integers(0, 256, shape, np.uint8)
        b = random.integers(-127, 128, shape, np.int8)
        run = _product("MatMulInteger", a, b, self._threads)
        return Task("u8s8 product by ONNX Runtime", self._work, run)

    def _trial(self, task: Task) -> float:
        return measure(task.function, runs=3, warmup=1, clock=self._clock).minimum


def _product(operator: str, a: Any, b: Any, threads: int | None) -> Callable[[], object]:
    """A x B with a constant B, as a layer's weights are, by ONNX Runtime."""
    from trtcolor.backends.onnxruntime import import_onnxruntime
    from trtcolor.bench.cost import import_onnx

    ort, onnx = import_onnxruntime(), import_onnx()
    helper, numpy_helper = import_module("onnx.helper"), import_module("onnx.numpy_helper")
    kind = helper.np_dtype_to_tensor_dtype(a.dtype)
    result = onnx.TensorProto.FLOAT if operator == "MatMul" else onnx.TensorProto.INT32
    shape = list(a.shape)
    graph = helper.make_graph(
        [helper.make_node(operator, ["a", "b"], ["c"])],
        "product",
        [helper.make_tensor_value_info("a", kind, shape)],
        [helper.make_tensor_value_info("c", result, shape)],
        [numpy_helper.from_array(b, "b")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads or 0
    session = ort.InferenceSession(
        model.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )
    return lambda: session.run(None, {"a": a})
