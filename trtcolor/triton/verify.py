"""Whether the models of a repository give the colours of the CPU path, on ONNX Runtime."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import closing
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from trtcolor.bundle import Bundle
from trtcolor.errors import ExportError
from trtcolor.geometry import Render

if TYPE_CHECKING:
    import onnx

    from trtcolor.end_to_end.steps import Gamut

AWAY = 1e-3
"""Of the largest of a picture's global features, that one may be away."""
JUMPING_AWAY = 0.1
"""The same at another precision, as `trtcolor.end_to_end.compare.JUMPING_BEYOND`."""


def check_models(
    models: Sequence[onnx.ModelProto],
    bundle: Bundle,
    *,
    render: Render,
    gamut: Gamut,
    saturation: float,
    graphs: Mapping[str, onnx.ModelProto] | None,
) -> None:
    """Refuse models that give other colours, or other global features.

    Args:
        models: one that takes frames and gives them; or the one for global features before it.
        bundle, render, gamut, saturation, graphs: that they were made of.

    Raises:
        ExportError: they do (`trtcolor.end_to_end.compare.check`).
        BackendError: ONNX Runtime is not installed, or does not run a model.
    """
    from trtcolor.end_to_end.compare import check, compare

    *features, painting = models
    found = compare(
        painting, bundle, render=render, gamut=gamut, saturation=saturation, graphs=graphs
    )
    check(found, bundle, jumps=graphs is not None or bundle.spec.decoder["kind"] == "mode")
    for model in features:
        _check_features(model, bundle, render, graphs)


def _check_features(
    model: onnx.ModelProto,
    bundle: Bundle,
    render: Render,
    graphs: Mapping[str, onnx.ModelProto] | None,
) -> None:
    from trtcolor.backends.onnxruntime import OnnxRuntimeRunner
    from trtcolor.end_to_end.compare import trial_frames
    from trtcolor.frames import frame_from_array
    from trtcolor.precision.runner import GraphRunner
    from trtcolor.predictor import Predictor

    with (
        closing(GraphRunner({"features": model})) as whole,
        closing(OnnxRuntimeRunner(bundle) if graphs is None else GraphRunner(graphs)) as runner,
    ):
        predictor = Predictor(bundle.spec, runner, memory=None, threads=None)
        for frames in trial_frames(model, bundle, render):
            inputs: dict[str, Any] = {"frames": frames}
            (found,) = whole.run("features", inputs, ["global_features"])
            for frame, vector in zip(frames, found, strict=True):
                lightness = frame_from_array(frame).lightness
                expected = predictor.describe(lightness, "global_features")
                _compare(vector, expected, AWAY if graphs is None else JUMPING_AWAY)


def _compare(found: NDArray[np.float32], expected: NDArray[np.float32], limit: float) -> None:
    away = float(np.abs(found - expected).max())
    largest = float(np.abs(expected).max())
    if not away <= limit * largest:
        raise ExportError(
            f"the graph of global features is {away:.3g} away from such up to {largest:.3g}; at "
            f"most {limit:.1%} of these was needed; nothing was written, report this as a fault"
        )
