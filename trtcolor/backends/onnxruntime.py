"""ONNX Runtime on the CPU: the backend that works on every machine."""

from __future__ import annotations

import os
import warnings
from collections.abc import Mapping, Sequence
from functools import cache
from importlib import import_module, metadata
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trtcolor.backends.sessions import Arrays, SessionRunner
from trtcolor.bundle import Bundle
from trtcolor.errors import BackendError


class OnnxRuntimeRunner(SessionRunner):
    """A `trtcolor.backends.base.Runner` on ``CPUExecutionProvider``.

    Graph optimisation is at its highest level (1.13 to 1.27 times as fast as without). Threads do
    not spin while they wait: a library must not keep its user's processor busy between two frames,
    and it measured no slower. ``threads=None`` takes one for each physical core.

    Arguments and errors are those of `trtcolor.backends.sessions.SessionRunner`.
    """

    name = "onnxruntime"
    library = "ONNX Runtime"

    def __init__(
        self,
        bundle: Bundle,
        *,
        threads: int | None = None,
        graphs: Mapping[str, bytes] | None = None,
    ) -> None:
        super().__init__(bundle, threads=threads, graphs=graphs)
        self._ort = import_onnxruntime()

    def _load(self, graph: Path | bytes) -> Any:
        options = self._ort.SessionOptions()
        options.graph_optimization_level = self._ort.GraphOptimizationLevel.ORT_ENABLE_ALL
        options.intra_op_num_threads = self._threads or 0
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        options.log_severity_level = 4  # whatever it would log as an error it also raises
        source = graph if isinstance(graph, bytes) else str(graph)
        return self._ort.InferenceSession(source, options, providers=["CPUExecutionProvider"])

    def _run(
        self, session: Any, inputs: Arrays, outputs: Sequence[str]
    ) -> list[NDArray[np.float32]]:
        results: list[NDArray[np.float32]] = session.run(list(outputs), dict(inputs))
        return results

    def _names(self, session: Any) -> tuple[set[str], set[str]]:
        inputs, outputs = session.get_inputs(), session.get_outputs()
        return {value.name for value in inputs}, {value.name for value in outputs}


def import_onnxruntime() -> Any:
    # From 1.29 on the official Linux binaries report to Microsoft which models are loaded (their
    # file names too) and keep an identifier under ~/.cache, unless told before they are imported.
    os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
    try:
        onnxruntime = import_module("onnxruntime")
    except ImportError as error:
        raise BackendError(
            f"backend 'onnxruntime' does not import ({error}); ONNX Runtime was needed; "
            'run: pip install "trtcolor[cpu]"'
        ) from None
    _warn_of_two_distributions()
    return onnxruntime


@cache
def _warn_of_two_distributions() -> None:
    conflict = two_distributions()
    if conflict is not None:
        warnings.warn(conflict, RuntimeWarning, stacklevel=2)


def two_distributions() -> str | None:
    """What is wrong where both distributions are installed; None: at most one is.

    They unpack into one folder, so whichever came last half overwrites the other. Reading the
    installed metadata takes milliseconds and does not change: once a process is enough.
    """
    versions = []
    for distribution in ("onnxruntime", "onnxruntime-gpu"):
        try:
            versions.append(f"{distribution} {metadata.version(distribution)}")
        except metadata.PackageNotFoundError:
            return None
    return (
        f"{' and '.join(versions)} are both installed and overwrite each other's files; one was "
        "needed; uninstall both, then install the one you want"
    )
