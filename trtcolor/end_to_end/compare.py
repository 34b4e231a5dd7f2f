"""Whether an end-to-end graph gives the colours of the CPU path, on ONNX Runtime."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray

from trtcolor.backends.onnxruntime import OnnxRuntimeRunner
from trtcolor.bundle import Bundle
from trtcolor.end_to_end.steps import Gamut
from trtcolor.errors import ExportError
from trtcolor.frames import array_from_frame, frame_from_array
from trtcolor.geometry import Render
from trtcolor.precision.runner import GraphRunner
from trtcolor.predictor import Predictor

MOST = 2
"""That a byte may be away."""
BEYOND = 1e-4
"""Share of the bytes that may be more than 1 away."""
JUMPING_BEYOND = 1e-2
"""The same where the network's own numbers jump: an int8 step, or the best of the colour bins, may
be another one for a lightness that differs by a rounding; how far is not limited then."""

Frames = NDArray[np.uint8]


@dataclass(frozen=True)
class Comparison:
    """How far a graph is from the CPU path.

    Attributes:
        bytes: that were compared.
        most: the largest difference of one.
        beyond: share of those that are more than 1 away.
    """

    bytes: int
    most: int
    beyond: float

    def __str__(self) -> str:
        return (
            f"of {self.bytes} bytes none is more than {self.most} from the CPU path, "
            f"{self.beyond:.4%} are more than 1"
        )


def compare(
    model: onnx.ModelProto,
    bundle: Bundle,
    *,
    render: Render,
    gamut: Gamut,
    saturation: float,
    graphs: Mapping[str, onnx.ModelProto] | None,
) -> Comparison:
    """Colour pictures of all kinds and several sizes both ways.

    Args:
        model: the end-to-end graph.
        bundle, render, gamut, saturation, graphs: that it was made of.

    Raises:
        BackendError: ONNX Runtime is not installed, or does not run it.
    """
    given = any(value.name == "global_features" for value in model.graph.input)
    distances = []
    with (
        closing(GraphRunner({"end-to-end": model})) as whole,
        closing(OnnxRuntimeRunner(bundle) if graphs is None else GraphRunner(graphs)) as runner,
    ):
        predictor = Predictor(bundle.spec, runner, memory=None, threads=None)
        for frames in trial_frames(model, bundle, render):
            inputs: dict[str, Any] = {"frames": frames}
            features = None
            if given:
                style = frame_from_array(frames[0, ::-1]).lightness
                features = predictor.describe(style, "global_features")
                inputs["global_features"] = np.stack([features] * len(frames))
            (rgb,) = whole.run("end-to-end", inputs, ["rgb"])
            for frame, found in zip(frames, rgb, strict=True):
                expected = _coloured(predictor, frame, features, render, gamut, saturation)
                distances.append(np.abs(found.astype(np.int16) - expected).ravel())
    every = np.concatenate(distances)
    return Comparison(every.size, int(every.max()), float((every > 1).mean()))


def check(comparison: Comparison, bundle: Bundle, *, jumps: bool) -> None:
    """Refuse a graph that gives other colours.

    Args:
        jumps: whether the network's own numbers do, see `JUMPING_BEYOND`.

    Raises:
        ExportError: it is beyond the limits.
    """
    fits = comparison.beyond <= (JUMPING_BEYOND if jumps else BEYOND)
    if not fits or (comparison.most > MOST and not jumps):
        raise ExportError(
            f"the end-to-end graph of {bundle.spec.name!r} gives other colours ({comparison}); at "
            f"most {MOST}, and more than 1 in {BEYOND:.2%}, were needed; nothing was written, "
            "report this as a fault"
        )


def trial_frames(model: onnx.ModelProto, bundle: Bundle, render: Render) -> Iterator[Frames]:
    """Stacks (N, H, W, C) of several sizes, for each number of channels that the graph takes."""
    batch, _, _, channels = (
        dim.dim_value for dim in model.graph.input[0].type.tensor_type.shape.dim
    )
    side = bundle.spec.size.render_size if render == "auto" else render
    side = side if isinstance(side, int) else 64
    sizes = [(1, 1), (1, 9), (97, 66), (side + side // 2 + 1, 2 * side + 3)]
    for count in [channels] if channels else (1, 3):
        for number, (height, width) in enumerate(sizes):
            pictures = batch or 1 + number % 2
            yield np.stack([_picture(height, width, count, seed) for seed in range(pictures)])


def _picture(height: int, width: int, channels: int, seed: int) -> Frames:
    """Ramps, texture, and patches of strong colour, black and white."""
    rng = np.random.default_rng(seed)
    rows, columns = (np.linspace(0, 1, side) for side in (height, width))
    tilt = rng.uniform(-200, 200, (2, channels))
    ramps = rows[:, None, None] * tilt[0] + columns[:, None] * tilt[1] + 128
    picture = ramps + rng.normal(0, 12, (height, width, channels))
    patch = rng.choice([-1000, 0, 1000], (height // 8 + 1, width // 8 + 1, channels), p=PATCHES)
    picture += patch.repeat(8, axis=0).repeat(8, axis=1)[:height, :width]
    frame: Frames = picture.clip(0, 255).astype(np.uint8)
    return frame


PATCHES = (0.1, 0.8, 0.1)
"""Parts of a picture that are 0, ramps, and 255."""


def _coloured(
    predictor: Predictor,
    frame: Frames,
    features: NDArray[np.float32] | None,
    render: Render,
    gamut: Gamut,
    saturation: float,
) -> NDArray[Any]:
    """As `trtcolor.colorizer.Colorizer.colorize` does it."""
    taken = frame_from_array(frame)
    seen = predictor.see(taken.lightness, render, global_features=features, joint=False)
    chroma = predictor.predict(seen).chroma * np.float32(saturation)
    return array_from_frame(taken, chroma, scale=seen.plan.merge_scale, gamut=gamut)
