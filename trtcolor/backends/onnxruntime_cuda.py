"""ONNX Runtime on an NVIDIA GPU: a bundle's own graphs in float32, without an engine."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trtcolor.backends.onnxruntime import OnnxRuntimeRunner, import_onnxruntime
from trtcolor.backends.sessions import Arrays
from trtcolor.bundle import Bundle
from trtcolor.errors import BackendError

PROVIDER = "CUDAExecutionProvider"
CONV_FUSION = "ConvActivationFusion"
"""What joins a convolution with the activation behind it. In fp16 cuDNN has no plans for what it
makes ("No execution plans support the graph"), and what runs in their place took 2 to 11 times as
long as PyTorch at 512 to 2048 pixels (`benchmarks/results/gpu-h200.json`); whether fp16 is quick
without it is for `benchmarks/gpu.py` to measure."""


class OnnxRuntimeCudaRunner(OnnxRuntimeRunner):
    """A `trtcolor.backends.base.Runner` on ``CUDAExecutionProvider``.

    Products are of float32 (TF32 is off, which rounds what is multiplied to 10 bits). ONNX Runtime
    goes on with the CPU where its provider does not start; here that is an error.

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
        preload(self._ort)
        self.device = f"cuda:{device}"
        self._index = device

    def _load(self, graph: Path | bytes) -> Any:
        options = {
            "device_id": self._index,
            "use_tf32": 0,
            "arena_extend_strategy": "kSameAsRequested",
        }
        return cuda_session(self._ort, graph, options, threads=self._threads)

    def _run(
        self, session: Any, inputs: Arrays, outputs: Sequence[str]
    ) -> list[NDArray[np.float32]]:
        return self._run_shrinking(session, inputs, outputs, f"gpu:{self._index}")


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
