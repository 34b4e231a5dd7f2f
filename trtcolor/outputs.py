"""What a network gives, and what it is given of another run, checked before it is used."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from trtcolor.errors import BackendError, BundleError, NoGlobalFeaturesError
from trtcolor.geometry import chroma_size
from trtcolor.spec import ModelSpec

Float = NDArray[np.float32]


def check_finite(spec: ModelSpec, graph: str, name: str, found: Float) -> None:
    """Refuse what is no number: NaN chroma would silently come out grey.

    Raises:
        BackendError: something is not finite.
    """
    if not np.isfinite(found).all():
        raise BackendError(
            f"graph {graph!r} of model {spec.name!r} gave {name} that is not finite; numbers were "
            "needed; the weights are broken, export the model again"
        )


def check_grid(
    spec: ModelSpec, name: str, found: Float, channels: int | None, lightness: Float
) -> None:
    """Refuse an output that does not lie on the chroma grid over a graph's input.

    Args:
        spec: of the model.
        name, found: of the output.
        channels: that it must have; None: any.
        lightness: (1, 1, h, w), the input.

    Raises:
        BackendError: it is of another shape.
    """
    height, width = lightness.shape[2:]
    grid = chroma_size((height, width), spec.size.chroma_scale)
    needed = (1, found.shape[1] if channels is None else channels, *grid)
    if found.shape != needed:
        raise BackendError(
            f"model {spec.name!r} gave {name} of shape {found.shape} for a frame of "
            f"{height}x{width}; {needed} was needed; export the model again"
        )


def check_scenes(spec: ModelSpec, logits: Float) -> None:
    """Refuse (C,) scores of a classifier of another number of classes than ``model.json`` names.

    Raises:
        BundleError: it is another number.
    """
    if spec.classes and logits.shape != (len(spec.classes),):
        raise BundleError(
            f"model {spec.name!r} gives {logits.size} class logits and names "
            f"{len(spec.classes)} classes; as many were needed; export the model again"
        )


def checked_features(spec: ModelSpec, features: NDArray[Any]) -> Float:
    """Global features (G,) as the network takes them, (1, G) float32.

    Raises:
        NoGlobalFeaturesError: the network takes none.
        ValueError: they are no vector of finite numbers.
    """
    check_global(spec)
    vector = np.asarray(features, dtype=np.float32)
    if vector.ndim != 1 or not np.isfinite(vector).all():
        raise ValueError(
            f"global_features of shape {vector.shape} came; a (G,) vector of finite numbers "
            "was needed; take one from Colorizer.global_features"
        )
    return np.ascontiguousarray(vector)[None]


def check_global(spec: ModelSpec) -> None:
    """Refuse a model without a global network.

    Raises:
        NoGlobalFeaturesError: it has none.
    """
    if not spec.has_global_features:
        raise NoGlobalFeaturesError(
            f"model {spec.name!r} has no global features; a model with a global network was "
            "needed; choose another model or leave them out"
        )
