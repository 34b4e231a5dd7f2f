"""ONNX Runtime's runner for GPUs on the stand-in for CUDA: its kernels are those of the CPU.

A session of the CPU is bound to the stand-in's device memory, which is the host's, and runs in the
stream that the runner gave it: with deferred work no sooner than somebody waits for it.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from recording_cuda import RecordingRuntime

from trtcolor.backends import _bound, onnxruntime_cuda
from trtcolor.backends.onnxruntime import import_onnxruntime

ASYNCHRONOUS = "disable_synchronize_execution_providers"


class Binding:
    """ONNX Runtime's binding, and whether each output has a place."""

    def __init__(self, binding: Any) -> None:
        self.binding = binding
        self.placed = True

    def bind_output(self, *arguments: Any) -> None:
        self.placed = self.placed and len(arguments) > 3
        self.binding.bind_output(*arguments)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.binding, name)


class SessionInStream:
    """A session whose runs are work in a stream.

    Attributes:
        error: what the next run raises in place of running.
        waited: of each run, whether the host waits for it, as the session was told.
    """

    def __init__(self, session: Any, runtime: RecordingRuntime, stream: int) -> None:
        self._session, self._runtime, self._stream = session, runtime, stream
        self.error: Exception | None = None
        self.waited: list[bool] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._session, name)

    def io_binding(self) -> Binding:
        return Binding(self._session.io_binding())

    def run_with_iobinding(self, bound: Binding, options: Any) -> None:
        if self.error is not None:
            error, self.error = self.error, None
            raise error
        try:
            waits = options.get_run_config_entry(ASYNCHRONOUS) != "1"
        except RuntimeError:  # it was not told
            waits = True
        self.waited.append(waits)
        session, binding = self._session, bound.binding
        if not bound.placed:  # it chooses places at once, as on a GPU, and fills them in the stream
            session.run_with_iobinding(binding, options)
        self._runtime.enqueue(
            self._stream, lambda: session.run_with_iobinding(binding, options) and None
        )
        if waits:
            self._runtime.cudaStreamSynchronize(self._stream)


def on_the_stand_in(runtime: RecordingRuntime, patch: pytest.MonkeyPatch) -> None:
    """Let `OnnxRuntimeCudaRunner` run on the stand-in, and pass for the driver's GPU."""

    def session(
        ort: Any, graph: Path | bytes, options: Mapping[str, Any], **_: Any
    ) -> SessionInStream:
        settings = ort.SessionOptions()
        settings.intra_op_num_threads = 1
        settings.log_severity_level = 4
        source = graph if isinstance(graph, bytes) else str(graph)
        made = ort.InferenceSession(source, settings, providers=["CPUExecutionProvider"])
        return SessionInStream(made, runtime, options["user_compute_stream"])

    patch.setattr(_bound, "MEMORY", "cpu")
    patch.setattr(_bound, "ARENA", "cpu")
    patch.setattr(onnxruntime_cuda, "import_onnxruntime_cuda", import_onnxruntime)
    patch.setattr(onnxruntime_cuda, "cuda_session", session)
    patch.setattr("trtcolor.choose.first_gpu", lambda: None)
