"""ONNX models run as they are, and bytes held against others."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
import onnxruntime
from numpy.typing import NDArray


def session(model: onnx.ModelProto) -> onnxruntime.InferenceSession:
    """Of a model that keeps ONNX's rules, its shapes included."""
    onnx.checker.check_model(model, full_check=True)
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    return onnxruntime.InferenceSession(model.SerializeToString(), options)


def run(model: onnx.ModelProto, **inputs: NDArray[Any]) -> dict[str, NDArray[Any]]:
    """All that a model gives, by name."""
    on = session(model)
    names = [value.name for value in on.get_outputs()]
    return dict(zip(names, on.run(names, inputs), strict=True))


def assert_same_colours(found: NDArray[np.uint8], expected: NDArray[np.uint8]) -> None:
    """No byte is more than 2 away, at most 0.01 % more than 1; of small pictures none."""
    assert found.dtype == np.uint8
    assert found.shape == expected.shape
    distance = np.abs(found.astype(int) - expected)
    assert distance.max() <= 2
    assert (distance > 1).mean() <= 1e-4
