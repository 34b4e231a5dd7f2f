"""Which backends there are and which are installed, told without importing any of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

RUNNING = ("openvino", "onnxruntime")
"""Backends that run a bundle's own graphs."""

FLOAT_TIME = {"openvino": 0.9, "onnxruntime": 1.0}
"""What each takes in float32 over ONNX Runtime's time, for machines where nothing was measured.

OpenVINO took 0.60 to 0.84 of ONNX Runtime's time on the default model, iizuka2016 and lee2016, 0.89
on hwang2016-classification and 1.00 on olah2022-unet, and gave the same a*b* within 1e-3 (2 busy
cores with AVX-512, 256x256). On quiet ones iizuka2016 takes 1.00 to 1.07 of it, and in int8 0.69 to
0.90 (`benchmarks/results/bench-iizuka2016.json`). 0.9 stands for all of these; what is measured
when an engine of a model is built takes its place (`trtcolor.engines.ranking`)."""

TENSORRT = ("tensorrt", "tensorrt-rtx")
"""Backends that run engines only, on an NVIDIA GPU; ``auto`` tries them first."""

CUDA = ("onnxruntime-cuda",)
"""Backends that run a bundle's own graphs on an NVIDIA GPU; ``auto`` tries `TENSORRT` first."""

CHOICES = ("auto", *TENSORRT, *CUDA, *RUNNING)
Precision = Literal["fp32", "fp16", "bf16", "int8"]
"""That an engine is built at."""
PRECISIONS: tuple[Precision, ...] = get_args(Precision)

DEFAULT = "onnxruntime"
"""What runs where nothing is asked for: always the same, whatever else is installed."""


@dataclass(frozen=True)
class Package:
    """What a backend is installed as.

    Attributes:
        module: as it is imported.
        distributions: of the package index that may have brought it.
        extra: of the package trtcolor, that installs it.
        builds: whether it builds engines that run on an NVIDIA GPU only.
        shared: the module also comes with distributions that do not have this backend.
    """

    module: str
    distributions: tuple[str, ...]
    extra: str
    builds: bool = False
    shared: bool = False


PACKAGES = {
    "tensorrt": Package(
        "tensorrt",
        ("tensorrt", "tensorrt-cu13", "tensorrt-cu12", "tensorrt-cu13-bindings"),
        "tensorrt",
        builds=True,
    ),
    "tensorrt-rtx": Package("tensorrt_rtx", ("tensorrt-rtx",), "tensorrt-rtx", builds=True),
    "onnxruntime-cuda": Package("onnxruntime", ("onnxruntime-gpu",), "gpu", shared=True),
    "onnxruntime": Package("onnxruntime", ("onnxruntime", "onnxruntime-gpu"), "cpu"),
    "openvino": Package("openvino", ("openvino",), "openvino"),
}
"""Every backend by name, the fastest first."""


@dataclass(frozen=True)
class Availability:
    """What can be said of a backend before it is tried.

    Attributes:
        name: of the backend.
        version: of what is installed; None: nothing is, or it does not say.
        problem: why it cannot work and what to run; None: nothing is known against it.
    """

    name: str
    version: str | None
    problem: str | None


def available(name: str) -> Availability:
    """Look whether a backend is installed; takes about a millisecond.

    Args:
        name: a key of `PACKAGES`.
    """
    package = PACKAGES[name]
    version = _version(package.distributions)
    if not _is_installed(package.module) or (package.shared and version is None):
        remedy = f'not installed; run: pip install "trtcolor[{package.extra}]"'
        return Availability(name, None, remedy)
    return Availability(name, version, None)


def _is_installed(module: str) -> bool:
    from importlib.util import find_spec

    try:
        return find_spec(module) is not None
    except ValueError:  # None or something without a spec stands in sys.modules
        return False


def _version(distributions: tuple[str, ...]) -> str | None:
    from importlib import metadata  # takes longer to import than all of trtcolor

    for distribution in distributions:
        try:
            return metadata.version(distribution)
        except metadata.PackageNotFoundError:
            continue
    return None
