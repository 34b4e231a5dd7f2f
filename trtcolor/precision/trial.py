"""How a picture goes through a bundle's graphs when two sets of them are compared."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from trtcolor import color
from trtcolor.backends.base import Runner
from trtcolor.errors import PrecisionError
from trtcolor.geometry import Size, crop, pad_edges, padded_size, plan_render
from trtcolor.resize import resize_plane
from trtcolor.spec import ModelSpec

Plane = NDArray[np.float32]


@dataclass(frozen=True)
class Trial:
    """A picture at one size: what the graphs are given.

    Attributes:
        way: which graphs at which size, for people: ``joint 128x128``.
        lightness: (H, W) float32 L*.
        joint: whether the joint graph runs, as in the Colorizer at the size of training.
    """

    way: str
    lightness: Plane
    joint: bool


def trials(spec: ModelSpec, picture: Plane) -> list[Trial]:
    """A picture at the size of training, and at a larger one that is not square.

    The first goes through the joint graph where there is one, the second through the local graph
    and, where there is one, the global graph: all graphs of a bundle run.
    """
    rule, joint = spec.size, "joint" in spec.graphs
    side = rule.training_size
    larger = padded_size((side * 3 // 2, side * 2), rule.multiple)
    if picture.shape[0] > picture.shape[1]:
        larger = larger[1], larger[0]
    if joint and rule.global_size is not None:
        square = rule.global_size, rule.global_size  # the only size that it takes
    else:
        square = padded_size((side, side), rule.multiple)
    return [
        _trial("joint" if joint else "local", picture, square, joint),
        _trial("local and global" if "global" in spec.graphs else "local", picture, larger, False),
    ]


def _trial(way: str, picture: Plane, size: Size, joint: bool) -> Trial:
    longer, shorter = max(size), min(size)
    return Trial(f"{way} {longer}x{shorter}", resize_plane(picture, size), joint)


def graph_inputs(runner: Runner, spec: ModelSpec, trial: Trial) -> dict[str, dict[str, Plane]]:
    """What each graph is given for a trial, by graph; the global graph runs for the local one."""
    picture = trial.lightness[None, None]
    if trial.joint:
        return {"joint": {"lightness": picture}}
    padded = pad_edges(picture, padded_size(trial.lightness.shape, spec.size.multiple))
    inputs = {"local": {"lightness": np.ascontiguousarray(padded)}}
    side = spec.size.global_size
    if side is not None:
        inputs["global"] = {"lightness": resize_plane(trial.lightness, (side, side))[None, None]}
        found = _run(runner, spec, "global", inputs["global"])
        inputs["local"]["global_features"] = found["global_features"]
    return inputs


def coloured(runner: Runner, spec: ModelSpec, trial: Trial) -> NDArray[np.uint8]:
    """A trial in colour, as the Colorizer does it.

    Returns:
        (H, W, 3) uint8 RGB.

    Raises:
        PrecisionError: a graph gave something that is not finite.
        BackendError: a graph does not run.
    """
    inputs = graph_inputs(runner, spec, trial)
    graph = "joint" if trial.joint else "local"
    chroma = _run(runner, spec, graph, inputs[graph])["chroma"][0]
    plan = plan_render(trial.lightness.shape, spec.size, "full")
    return color.merge_lab(trial.lightness, crop(chroma, plan.chroma), scale=plan.merge_scale)


def _run(
    runner: Runner, spec: ModelSpec, graph: str, inputs: dict[str, Plane]
) -> dict[str, NDArray[np.float32]]:
    """All outputs of a graph but ``bin_logits``."""
    names = [name for name in spec.graphs[graph].outputs if name != "bin_logits"]
    found = dict(zip(names, runner.run(graph, inputs, names), strict=True))
    for name, values in found.items():
        if not np.isfinite(values).all():
            raise PrecisionError(
                f"graph {graph!r} of model {spec.name!r} gives {name} that is not finite at this "
                "precision; numbers were needed; choose another precision"
            )
    return found
