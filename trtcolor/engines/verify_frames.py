"""The plans around an engine's network are run too: frames in, frames out, as on the CPU."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing
from itertools import cycle, islice, product
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from trtcolor.backends.base import Runner
from trtcolor.backends.frame_plans import PREPARE, FramePlans
from trtcolor.backends.onnxruntime import OnnxRuntimeRunner
from trtcolor.bundle import Bundle
from trtcolor.color import lightness_from_grey
from trtcolor.engines.profile import Shape, ShapeProfile, shape_text
from trtcolor.errors import EngineError
from trtcolor.frames import array_from_frame, frame_from_array
from trtcolor.metrics.difference import mean_ciede2000
from trtcolor.predictor import Predictor
from trtcolor.resize import resize_plane

Frames = NDArray[np.uint8]


class FrameTrial(NamedTuple):
    """Attributes: way: for people; differences: CIEDE2000 to the CPU's colours, one a frame."""

    way: str
    differences: list[float]


def try_frames(
    bundle: Bundle,
    runner: Runner,
    frames: FramePlans,
    profiles: Sequence[ShapeProfile],
    pictures: Sequence[NDArray[np.float32]],
) -> Iterator[FrameTrial]:
    """Colour frames, of RGB and of grey, at the ends and the optimum of their profiles.

    Args:
        bundle: that the engine was built from, verified; its own graphs are the reference.
        runner: of the engine.
        frames: what its plans do.
        profiles: of the frames.
        pictures: (H, W) float32 L*, scaled to the sizes that run; an RGB frame has another one in
            each channel.

    Raises:
        EngineError: what a plan gives is not finite or has another shape.
        BackendError: it does not run.
    """
    endless = cycle(pictures)
    shapes = dict.fromkeys(s for p in profiles for s in (p.minimum, p.optimum, p.maximum))
    with closing(OnnxRuntimeRunner(bundle)) as reference:
        predictor = Predictor(bundle.spec, reference, memory=None, threads=None)
        for shape, channels in product(shapes, PREPARE):
            given = _frames(endless, shape, channels)
            found = _coloured(bundle, runner, frames, given)
            expected = [_expected(predictor, frames, frame) for frame in given]
            yield FrameTrial(
                f"frames {shape_text(shape)} of {channels}",
                [mean_ciede2000(f, e) for f, e in zip(found, expected, strict=True)],
            )


def _frames(pictures: Iterator[NDArray[np.float32]], shape: Shape, channels: int) -> Frames:
    """(N, H, W, C) uint8, sRGB-coded: the pictures' grey codes."""
    batch, *size = shape
    planes = (resize_plane(p, (size[0], size[1])) for p in islice(pictures, batch * channels))
    codes = np.stack([_grey_codes(plane) for plane in planes])
    return np.ascontiguousarray(codes.reshape(batch, channels, *size).transpose(0, 2, 3, 1))


def _grey_codes(lightness: NDArray[np.float32]) -> Frames:
    """The 8-bit grey of each L*, by the table of those of all greys."""
    steps = lightness_from_grey(np.arange(256, dtype=np.uint8)[None])[0]
    return np.searchsorted((steps[1:] + steps[:-1]) / 2, lightness).astype(np.uint8)


def _coloured(bundle: Bundle, runner: Runner, frames: FramePlans, given: Frames) -> Frames:
    """(N, H, W, 3) uint8 by the engine's plans alone."""
    rule = bundle.spec.size
    plans = frames.graphs(frames.render, frames.gamut, given.shape[3])
    names = ["lightness", "network_lightness"]
    if rule.global_size is not None:
        names.append("global_lightness")
    prepared = _run(runner, plans.prepare, {"frames": given}, names)
    inputs = {"lightness": prepared["network_lightness"]}
    if rule.global_size is not None:
        square = {"lightness": prepared["global_lightness"]}
        inputs |= _run(runner, "global", square, ["global_features"])
    chroma = _run(runner, "local", inputs, ["chroma"])
    merged = {"lightness": prepared["lightness"], "saturation": np.ones(1, np.float32)}
    rgb: Frames = _run(runner, plans.merge, merged | chroma, ["rgb"])["rgb"]
    if rgb.shape != (*given.shape[:3], 3):
        raise EngineError(
            f"plan {plans.merge!r} of the engine of model {bundle.spec.name!r} gives frames of "
            f"shape {rgb.shape}; {(*given.shape[:3], 3)} was needed; build the engine again"
        )
    return rgb


def _expected(predictor: Predictor, frames: FramePlans, frame: Frames) -> NDArray[Any]:
    """(H, W, 3) uint8 as `trtcolor.colorizer.Colorizer` gives it on the CPU."""
    taken = frame_from_array(frame)
    seen = predictor.see(taken.lightness, frames.render, joint=False)
    chroma = predictor.predict(seen).chroma
    return array_from_frame(taken, chroma, scale=seen.plan.merge_scale, gamut=frames.gamut)


def _run(runner: Runner, graph: str, inputs: dict[str, Any], names: list[str]) -> dict[str, Any]:
    results = dict(zip(names, runner.run(graph, inputs, names), strict=True))
    for name, result in results.items():
        if not np.isfinite(result).all():
            raise EngineError(
                f"plan {graph!r} of the engine gives {name} that is not finite; numbers were "
                "needed; choose another precision, or report it with 'trtcolor doctor'"
            )
    return results
