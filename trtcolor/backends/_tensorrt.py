"""``tensorrt`` and ``tensorrt_rtx`` behind one face: the same API under two module names."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from importlib import import_module
from typing import Any, TypeVar

from trtcolor.errors import BackendError

T = TypeVar("T")


@dataclass(frozen=True)
class Module:
    """One of the two.

    Attributes:
        name: as it is imported.
        title: as NVIDIA writes it.
        oldest: version from which on the code here fits it.
        extra: of the package trtcolor, that installs it.
    """

    name: str
    title: str
    oldest: tuple[int, int]
    extra: str


MODULES = {
    "tensorrt": Module("tensorrt", "TensorRT", (10, 3), "tensorrt"),
    "tensorrt-rtx": Module("tensorrt_rtx", "TensorRT-RTX", (1, 7), "tensorrt-rtx"),
}
"""By the name of the backend."""


def import_tensorrt(backend: str) -> Any:
    """The module of a backend; its ``__version__`` is the full version.

    Args:
        backend: ``tensorrt`` or ``tensorrt-rtx``.

    Raises:
        BackendError: it is not installed, lacks its libraries or is too old.
    """
    module = MODULES[backend]
    needed = f"{module.title} {'.'.join(map(str, module.oldest))} or later was needed"
    remedy = f'run: pip install "trtcolor[{module.extra}]"'
    try:
        api = import_module(module.name)
        version = tuple(int(part) for part in api.__version__.split(".")[:2])
    except (ImportError, OSError, AttributeError, ValueError) as error:
        raise BackendError(
            f"backend {backend!r} does not import ({one_line(error)}); {needed}; {remedy}"
        ) from None
    if version < module.oldest:
        raise BackendError(
            f"backend {backend!r} found {module.title} {api.__version__}; {needed}; {remedy}"
        )
    return api


@dataclass
class Messages:
    """What a module logged: one line each, in order."""

    errors: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    def reason(self) -> str:
        """The errors as one clause for a message, the first three of them."""
        return "; ".join(dict.fromkeys(self.errors[:3])) or "it gave no reason"


@cache
def logger(api: Any) -> Any:
    """The one logger of a module in this process, which prints nothing.

    A module keeps the first logger that it is given for its global parts, so it must never go.
    Its method ``collect()`` is a context manager that gives the `Messages` logged meanwhile, by
    any thread.
    """

    class Log(api.ILogger):  # type: ignore[misc]
        def __init__(self) -> None:
            api.ILogger.__init__(self)
            self._listening: list[Messages] = []
            self._lock = threading.Lock()

        def log(self, severity: Any, message: str) -> None:
            if severity == api.ILogger.WARNING:
                self._keep("warnings", message)
            elif severity in (api.ILogger.ERROR, api.ILogger.INTERNAL_ERROR):
                self._keep("errors", message)

        def _keep(self, kind: str, message: str) -> None:
            with self._lock:
                for messages in self._listening:
                    getattr(messages, kind).append(one_line(message))

        @contextmanager
        def collect(self) -> Iterator[Messages]:
            messages = Messages()
            with self._lock:
                self._listening.append(messages)
            try:
                yield messages
            finally:
                with self._lock:  # by identity: two that are empty are equal
                    self._listening[:] = [m for m in self._listening if m is not messages]

    return Log()


def in_own_thread(call: Callable[[], T], stop: Callable[[], None] | None = None) -> T:
    """Call something long in C++ so that Ctrl-C reaches Python.

    Python raises KeyboardInterrupt in the main thread between two of its instructions. While that
    thread is inside TensorRT these are the ones of a logger or a progress monitor, out of which
    TensorRT takes no exception: it prints and forgets it. So the main thread only waits.

    Args:
        call: run in a thread of its own.
        stop: called when the wait is interrupted; it should make `call` end soon, for which is
            waited.

    Raises:
        Whatever `call` raises; KeyboardInterrupt.
    """
    with ThreadPoolExecutor(1, "trtcolor-tensorrt") as pool:
        try:
            # Idle first: a pool waits at its end for no thread that Ctrl-C met while it started.
            pool.submit(int).result()
            return pool.submit(call).result()
        except BaseException:
            if stop is not None:
                stop()
            raise


def deserialize(api: Any, backend: str, name: str, plan: bytes) -> tuple[Any, Any]:
    """The runtime and the engine of a plan; the engine needs the runtime to live.

    Args:
        api: the module of `backend`.
        name: of the graph, for the message.
        plan: from the same version, for this GPU.

    Raises:
        BackendError: it does not fit module, version or GPU, is damaged, or no GPU works.
    """
    with logger(api).collect() as messages:
        runtime = None
        reason = ""
        try:
            runtime = api.Runtime(logger(api))
            reason = _invalidity(api, runtime, plan)
            engine = None if reason else runtime.deserialize_cuda_engine(plan)
        except (TypeError, RuntimeError) as error:  # pybind11's word for a null pointer
            engine, reason = None, one_line(error)
    if engine is None:
        reason = "; ".join(filter(None, [reason, *messages.errors[:3]])) or "it gave no reason"
        raise BackendError(
            f"{MODULES[backend].title} {api.__version__} does not load the plan of graph {name!r} "
            f"({reason}); one that this version built for this GPU was needed; "
            "build the engine again"
        )
    return runtime, engine


def _invalidity(api: Any, runtime: Any, plan: bytes) -> str:
    """Why a plan cannot run here as far as its head tells (TensorRT-RTX); empty where it can."""
    if not hasattr(runtime, "get_engine_validity"):
        return ""
    validity, bits = runtime.get_engine_validity(plan)
    if validity != api.EngineValidity.INVALID:
        return ""
    known = api.EngineInvalidityDiagnostics.__members__.items()
    return ", ".join(name for name, bit in known if int(bits) & int(bit)) or "invalid here"


def one_line(text: object) -> str:
    return " ".join(str(text).split()).rstrip(".")
