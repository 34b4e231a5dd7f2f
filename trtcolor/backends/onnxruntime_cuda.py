"""ONNX Runtime on an NVIDIA GPU: a bundle's own graphs in float32, without an engine."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import redirect_stdout
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from trtcolor.backends import _cuda
from trtcolor.backends._bound import BoundSession
from trtcolor.backends.base import FrameGraphs, Pending
from trtcolor.backends.device_arrays import DeviceArray
from trtcolor.backends.onnxruntime import import_onnxruntime
from trtcolor.backends.sessions import Arrays, SessionRunner
from trtcolor.bundle import Bundle
from trtcolor.errors import BackendError

if TYPE_CHECKING:
    from trtcolor.color import Gamut
    from trtcolor.geometry import Render

PROVIDER = "CUDAExecutionProvider"
CONV_FUSION = "ConvActivationFusion"
"""What joins a convolution with the activation behind it. In fp16 cuDNN has no plans for what it
makes ("No execution plans support the graph"), and what runs in their place took 2 to 11 times as
long as PyTorch at 512 to 2048 pixels (`benchmarks/results/gpu-h200.json`); whether fp16 is quick
without it is for `benchmarks/gpu.py` to measure."""


class OnnxRuntimeCudaRunner(SessionRunner):
    """A `trtcolor.backends.base.DeviceRunner` on ``CUDAExecutionProvider``.

    Products are of float32 (TF32 is off, which rounds what is multiplied to 10 bits). ONNX Runtime
    goes on with the CPU where its provider does not start; here that is an error. What prepares
    frames and merges them are graphs as well (`trtcolor.end_to_end`).

    Args:
        bundle, threads, graphs: as for `trtcolor.backends.sessions.SessionRunner`; threads are
            those of what runs on the CPU.
        device: index of the GPU.

    Raises:
        ValueError: as from `SessionRunner`.
        BackendError: ONNX Runtime is not installed, or is the one for CPUs.
    """

    name = "onnxruntime-cuda"
    library = "ONNX Runtime's CUDA provider"

    def __init__(
        self,
        bundle: Bundle,
        *,
        threads: int | None = None,
        graphs: Mapping[str, bytes] | None = None,
        device: int = 0,
    ) -> None:
        super().__init__(bundle, threads=threads, graphs=graphs)
        self._ort = import_onnxruntime_cuda()
        self.device = f"cuda:{device}"
        self.index = device
        self._pool = _cuda.Pool(device)
        self._frame_graphs: dict[str, Callable[[], bytes]] = {}

    def frame_graphs(self, render: Render, gamut: Gamut, channels: int) -> FrameGraphs:
        """Graphs of any kind; see `trtcolor.backends.base.DeviceRunner.frame_graphs`."""
        spec = self._bundle.spec
        names = FrameGraphs(f"prepare {render} {channels}", f"merge {render} {gamut}")

        def prepare() -> bytes:
            model = _steps().prepare_graph(spec, render=render, channels=channels)
            return bytes(model.SerializeToString())

        def merge() -> bytes:
            model = _steps().merge_graph(spec, render=render, gamut=gamut)
            return bytes(model.SerializeToString())

        self._frame_graphs |= {names.prepare: prepare, names.merge: merge}
        return names

    def enqueue(
        self,
        graph: str,
        inputs: Mapping[str, DeviceArray],
        outputs: Mapping[str, DeviceArray],
        stream: _cuda.Stream,
    ) -> None:
        """Put a run into a stream; see `trtcolor.backends.base.DeviceRunner.enqueue`."""
        session: BoundSession = self._session(graph)
        self._call(graph, "run", lambda: session.enqueue(inputs, outputs, stream))

    def start(
        self, graph: str, inputs: Mapping[str, NDArray[Any]], outputs: Sequence[str]
    ) -> Pending:
        """Begin a run; see `trtcolor.backends.base.DeviceRunner.start`."""
        session: BoundSession = self._session(graph)
        return self._call(graph, "run", lambda: session.start(inputs, outputs))

    def close(self) -> None:
        """Wait for what runs and drop the sessions; a later run raises BackendError."""
        with self._lock:
            sessions = list(self._sessions.values())
        super().close()
        for session in sessions:
            session.close()
        self._pool.close()

    def _source(self, graph: str) -> Path | bytes:
        if graph in self._frame_graphs:
            return self._frame_graphs[graph]()
        return super()._source(graph)

    def _load(self, graph: Path | bytes) -> BoundSession:
        return BoundSession(self._ort, self._pool, partial(self._open, graph))

    def _open(self, graph: Path | bytes, stream: int) -> Any:
        options = {
            "device_id": self.index,
            "user_compute_stream": stream,
            "use_tf32": 0,
            "arena_extend_strategy": "kSameAsRequested",
        }
        return cuda_session(self._ort, graph, options, threads=self._threads)

    def _run(
        self, session: BoundSession, inputs: Arrays, outputs: Sequence[str]
    ) -> list[NDArray[np.float32]]:
        return session.start(inputs, outputs).result()

    def _names(self, session: BoundSession) -> tuple[set[str], set[str]]:
        inputs, outputs = session.session.get_inputs(), session.session.get_outputs()
        return {value.name for value in inputs}, {value.name for value in outputs}


def _steps() -> Any:
    """What makes the graphs around a network."""
    try:
        return import_module("trtcolor.end_to_end.steps")
    except ImportError as error:
        raise BackendError(
            f"a frame on a GPU came and its graphs cannot be made ({error}); onnx was needed; run: "
            'pip install "trtcolor[gpu]"'
        ) from None


def cuda_session(
    ort: Any,
    graph: Path | bytes,
    provider_options: Mapping[str, Any],
    *,
    threads: int | None = None,
    without: Sequence[str] = (),
) -> Any:
    """A session that runs on the GPU or is not made.

    Args:
        ort: the module, libraries loaded by `preload`.
        graph: an ONNX file or model.
        provider_options: of the CUDA provider.
        threads: of what runs on the CPU; None leaves it to ONNX Runtime.
        without: names of optimisers of the graph to leave out, e.g. `CONV_FUSION`.

    Raises:
        BackendError: the provider did not start.
        RuntimeError: ONNX Runtime's own, if it refuses the graph.
    """
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads or 0
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.log_severity_level = 4  # whatever it would log as an error it also raises
    source = graph if isinstance(graph, bytes) else str(graph)
    session = ort.InferenceSession(
        source,
        options,
        providers=[(PROVIDER, {name: str(value) for name, value in provider_options.items()})],
        enable_fallback=0,
        disabled_optimizers=list(without) or None,
    )
    session.disable_fallback()
    check_provider(session)
    return session


def check_provider(session: Any) -> None:
    """Raise BackendError where a session that was to run on CUDA does not."""
    first = session.get_providers()[0]
    if first != PROVIDER:
        raise BackendError(
            f"ONNX Runtime fell back to {first}; {PROVIDER} was needed; look at the driver, at "
            'CUDA_VISIBLE_DEVICES and for cuBLAS and cuDNN, or run: pip install "trtcolor[gpu]"'
        )


def preload(ort: Any) -> None:
    """Load cuBLAS, cuDNN and others from NVIDIA's wheels, which ONNX Runtime finds only when told.

    Raises:
        BackendError: the ONNX Runtime that is installed is not the one for GPUs.
    """
    if PROVIDER not in ort.get_available_providers():
        raise BackendError(
            f"ONNX Runtime {ort.__version__} has no {PROVIDER}; onnxruntime-gpu was needed; run: "
            'pip uninstall onnxruntime, then pip install "trtcolor[gpu]"'
        )
    with redirect_stdout(sys.stderr):  # it prints what it does not find
        ort.preload_dlls()


def import_onnxruntime_cuda() -> Any:
    """ONNX Runtime with its CUDA provider and that one's libraries.

    Raises:
        BackendError: as from `import_onnxruntime` and `preload`.
    """
    ort = import_onnxruntime()
    preload(ort)
    return ort
