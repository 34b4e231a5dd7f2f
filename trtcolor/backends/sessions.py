"""What the backends on ONNX files have in common: a session a graph, made when it is first run."""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from trtcolor.bundle import Bundle
from trtcolor.errors import BackendError
from trtcolor.threads import checked_threads

Arrays = Mapping[str, NDArray[np.float32]]
Result = TypeVar("Result")


class SessionRunner(ABC):
    """A `trtcolor.backends.base.Runner` whose library loads ONNX files; one class a library.

    A graph's session is made when it is first run, from its file where it lies, so that weights
    beside it are found.

    Args:
        bundle: a verified bundle.
        threads: threads within one run; None: one for each physical core.
        graphs: the whole ONNX model of each graph, in the place of the bundle's files: an engine's,
            in bytes, so that what was hashed is what is loaded.

    Attributes:
        name, device: of the backend, as in `Runner`.
        library: what errors call it.

    Raises:
        ValueError: as from `trtcolor.threads.checked_threads`.
        BackendError: the library is not installed.
    """

    name: str
    device = "cpu"
    library: str

    def __init__(
        self,
        bundle: Bundle,
        *,
        threads: int | None = None,
        graphs: Mapping[str, bytes] | None = None,
    ) -> None:
        self._bundle = bundle
        self._threads = checked_threads(threads)
        self._graphs = None if graphs is None else dict(graphs)
        self._sessions: dict[str, Any] = {}
        self._closed = False
        self._lock = threading.Lock()

    @abstractmethod
    def _load(self, graph: Path | bytes) -> Any:
        """A session of a file or a model; whatever it raises becomes a BackendError."""

    @abstractmethod
    def _run(
        self, session: Any, inputs: Arrays, outputs: Sequence[str]
    ) -> list[NDArray[np.float32]]:
        """Outputs of one run; whatever it raises becomes a BackendError."""

    @abstractmethod
    def _names(self, session: Any) -> tuple[set[str], set[str]]:
        """Names of a session's inputs and of its outputs."""

    def run(self, graph: str, inputs: Arrays, outputs: Sequence[str]) -> list[NDArray[np.float32]]:
        """Run a graph; see `trtcolor.backends.base.Runner.run`."""
        session = self._session(graph)
        return self._call(graph, "run", lambda: self._run(session, inputs, outputs))

    def load(self, graph: str) -> None:
        """Make a graph's session; see `trtcolor.backends.base.BackendRunner.load`."""
        self._session(graph)

    def names(self, graph: str) -> tuple[set[str], set[str]]:
        """Names of a graph's inputs and of its outputs, as its file has them.

        Raises:
            BackendError: the graph cannot be loaded, or the runner is closed.
        """
        return self._names(self._session(graph))

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
                source = self._source(graph)
                self._sessions[graph] = self._call(graph, "load", lambda: self._load(source))
            return self._sessions[graph]

    def _source(self, graph: str) -> Path | bytes:
        if self._graphs is None:
            return self._bundle.graph_path(graph)
        if graph not in self._graphs:
            raise BackendError(
                f"the engine of model {self._bundle.spec.name!r} has no graph {graph!r}, only "
                f"{', '.join(sorted(self._graphs)) or 'none'}; all of the model's were needed; "
                "build the engine again"
            )
        return self._graphs[graph]

    def _call(self, graph: str, verb: str, call: Callable[[], Result]) -> Result:
        try:
            return call()
        except BackendError:  # of a session that says itself what is wrong
            raise
        except Exception as error:  # libraries raise RuntimeError, ValueError and their own
            reason = " ".join(str(error).split()).rstrip(".")
            again = "export the model" if self._graphs is None else "build the engine"
            raise BackendError(
                f"{self.library} did not {verb} graph {graph!r} of model "
                f"{self._bundle.spec.name!r} ({reason}); check the inputs, or {again} again"
            ) from error
