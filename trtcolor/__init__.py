"""trtcolor: automatic colour for black-and-white pictures and film.

    from trtcolor import Colorizer

    with Colorizer() as colorizer:
        coloured = colorizer.colorize(grey)  # (H, W) uint8 -> (H, W, 3) uint8

What is listed in ``__all__`` is imported when it is first used, so that ``import trtcolor`` is
quick and needs nothing besides numpy.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from trtcolor.colorizer import Colorizer
    from trtcolor.errors import (
        BackendError,
        BundleError,
        CheckpointError,
        ClusterError,
        ConfigError,
        DataError,
        DeviceLostError,
        EngineError,
        ExportError,
        NoGlobalFeaturesError,
        OutOfDeviceMemoryError,
        OutputExistsError,
        PictureError,
        PrecisionError,
        StoreError,
        StoreUnreachableError,
        StudyError,
        TrainingError,
        TrtcolorError,
        UnknownModelError,
        VideoError,
    )
    from trtcolor.spec import ModelSpec, SizeRule

    __version__: str

__all__ = [
    "BackendError",
    "BundleError",
    "CheckpointError",
    "ClusterError",
    "Colorizer",
    "ConfigError",
    "DataError",
    "DeviceLostError",
    "EngineError",
    "ExportError",
    "ModelSpec",
    "NoGlobalFeaturesError",
    "OutOfDeviceMemoryError",
    "OutputExistsError",
    "PictureError",
    "PrecisionError",
    "SizeRule",
    "StoreError",
    "StoreUnreachableError",
    "StudyError",
    "TrainingError",
    "TrtcolorError",
    "UnknownModelError",
    "VideoError",
    "__version__",
]

_MODULES = {
    "Colorizer": "trtcolor.colorizer",
    "ModelSpec": "trtcolor.spec",
    "SizeRule": "trtcolor.spec",
}


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module 'trtcolor' has no attribute {name!r}")
    if name == "__version__":
        from importlib.metadata import version

        value: Any = version("trtcolor")
    else:
        value = getattr(import_module(_MODULES.get(name, "trtcolor.errors")), name)
    globals()[name] = value  # the next look-up does not come here
    return value


def __dir__() -> list[str]:
    return sorted(set(globals()) | set(__all__))
