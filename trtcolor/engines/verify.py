"""An engine is run before it is trusted: its colours against ONNX Runtime's in float32.

At the smallest, the best and the largest size of every profile, on real pictures: an engine may be
right at one size and give NaN at another, where its builder has chosen other kernels.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass
from itertools import cycle, islice

import numpy as np
from numpy.typing import NDArray

from trtcolor import color
from trtcolor.backends.base import Runner
from trtcolor.backends.onnxruntime import OnnxRuntimeRunner
from trtcolor.bundle import Bundle
from trtcolor.engines.config import EngineConfig
from trtcolor.engines.profile import Shape, ShapeProfile, shape_text
from trtcolor.engines.sidecar import Verification
from trtcolor.engines.verify_frames import try_frames
from trtcolor.errors import EngineError
from trtcolor.metrics.difference import mean_ciede2000
from trtcolor.precision.gate import LIMITS, Figures
from trtcolor.resize import resize_plane
from trtcolor.spec import ModelSpec

Planes = NDArray[np.float32]


def verify(
    bundle: Bundle,
    runner: Runner,
    config: EngineConfig,
    pictures: Sequence[Planes],
    *,
    enforce: bool = True,
    say: Callable[[str], None] | None = None,
) -> Verification:
    """Run all graphs of an engine at the ends and the optimum of its profiles.

    Args:
        bundle: that it was built from, verified; its own graphs are the reference.
        runner: of the engine.
        config: what it was built for.
        pictures: (H, W) float32 L* planes, each of its own size, scaled to the sizes that run.
        enforce: refuse colours that are further from float32 than the precision's gate allows; off
            where the user has accepted that of the graphs.
        say: is given a line for each size.

    Returns:
        Status ``verified`` with the figures of each size.

    Raises:
        EngineError: something that it gives is not finite, or its colours are too far off.
        BackendError: it does not run.
    """
    spec, limits = bundle.spec, LIMITS[config.precision]
    trials = list(_trials(spec, config.profiles, pictures))
    # One after the other: at 2048x2048 each holds gigabytes.
    with closing(OnnxRuntimeRunner(bundle)) as reference:
        expected = [_coloured(reference, spec, trial) for trial in trials]
    ways: dict[str, Figures] = {}
    differences: list[float] = []

    def note(way: str, here: list[float]) -> None:
        differences.extend(here)
        ways[way] = Figures.of(here)
        if say is not None:
            say(f"{way}: CIEDE2000 to float32 {ways[way]}")

    for trial, true in zip(trials, expected, strict=True):
        found = _coloured(runner, spec, trial)
        note(trial.way, [mean_ciede2000(f, t) for f, t in zip(found, true, strict=True)])
    if config.frames is not None:
        for way, here in try_frames(bundle, runner, config.frames, config.frame_profiles, pictures):
            note(way, here)
    every = Figures.of(differences)
    if enforce and not every.within(limits):
        raise EngineError(
            f"the engine of model {spec.name!r} gives other colours than float32 (CIEDE2000 "
            f"{every}; limits: mean {limits.mean:g}, worst picture {limits.worst:g}); the same "
            "ones were needed; choose another precision, or report it with 'trtcolor doctor'"
        )
    return Verification(
        status="verified",
        figures={
            "ways": {way: asdict(found) for way, found in ways.items()},
            "all": asdict(every),
            "limits": asdict(limits),
            "device": runner.device,
            "reference": "onnxruntime fp32",
        },
    )


@dataclass(frozen=True)
class _Trial:
    """Attributes: way: for people; graph: that runs; planes: (N, 1, H, W) L*."""

    way: str
    graph: str
    planes: Planes


def _trials(
    spec: ModelSpec, profiles: Sequence[ShapeProfile], pictures: Sequence[Planes]
) -> Iterator[_Trial]:
    """Every graph at every size that it takes; the global graph runs for the local one."""
    endless = cycle(pictures)  # each size runs on other pictures
    shapes = dict.fromkeys(s for p in profiles for s in (p.minimum, p.optimum, p.maximum))
    for shape in shapes:
        yield _Trial(f"local {shape_text(shape)}", "local", _scaled(endless, shape))
    side = spec.size.global_size
    if "joint" in spec.graphs and side is not None:
        for batch in dict.fromkeys(batch for batch, _, _ in shapes):
            shape = batch, side, side
            yield _Trial(f"joint {shape_text(shape)}", "joint", _scaled(endless, shape))


def _scaled(pictures: Iterator[Planes], shape: Shape) -> Planes:
    batch, height, width = shape
    taken = islice(pictures, batch)
    return np.stack([resize_plane(picture, (height, width))[None] for picture in taken])


def _coloured(runner: Runner, spec: ModelSpec, trial: _Trial) -> list[NDArray[np.uint8]]:
    """N pictures (H, W, 3) uint8 RGB."""
    planes, inputs = trial.planes, {"lightness": trial.planes}
    side = spec.size.global_size
    if trial.graph == "local" and side is not None:
        copies = np.stack([resize_plane(plane[0], (side, side))[None] for plane in planes])
        inputs["global_features"] = _run(runner, spec, "global", {"lightness": copies})
    chroma = _run(runner, spec, trial.graph, inputs)
    scale = spec.size.chroma_scale
    return [
        color.merge_lab(plane[0], np.ascontiguousarray(ab), scale=scale)
        for plane, ab in zip(planes, chroma, strict=True)
    ]


def _run(runner: Runner, spec: ModelSpec, graph: str, inputs: dict[str, Planes]) -> Planes:
    """Chroma or the global features of a graph; all that it gives is looked at."""
    names = [name for name in spec.graphs[graph].outputs if name != "bin_logits"]
    first = "global_features" if graph == "global" else "chroma"
    names.sort(key=lambda name: name != first)
    results = runner.run(graph, inputs, names)
    for name, result in zip(names, results, strict=True):
        if not np.isfinite(result).all():
            batch, _, height, width = inputs["lightness"].shape
            raise EngineError(
                f"graph {graph!r} of the engine of model {spec.name!r} gives {name} that is not "
                f"finite at {shape_text((batch, height, width))}; numbers were needed; choose "
                "another precision, or report it with 'trtcolor doctor'"
            )
    return results[0]
