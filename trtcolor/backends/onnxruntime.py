"""ONNX Runtime on the CPU: the backend that works on every machine."""

from __future__ import annotations

import os
import threading
import warnings
from collections.abc import Mapping, Sequence
from functools import cache
from importlib import import_module, metadata
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from trtcolor.bundle import Bundle
from trtcolor.errors import BackendError

if TYPE_CHECKING:
    from collections.abc import Callable


MAX_THREADS = 1024
"""ONNX Runtime starts them all at once; 100,000 take it minutes."""


class OnnxRuntimeRunner:
    """A `trtcolor.backends.base.Runner` on ``CPUExecutionProvider``.

    A graph's session is made when it is first run, from the file in the bundle, so that the
    weights beside it are found. Graph optimisation is at its highest level (1.13 to 1.27 times
    as fast as without). Threads do not spin while they wait: a library must not keep its user's
    processor busy between two frames, and it measured no slower.

    Args:
        bundle: a verified bundle.
        threads: threads within one run; None lets ONNX Runtime take one for each physical core.

    Raises:
        ValueError: `threads` is not a positive integer up to `MAX_THREADS`.
        BackendError: ONNX Runtime is not installed.
    """

    name = "onnxruntime"
    device = "cpu"

    def __init__(self, bundle: Bundle, *, threads: int | None = None) -> None:
        if threads is not None and (
            isinstance(threads, bool)
            or not isinstance(threads, int)
            or not 1 <= threads <= MAX_THREADS
        ):
            raise ValueError(
                f"threads is {threads!r}; a positive integer up to {MAX_THREADS} was needed, or "
                "None for one a core; pass one of these"
            )
        self._ort = import_onnxruntime()
        self._bundle = bundle
        self._threads = threads
        self._sessions: dict[str, Any] = {}
        self._closed = False
        self._lock = threading.Lock()

    def run(
        self, graph: str, inputs: Mapping[str, NDArray[np.float32]], outputs: Sequence[str]
    ) -> list[NDArray[np.float32]]:
        """Run a graph; see `trtcolor.backends.base.Runner.run`."""
        session = self._session(graph)
        results: list[NDArray[np.float32]] = self._call(
            graph, "run", lambda: session.run(list(outputs), dict(inputs))
        )
        return results

    def names(self, graph: str) -> tuple[set[str], set[str]]:
        """Names of a graph's inputs and of its outputs, as its file has them.

        Raises:
            BackendError: the graph cannot be loaded, or the runner is closed.
        """
        session = self._session(graph)
        inputs, outputs = session.get_inputs(), session.get_outputs()
        return {value.name for value in inputs}, {value.name for value in outputs}

    def close(self) -> None:
        """Drop the sessions; a later `run` raises BackendError."""
        with self._lock:
            self._closed = True
            self._sessions.clear()

    def _session(self, graph: str) -> Any:
        with self._lock:
            if self._closed:
                raise BackendError(
                    f"graph {graph!r} was to run on a closed runner; an open one was needed; "
                    "make a new Colorizer"
                )
            if graph not in self._sessions:
                path = str(self._bundle.graph_path(graph))
                options = self._options()
                self._sessions[graph] = self._call(
                    graph,
                    "load",
                    lambda: self._ort.InferenceSession(
                        path, options, providers=["CPUExecutionProvider"]
                    ),
                )
            return self._sessions[graph]

    def _options(self) -> Any:
        options = self._ort.SessionOptions()
        options.graph_optimization_level = self._ort.GraphOptimizationLevel.ORT_ENABLE_ALL
        options.intra_op_num_threads = self._threads or 0
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        options.log_severity_level = 4  # whatever it would log as an error it also raises
        return options

    def _call(self, graph: str, verb: str, call: Callable[[], Any]) -> Any:
        try:
            return call()
        except Exception as error:  # ORT raises RuntimeError, ValueError and its own, all unrelated
            reason = " ".join(str(error).split()).rstrip(".")
            raise BackendError(
                f"ONNX Runtime did not {verb} graph {graph!r} of model {self._bundle.spec.name!r} "
                f"({reason}); check the inputs, or export the model again"
            ) from error


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
    """Both distributions unpack into one folder, so whichever came last half overwrites the other.

    Reading the installed metadata takes milliseconds and does not change: once a process is enough.
    """
    versions = []
    for distribution in ("onnxruntime", "onnxruntime-gpu"):
        try:
            versions.append(f"{distribution} {metadata.version(distribution)}")
        except metadata.PackageNotFoundError:
            return
    warnings.warn(
        f"{' and '.join(versions)} are both installed and overwrite each other's files; one was "
        "needed; uninstall both, then install the one you want",
        RuntimeWarning,
        stacklevel=2,
    )
