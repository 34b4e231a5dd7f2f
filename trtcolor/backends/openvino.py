"""OpenVINO on the CPU: an optional backend, the faster one for int8 graphs."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trtcolor.backends.sessions import Arrays, SessionRunner
from trtcolor.bundle import Bundle
from trtcolor.errors import BackendError


class OpenVinoRunner(SessionRunner):
    """A `trtcolor.backends.base.Runner` on OpenVINO's ``CPU`` device.

    Layers in float are computed in float32: left alone, OpenVINO takes bfloat16 where the processor
    has it, which moved a*b* of the default model by up to 1. Quantised layers run in int8 all the
    same. Threads are not pinned to cores: pinned ones fight with whatever else the process does
    (with another program on the machine a frame took 1.1 to 2 times as long). ``threads=None``
    takes one for each physical core.

    Arguments and errors are those of `trtcolor.backends.sessions.SessionRunner`.
    """

    name = "openvino"
    library = "OpenVINO"

    def __init__(
        self,
        bundle: Bundle,
        *,
        threads: int | None = None,
        graphs: Mapping[str, bytes] | None = None,
    ) -> None:
        super().__init__(bundle, threads=threads, graphs=graphs)
        self._openvino = import_openvino()
        self._core = self._openvino.Core()

    def _load(self, graph: Path | bytes) -> _Session:
        settings = {
            "INFERENCE_PRECISION_HINT": "f32",
            "PERFORMANCE_HINT": "LATENCY",
            "ENABLE_CPU_PINNING": False,
        }
        if self._threads is not None:
            settings["INFERENCE_NUM_THREADS"] = self._threads
        model = self._core.read_model(graph)

        def compile_for(outputs: Sequence[str]) -> Any:
            kept = [model.output(name) for name in outputs]
            part = self._openvino.Model(kept, model.get_parameters())
            return self._core.compile_model(part, "CPU", settings)

        return _Session(model, compile_for)

    def _run(
        self, session: _Session, inputs: Arrays, outputs: Sequence[str]
    ) -> list[NDArray[np.float32]]:
        return session.run(inputs, outputs)

    def _names(self, session: _Session) -> tuple[set[str], set[str]]:
        return set(session.inputs), set(session.outputs)


class _Session:
    """A graph, compiled for those of its outputs that were ever asked for; threads may share it.

    Scores of 309 bins that nobody reads would cost a twentieth to an eighth of a frame's time.

    Args:
        model: the graph as read.
        compile_for: compiles it for some of its outputs.
    """

    def __init__(self, model: Any, compile_for: Callable[[Sequence[str]], Any]) -> None:
        self.inputs = {value.any_name: len(value.partial_shape) for value in model.inputs}
        self.outputs = [value.any_name for value in model.outputs]
        self._compile_for = compile_for
        self._compiled: Any = None
        self._asked: frozenset[str] = frozenset()
        self._idle: list[Any] = []
        self._lock = threading.Lock()

    def run(self, inputs: Arrays, outputs: Sequence[str]) -> list[NDArray[np.float32]]:
        self._check(inputs, outputs)
        request, idle = self._take(frozenset(outputs))
        found = request.infer(dict(inputs), share_inputs=True, share_outputs=True)
        results = [np.array(found[name]) for name in outputs]
        idle.append(request)  # after a failure it is dropped
        return results

    def _check(self, inputs: Arrays, outputs: Sequence[str]) -> None:
        """OpenVINO casts another dtype, and runs a missing input on what it was the last time."""
        given = {name: (str(array.dtype), array.ndim) for name, array in inputs.items()}
        needed = {name: ("float32", rank) for name, rank in self.inputs.items()}
        if given != needed:
            raise ValueError(f"inputs {given} came and {needed} were needed")
        unknown = set(outputs) - set(self.outputs)
        if unknown:
            raise ValueError(f"outputs {sorted(unknown)} were asked for, it has {self.outputs}")

    def _take(self, outputs: frozenset[str]) -> tuple[Any, list[Any]]:
        """A request of this thread's own, and where to put it back."""
        with self._lock:
            if not outputs <= self._asked:
                asked = self._asked | outputs
                self._compiled = self._compile_for([n for n in self.outputs if n in asked])
                self._asked, self._idle = asked, []
            request = self._idle.pop() if self._idle else self._compiled.create_infer_request()
            return request, self._idle


def import_openvino() -> Any:
    """OpenVINO, imported so that it reports to nobody.

    Raises:
        BackendError: it is not installed or does not import.
    """
    try:
        with _without_telemetry():
            return import_module("openvino")
    except ImportError as error:
        raise BackendError(
            f"backend 'openvino' does not import ({error}); OpenVINO was needed; "
            'run: pip install "trtcolor[openvino]"'
        ) from None


@contextmanager
def _without_telemetry() -> Iterator[None]:
    """Hide the package by which ``import openvino`` reports itself to its makers.

    It has no variable to switch that off, and leaves an identifier in ``~/intel``; without the
    package OpenVINO takes a stub of its own. A program that has imported either before is left
    alone.
    """
    name = "openvino_telemetry"
    if name in sys.modules:
        yield
        return
    sys.modules[name] = None  # type: ignore[assignment]
    try:
        yield
    finally:
        del sys.modules[name]
