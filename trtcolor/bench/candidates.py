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

from trtcolor.backends.available import CUDA, PACKAGES, RUNNING, TENSORRT, Precision, available
from trtcolor.backends.base import Runner
from trtcolor.backends.driver import gpus
from trtcolor.bundle import Bundle, open_bundle
from trtcolor.colorizer import Colorizer
from trtcolor.errors import BackendError
from trtcolor.geometry import Render

BACKENDS = (*RUNNING, *CUDA, *TENSORRT)


@dataclass(frozen=True)
class Candidate:
    """What one worker process runs.

    Attributes:
        backend: of `BACKENDS`, ``"torch"`` or ``"torch-cuda"``.
        precision: of `trtcolor.backends.available.PRECISIONS`; any other than ``fp32`` is an engine
            from the store, or of torch its weights and maps.
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
    Candidate("onnxruntime-cuda", "fp32"),
    Candidate("tensorrt", "fp16"),
    Candidate("tensorrt-rtx", "fp16"),
)
"""What is timed where nothing else is asked for, the first one being what others are held to."""

TORCH = tuple(Candidate("torch", "fp32", form) for form in ("eager", "folded", "compiled"))
TORCH_CUDA = (
    Candidate("torch-cuda", "fp32", "eager"),
    Candidate("torch-cuda", "fp32", "folded"),
    Candidate("torch-cuda", "fp16", "folded"),
)
"""Besides `TORCH`, where a GPU answers; compiled ones are in benchmarks/gpu.py."""

SPEED = {
    Candidate("onnxruntime", "fp32"): 0.85,
    Candidate("onnxruntime", "int8"): 2.7,
    Candidate("openvino", "fp32"): 0.85,
    Candidate("openvino", "int8"): 5.0,
    TORCH[0]: 0.4,
    TORCH[1]: 0.6,
    TORCH[2]: 0.65,
}
"""Arithmetic done in the time in which the machine's float32 matrix product does 1, measured of
iizuka2016 on two cores with AVX-512; for the estimate alone."""

DEFAULT_SPEED = 1.0
GPU_SPEED = 20.0

START_SECONDS = {"torch": 8.0, "torch-cuda": 12.0, "onnxruntime-cuda": 4.0, "": 1.5}
"""From the start of a process to its first run, by backend; for the estimate alone."""
COMPILE_SECONDS = 60.0


def wanted(
    backends: Sequence[str], precisions: Sequence[str], *, torch: bool
) -> tuple[Candidate, ...]:
    """The candidates of a command line.

    Args:
        backends, precisions: those asked for; none: those of `KNOWN`.
        torch: PyTorch's three forms too, and those on a GPU where one answers.
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
    compared = (*TORCH, *(TORCH_CUDA if _gpu_answers() else ())) if torch else ()
    return (*dict.fromkeys(found), *compared)


def _gpu_answers() -> bool:
    try:
        return bool(gpus())
    except BackendError:
        return False


def speed(candidate: Candidate) -> float:
    """Its arithmetic in the time in which the matrix product does 1; for the estimate alone."""
    on_gpu = candidate.backend in (*CUDA, *TENSORRT, "torch-cuda")
    return GPU_SPEED if on_gpu else SPEED.get(candidate, DEFAULT_SPEED)


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
    if candidate.backend in ("torch", "torch-cuda"):
        runner = _torch_runner(open_bundle(bundle), candidate, threads)
        return Colorizer(bundle, threads=threads, render=render), runner
    plain = candidate.backend in (*RUNNING, *CUDA) and candidate.precision == "fp32"
    colorizer = Colorizer(
        bundle,
        backend=candidate.backend,
        precision=None if plain else cast(Precision, candidate.precision),
        threads=threads,
        render=render,
    )
    return colorizer, colorizer._runner


def _torch_runner(bundle: Bundle, candidate: Candidate, threads: int | None) -> Runner:
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
    device = "cuda" if candidate.backend == "torch-cuda" else "cpu"
    runner: Runner = open_runner(
        bundle, candidate.form, threads=threads, device=device, precision=candidate.precision
    )
    return runner
