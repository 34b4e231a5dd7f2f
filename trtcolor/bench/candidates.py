"""What is timed: a backend at a precision. The one file that knows how to open each.

PyTorch is a candidate for comparison (`--compare torch`): the training package, which alone may
import torch, registers its runner under the entry point group ``trtcolor.bench``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import entry_points
from pathlib import Path
from typing import cast

from trtcolor.backends.available import PACKAGES, RUNNING, TENSORRT, Precision, available
from trtcolor.backends.base import Runner
from trtcolor.bundle import Bundle, open_bundle
from trtcolor.colorizer import Colorizer
from trtcolor.errors import BackendError
from trtcolor.geometry import Render

BACKENDS = (*RUNNING, *TENSORRT)


@dataclass(frozen=True)
class Candidate:
    """What one worker process runs.

    Attributes:
        backend: of `BACKENDS`, or ``"torch"``.
        precision: of `trtcolor.backends.available.PRECISIONS`; any other than ``fp32`` is an engine
            from the store.
        form: of torch: ``eager``, ``folded`` or ``compiled``; else empty.
    """

    backend: str
    precision: str
    form: str = ""

    def __str__(self) -> str:
        return " ".join(filter(None, (self.backend, self.precision, self.form)))


KNOWN = (
    Candidate("onnxruntime", "fp32"),
    Candidate("onnxruntime", "int8"),
    Candidate("openvino", "fp32"),
    Candidate("openvino", "int8"),
    Candidate("tensorrt", "fp16"),
    Candidate("tensorrt-rtx", "fp16"),
)
"""What is timed where nothing else is asked for, the first one being what others are held to."""

TORCH = tuple(Candidate("torch", "fp32", form) for form in ("eager", "folded", "compiled"))

SPEED = {
    Candidate("onnxruntime", "fp32"): 0.85,
    Candidate("onnxruntime", "int8"): 2.4,
    Candidate("openvino", "fp32"): 0.85,
    Candidate("openvino", "int8"): 3.0,
    TORCH[0]: 0.4,
    TORCH[1]: 0.6,
    TORCH[2]: 0.65,
}
"""Arithmetic done in the time in which the machine's float32 matrix product does 1, measured of
iizuka2016 on two cores with AVX-512; for the estimate alone."""

DEFAULT_SPEED = 1.0

START_SECONDS = {"torch": 8.0, "": 1.5}
"""From the start of a process to its first run, by backend; for the estimate alone."""
COMPILE_SECONDS = 60.0


def wanted(
    backends: Sequence[str], precisions: Sequence[str], *, torch: bool
) -> tuple[Candidate, ...]:
    """The candidates of a command line.

    Args:
        backends, precisions: those asked for; none: those of `KNOWN`.
        torch: PyTorch's three forms too.
    """
    if backends and precisions:
        found = [Candidate(backend, p) for backend in backends for p in precisions]
    elif backends:
        found = [c for b in backends for c in KNOWN if c.backend == b]
    elif precisions:
        names = dict.fromkeys(candidate.backend for candidate in KNOWN)
        found = [Candidate(name, p) for name in names for p in precisions]
    else:
        found = list(KNOWN)
    return (*dict.fromkeys(found), *(TORCH if torch else ()))


def may_open(candidate: Candidate) -> bool:
    """Whether nothing is known against it, without trying; for the estimate alone."""
    return candidate.backend not in PACKAGES or available(candidate.backend).problem is None


def open_candidate(
    candidate: Candidate, bundle: Path, *, threads: int | None, render: Render
) -> tuple[Colorizer, Runner]:
    """What prepares and merges frames, and the engine between these steps.

    Called in a process of its own.

    Args:
        candidate: what to open.
        bundle: folder of the model.
        threads, render: as for `trtcolor.colorizer.Colorizer`.

    Raises:
        BackendError: the backend is not installed or finds no GPU.
        EngineError: there is no engine of the precision.
        TrtcolorError: as from the Colorizer.
    """
    if candidate.backend == "torch":
        runner = _torch_runner(open_bundle(bundle), candidate.form, threads)
        return Colorizer(bundle, threads=threads, render=render), runner
    plain = candidate.backend in RUNNING and candidate.precision == "fp32"
    colorizer = Colorizer(
        bundle,
        backend=candidate.backend,
        precision=None if plain else cast(Precision, candidate.precision),
        threads=threads,
        render=render,
    )
    return colorizer, colorizer._runner


def _torch_runner(bundle: Bundle, form: str, threads: int | None) -> Runner:
    registered = {entry.name: entry for entry in entry_points(group="trtcolor.bench")}
    if "torch" not in registered:
        raise BackendError(
            "the installed trtcolor does not register PyTorch's runner; its training package was "
            "needed; install trtcolor again"
        )
    try:
        open_runner = registered["torch"].load()
    except ImportError as error:
        raise BackendError(
            f"PyTorch does not import ({error}); it was needed for --compare torch; run: "
            'pip install "trtcolor[train]"'
        ) from None
    runner: Runner = open_runner(bundle, form, threads=threads)
    return runner
