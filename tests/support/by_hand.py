"""A colouriser run by hand: NumPy in float64, ONNX Runtime, and nothing of the package."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
from colour_truth import coded, true_lab, true_linear, true_weights
from numpy.typing import NDArray

Plane = NDArray[Any]


def chroma_by_hand(path: Path, spec: dict[str, Any], lightness: Plane) -> Plane:
    """(H, W) L* -> (2, h, w) a*b* on the network's own grid, or on (H, W) if its size is fixed."""
    session = onnxruntime.InferenceSession(path)
    fixed = spec.get("size", {}).get("fixed")
    plane = lightness.astype(np.float64)
    if fixed:
        plane = _resized(plane, *fixed)
    coding = spec["input"]
    if coding["kind"] == "lightness":
        picture = ((plane - coding.get("offset", 0)) / coding.get("scale", 1))[None]
    else:
        lab = np.stack([plane, 0 * plane, 0 * plane], axis=-1)
        grey = coded(true_linear(lab).clip(0, 1))
        black, white = coding.get("range", (0, 1))
        numbers = black + grey * (white - black)
        picture = np.moveaxis(
            (numbers - _three(coding, "mean", 0)) / _three(coding, "std", 1), -1, 0
        )
        picture = picture[::-1] if coding.get("order") == "bgr" else picture
    inputs = {}
    for value in session.get_inputs():
        dtype = {"tensor(float16)": np.float16, "tensor(double)": np.float64}.get(value.type)
        if value.name in spec.get("constants", {}):
            shape = (1, value.shape[1], *plane.shape)
            whole = np.full(shape, spec["constants"][value.name])
        else:
            whole = picture[None]
        inputs[value.name] = np.ascontiguousarray(whole, dtype or np.float32)
    name = spec["output"].get("name") or session.get_outputs()[0].name
    said = session.run([name], inputs)[0][0].astype(np.float64)
    ab = _decoded(said, spec["output"])
    return np.stack([_resized(p, *lightness.shape) for p in ab]) if fixed else ab


def _decoded(said: Plane, coding: dict[str, Any]) -> Plane:
    if coding["kind"] == "ab":
        return said * coding.get("scale", 1) + coding.get("offset", 0)
    said = said[::-1] if coding.get("order") == "bgr" else said
    black, white = coding.get("range", (0, 1))
    numbers = np.moveaxis(said, 0, -1) * _three(coding, "std", 1) + _three(coding, "mean", 0)
    rgb = ((numbers - black) / (white - black)).clip(0, 1)
    return np.moveaxis(true_lab(rgb), -1, 0)[1:]


def _three(coding: dict[str, Any], name: str, default: float) -> Plane:
    return np.array(coding.get(name, [default] * 3), np.float64)


def _resized(plane: Plane, rows: int, columns: int) -> Plane:
    down, across = true_weights(plane.shape[0], rows), true_weights(plane.shape[1], columns)
    return down @ plane @ across.T
