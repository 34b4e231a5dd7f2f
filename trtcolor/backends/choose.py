"""The runner of a backend by its name, or of the first that works where ``auto`` is asked for."""

from __future__ import annotations

from typing import NamedTuple

from trtcolor.backends.available import CHOICES, RUNNING, available
from trtcolor.backends.base import Runner
from trtcolor.bundle import Bundle
from trtcolor.errors import BackendError, TrtcolorError


class Opened(NamedTuple):
    """A runner, and why ``auto`` took it; None: it was asked for by name."""

    runner: Runner
    reason: str | None


def open_runner(bundle: Bundle, backend: str, *, threads: int | None = None) -> Opened:
    """Open a bundle on a backend. One that is asked for by name is that or an error.

    Args:
        bundle: a verified bundle.
        backend: one of `trtcolor.backends.available.CHOICES`.
        threads: threads within one run; None leaves it to the backend.

    Raises:
        ValueError: no such backend, or an impossible number of threads.
        BackendError: the backend is not installed or does not work; ``auto``: none does.
    """
    if backend not in CHOICES:
        raise ValueError(
            f"backend is {backend!r}; one of {', '.join(CHOICES)} was needed; pass one of these"
        )
    if backend != "auto":
        return Opened(_open(bundle, backend, threads), None)
    passed_over: list[str] = []
    for name in RUNNING:
        problem = available(name).problem
        if problem is None:
            try:
                runner = _open(bundle, name, threads)
            except TrtcolorError as error:
                problem = str(error)
            else:
                others = f"; {'; '.join(passed_over)}" if passed_over else ""
                reason = f"the first of {', '.join(RUNNING)} that works here{others}"
                return Opened(runner, reason)
        passed_over.append(f"{name} was passed over ({problem})")
    raise BackendError(
        f"backend 'auto' found none that works ({'; '.join(passed_over)}); one was needed; "
        "run: trtcolor doctor"
    )


def _open(bundle: Bundle, name: str, threads: int | None) -> Runner:
    """The one place where a backend's name becomes its class; imports only that backend."""
    if name == "openvino":
        from trtcolor.backends.openvino import OpenVinoRunner

        return OpenVinoRunner(bundle, threads=threads)
    from trtcolor.backends.onnxruntime import OnnxRuntimeRunner

    return OnnxRuntimeRunner(bundle, threads=threads)
