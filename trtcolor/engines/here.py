"""This machine as engines see it: which builder, in which version, for which GPU."""

from __future__ import annotations

import platform
import sys
from dataclasses import dataclass

from trtcolor.backends._tensorrt import MODULES, import_tensorrt
from trtcolor.backends.available import Precision
from trtcolor.backends.driver import first_gpu
from trtcolor.backends.onnxruntime import import_onnxruntime
from trtcolor.backends.openvino import import_openvino
from trtcolor.bundle import Bundle
from trtcolor.engines.config import EngineConfig
from trtcolor.engines.identity import Gpu, Identity
from trtcolor.engines.target import known_targets, resolve_targets
from trtcolor.errors import BackendError, PrecisionError


@dataclass(frozen=True)
class Builder:
    """What builds engines here.

    Attributes:
        backend: whose engines they are.
        version: of the module, in full.
        reason: why ``auto`` took it; None: it was asked for by name.
    """

    backend: str
    version: str
    reason: str | None = None

    @property
    def is_tensorrt(self) -> bool:
        """Whether it builds plans, which run on an NVIDIA GPU; the others build ONNX files."""
        return self.backend in MODULES


def find_builder(backend: str) -> Builder:
    """The builder of a backend, or with ``auto`` of the TensorRT that fits this machine.

    ``auto`` takes ``tensorrt`` where it imports and a GPU answers, since it builds for that GPU
    alone, else ``tensorrt-rtx``, which needs none.

    Raises:
        BackendError: it is not installed; with ``auto``, neither fits.
    """
    if backend != "auto":
        return Builder(backend, builder_version(backend))
    try:
        version = builder_version("tensorrt")
        gpu = first_gpu()
        return Builder("tensorrt", version, f"TensorRT {version} imports and {gpu.name} answers")
    except BackendError as error:
        against = str(error)
    try:
        version = builder_version("tensorrt-rtx")
    except BackendError as error:
        raise BackendError(
            f"backend 'auto' found no builder (tensorrt: {against}; tensorrt-rtx: {error}); one of "
            "them was needed; install one, or build for --backend onnxruntime or openvino"
        ) from None
    return Builder("tensorrt-rtx", version, f"it needs no GPU to build; tensorrt: {against}")


def builder_version(backend: str) -> str:
    """Version of the module that builds a backend's engines, in full.

    Raises:
        BackendError: it does not import.
    """
    if backend == "onnxruntime":
        return str(import_onnxruntime().__version__)
    if backend == "openvino":
        return str(import_openvino().__version__)
    return str(import_tensorrt(backend).__version__)


def check_precision(backend: str, precision: Precision) -> None:
    """Raise PrecisionError if a backend's engines do not come in a precision."""
    if backend not in MODULES and precision not in ("fp32", "int8"):
        raise PrecisionError(
            f"precision {precision} came for backend {backend!r}, which computes in fp32 and int8 "
            "on a CPU; one of these was needed; build it for tensorrt-rtx, or take int8"
        )


def targets_of(builder: Builder, text: str) -> tuple[str, ...]:
    """``--target`` as `EngineConfig` has it.

    Raises:
        ValueError, BackendError: as from `trtcolor.engines.target.resolve_targets`; a target came
            for a backend that runs on the CPU.
    """
    if not builder.is_tensorrt:
        if text != "this":
            raise BackendError(
                f"target {text!r} came for backend {builder.backend!r}, which runs on the CPU; "
                "'this' was needed; leave it out, or build for tensorrt-rtx"
            )
        return ()
    known = known_targets(import_tensorrt(builder.backend))
    return resolve_targets(text, backend=builder.backend, known=known, present=present_target())


def present_target() -> str | None:
    """The target of this machine's GPU, e.g. ``sm89``; None where none answers."""
    try:
        return first_gpu().target
    except BackendError:
        return None


def identity_here(bundle: Bundle, config: EngineConfig, version: str) -> Identity:
    """The identity of a bundle's engine as this machine builds and runs it.

    Args:
        bundle: verified.
        config: what is asked of the engine.
        version: of the builder.

    Raises:
        BackendError: the engine is for this machine's GPU, and none answers.
    """
    spec = bundle.spec
    built_on_gpu = config.backend in MODULES and not config.targets
    return Identity(
        model=spec.name,
        graphs={name: graph.file for name, graph in spec.graphs.items()},
        files=dict(spec.files),
        config=config,
        builder_version=version,
        os=sys.platform,
        architecture=platform.machine(),
        gpu=_gpu() if built_on_gpu else None,
    )


def _gpu() -> Gpu:
    found = first_gpu()
    return Gpu(name=found.name, compute_capability=found.compute_capability, driver=found.driver)
