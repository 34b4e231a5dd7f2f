"""ONNX Runtime on the CPU: the backend that works on every machine."""

from __future__ import annotations

import ctypes
import os
import warnings
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import cache
from importlib import import_module, metadata
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from trtcolor.backends.sessions import Arrays, SessionRunner
from trtcolor.bundle import Bundle
from trtcolor.errors import BackendError
from trtcolor.threads import physical_cores


class OnnxRuntimeRunner(SessionRunner):
    """A `trtcolor.backends.base.Runner` on ``CPUExecutionProvider``.

    Graph optimisation is at its highest level (1.13 to 1.27 times as fast as without). What it
    makes of a graph is not kept on disk: reading it back saved 61 ms of the 116 that the default
    model takes to load, and hashing it, without which it could be stale, took 55.

    Threads do not spin while they wait: a library must not keep its user's processor busy between
    two frames, and it measured no slower (benchmarks/spinning.py). ``threads=None`` takes one for
    each physical core that the process may use. ONNX Runtime's own choice would count those that it
    may not, and pin its threads, so that those of two sessions meet on one core while another
    idles.

    Memory is taken as it is needed, from an arena that all graphs of the process share and that
    asks for no more than each map takes. ONNX Runtime's own doubles its requests and lays out a
    shape anew when it comes again (memory patterns), which took up to twice as much and no less
    time. Runs of one shape find the pieces of the last; a run of another shape gives all back.

    Arguments and errors are those of `trtcolor.backends.sessions.SessionRunner`.
    """

    name = "onnxruntime"
    library = "ONNX Runtime"
    spinning = "0"
    """Of the session, for `benchmarks/spinning.py` to compare."""

    def __init__(
        self,
        bundle: Bundle,
        *,
        threads: int | None = None,
        graphs: Mapping[str, bytes] | None = None,
    ) -> None:
        super().__init__(bundle, threads=threads, graphs=graphs)
        self._ort = import_onnxruntime()
        _share_arena()
        self._shapes: WeakKeyDictionary[Any, object] = WeakKeyDictionary()

    def _options(self) -> Any:
        options = self._ort.SessionOptions()
        options.graph_optimization_level = self._ort.GraphOptimizationLevel.ORT_ENABLE_ALL
        options.intra_op_num_threads = self._threads or physical_cores() or 0
        options.add_session_config_entry("session.intra_op.allow_spinning", self.spinning)
        options.enable_mem_pattern = False
        options.add_session_config_entry("session.use_env_allocators", "1")
        options.add_session_config_entry("session.use_device_allocator_for_initializers", "1")
        options.log_severity_level = 4  # whatever it would log as an error it also raises
        return options

    def _load(self, graph: Path | bytes) -> Any:
        source = graph if isinstance(graph, bytes) else str(graph)
        session = self._ort.InferenceSession(
            source, self._options(), providers=["CPUExecutionProvider"]
        )
        _give_back_freed_memory()
        return session

    def _run(
        self, session: Any, inputs: Arrays, outputs: Sequence[str]
    ) -> list[NDArray[np.float32]]:
        """Run; the arena gives back what it does not use after a run of another shape."""
        options = self._ort.RunOptions()
        shapes = {name: array.shape for name, array in inputs.items()}
        if self._shapes.get(session) != shapes:
            self._shapes[session] = shapes
            options.add_run_config_entry("memory.enable_memory_arena_shrinkage", "cpu:0")
        results: list[NDArray[np.float32]] = session.run(list(outputs), dict(inputs), options)
        return results

    def _names(self, session: Any) -> tuple[set[str], set[str]]:
        inputs, outputs = session.get_inputs(), session.get_outputs()
        return {value.name for value in inputs}, {value.name for value in outputs}


@cache
def _share_arena() -> None:
    """Register the arena that sessions with ``session.use_env_allocators`` take memory from."""
    ort = import_onnxruntime()
    kind = ort.OrtMemoryInfo(
        "Cpu", ort.OrtAllocatorType.ORT_ARENA_ALLOCATOR, 0, ort.OrtMemType.DEFAULT
    )
    same_as_requested = 1
    # One that the program registered before serves as well: there is but one a process.
    with suppress(RuntimeError):
        ort.create_and_register_allocator(kind, ort.OrtArenaCfg(0, same_as_requested, -1, -1))


def _give_back_freed_memory() -> None:
    """What loading has freed, 45 MB of `iizuka2016`, glibc would keep for later; 2 ms."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)


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
