"""What runs a model: a backend by its name, an engine by its folder, or the fastest that works.

The backends on ONNX files run a bundle's own graphs in float32; TensorRT, and any other precision,
take an engine that ``trtcolor build-engine`` has built.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import NamedTuple

from trtcolor.backends.available import (
    CHOICES,
    CUDA,
    DEFAULT,
    PRECISIONS,
    TENSORRT,
    Precision,
    available,
)
from trtcolor.backends.base import BackendRunner, Runner
from trtcolor.backends.driver import first_gpu
from trtcolor.bundle import Bundle
from trtcolor.errors import BackendError, TrtcolorError


class Opened(NamedTuple):
    """A runner, and why ``auto`` took it; None: it was asked for by name."""

    runner: Runner
    reason: str | None


def open_runner(
    bundle: Bundle,
    backend: str | None = None,
    *,
    precision: Precision | None = None,
    engine: str | os.PathLike[str] | None = None,
    trust: bool = False,
    threads: int | None = None,
) -> Opened:
    """Open a bundle on a backend. One that is asked for by name is that or an error.

    Args:
        bundle: a verified bundle.
        backend: one of `trtcolor.backends.available.CHOICES`; None: the default one. ``auto``
            takes the first that works of TensorRT and TensorRT-RTX, where a GPU answers and the
            model has an engine, of ONNX Runtime on a GPU, and of the ways to run it on the CPU,
            fastest first (`trtcolor.engines.ranking`).
        precision: of the engine; None: the bundle's own graphs in float32, of the TensorRTs the
            newest engine, with ``auto`` any that is exact enough.
        engine: folder of an engine, in the place of backend and precision.
        trust: whether that folder may lie elsewhere than in the user's own cache.
        threads: threads within one run on a CPU; None leaves it to the backend.

    Raises:
        ValueError: no such backend or precision, an engine together with either, or an impossible
            number of threads.
        BackendError: the backend is not installed or does not work; ``auto``: none does.
        EngineError: the backend needs an engine and the model has none that fits, or the one named
            does not fit, is damaged or not trusted.
    """
    _check(backend, precision, engine)
    if engine is not None:
        from trtcolor.engines.load import open_engine_folder

        return Opened(open_engine_folder(bundle, Path(engine), trust=trust, threads=threads), None)
    if backend != "auto":
        return Opened(_open(bundle, backend or DEFAULT, precision, threads), None)
    return _fastest(bundle, precision, threads)


def _fastest(bundle: Bundle, precision: Precision | None, threads: int | None) -> Opened:
    """What ``auto`` takes."""
    from trtcolor.engines.ranking import usable_ways

    passed_over: list[str] = []

    def opened(runner: Runner, why: str) -> Opened:
        return Opened(runner, "; ".join([why, *passed_over]))

    for name in (*TENSORRT, *CUDA):
        try:
            runner = _working(bundle, name, precision, None, threads)
        except TrtcolorError as error:
            passed_over.append(f"{name} was passed over ({error})")
        else:
            return opened(runner, f"{name} is the first that works")
    ways, problem = usable_ways(bundle, precision)
    if problem is not None:
        passed_over.append(f"engines were passed over ({problem})")
    for way in ways:
        try:
            runner = _working(bundle, way.backend, way.precision, way.engine, threads)
        except TrtcolorError as error:
            passed_over.append(f"{way.name} was passed over ({error})")
        else:
            return opened(runner, f"{way} is the fastest that works")
    raise BackendError(
        f"backend 'auto' found none that works ({'; '.join(passed_over)}); one was needed; "
        "run: trtcolor doctor"
    )


def _working(
    bundle: Bundle,
    name: str,
    precision: Precision | None,
    engine: Path | None,
    threads: int | None,
) -> BackendRunner:
    """A runner whose local graph is loaded: one that does not take it is none that works."""
    problem = available(name).problem
    if problem is not None:
        raise BackendError(problem)
    if engine is None:
        runner = _open(bundle, name, precision, threads)
    else:
        from trtcolor.engines.load import open_engine_folder

        runner = open_engine_folder(bundle, engine, threads=threads)
    try:
        runner.load("local")
    except TrtcolorError:
        runner.close()
        raise
    return runner


def _open(
    bundle: Bundle, name: str, precision: Precision | None, threads: int | None
) -> BackendRunner:
    """The one place where a backend's name becomes its class; imports only that backend."""
    if name in (*TENSORRT, *CUDA):
        first_gpu()  # without a GPU neither would do, and the reason is this
    if name in CUDA and precision not in (None, "fp32"):
        raise BackendError(
            f"backend {name!r} came with precision {precision}; it runs a model's own graphs in "
            "fp32; leave the precision out, or take a TensorRT with an engine"
        )
    if name in TENSORRT or precision not in (None, "fp32"):
        from trtcolor.engines.load import open_engine

        return open_engine(bundle, name, precision=precision, threads=threads)
    if name == "openvino":
        from trtcolor.backends.openvino import OpenVinoRunner

        return OpenVinoRunner(bundle, threads=threads)
    if name == "onnxruntime-cuda":
        from trtcolor.backends.onnxruntime_cuda import OnnxRuntimeCudaRunner

        return OnnxRuntimeCudaRunner(bundle, threads=threads)
    from trtcolor.backends.onnxruntime import OnnxRuntimeRunner

    return OnnxRuntimeRunner(bundle, threads=threads)


def _check(
    backend: str | None, precision: Precision | None, engine: str | os.PathLike[str] | None
) -> None:
    if engine is not None and (backend is not None or precision is not None):
        raise ValueError(
            f"engine {os.fspath(engine)!r} came together with a backend or a precision, both of "
            "which it has; one or the other was needed; leave these out"
        )
    if backend not in (None, *CHOICES):
        raise ValueError(
            f"backend is {backend!r}; one of {', '.join(CHOICES)} was needed; pass one of these"
        )
    if precision not in (None, *PRECISIONS):
        raise ValueError(
            f"precision is {precision!r}; one of {', '.join(PRECISIONS)} was needed; pass one of "
            "these"
        )
