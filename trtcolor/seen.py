"""`Seen`: a frame's lightness as a network takes it, reduced and padded; `SeenOnDevice`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from trtcolor.geometry import Render, RenderPlan, pad_edges, plan_render
from trtcolor.resize import resize_plane
from trtcolor.spec import ModelSpec

if TYPE_CHECKING:
    from trtcolor.backends.device_arrays import DeviceArray

Float = NDArray[np.float32]


@dataclass(frozen=True)
class Seen:
    """A frame as the network sees it.

    Attributes:
        plan: its sizes.
        graph: ``"local"`` or ``"joint"``.
        network_lightness: (1, 1, h, w) float32 L*, what that graph takes.
        global_lightness: (1, 1, S, S) float32 L*, what the global graph takes, if it is to run.
        global_features: (1, G) float32 that the caller gave instead.
    """

    plan: RenderPlan
    graph: Literal["local", "joint"]
    network_lightness: Float
    global_lightness: Float | None
    global_features: Float | None


@dataclass(frozen=True)
class SeenOnDevice:
    """A frame as the network sees it, and its lightness for the merge; arrays on the GPU.

    Attributes:
        plan: its sizes.
        merge: name of the graph that merges it.
        lightness: (1, 1, H, W) float32 L*, at full size.
        network_lightness: (1, 1, h, w) float32 L*, padded.
        global_lightness: (1, 1, S, S) float32 L* for the global graph; None where there is none.
        global_features: (1, G) float32 on the host that were given instead of the frame's own.
    """

    plan: RenderPlan
    merge: str
    lightness: DeviceArray
    network_lightness: DeviceArray
    global_lightness: DeviceArray | None
    global_features: Float | None


def see(
    spec: ModelSpec,
    lightness: Float,
    render: Render,
    *,
    global_features: Float | None,
    joint: bool,
    threads: int | None,
) -> Seen:
    """A frame's lightness as the network takes it.

    The global network's copy is made from the whole unpadded frame, its aspect not kept (004,
    section 3.4).

    Args:
        spec: of the model.
        lightness: (H, W) float32 L*, at full size.
        render: how large the network sees it.
        global_features: (1, G) float32 to use instead of the frame's own.
        joint: whether the joint graph may be taken where the sizes allow it. It needs less time,
            and gives no global features before the chroma is there.
        threads: at most.

    Raises:
        ValueError: the render size is none.
    """
    rule = spec.size
    plan, seen = reduced_lightness(spec, lightness, render, threads=threads)
    graph: Literal["local", "joint"] = "local"
    square = None
    if rule.global_size is not None and global_features is None:
        side = (rule.global_size, rule.global_size)
        if joint and "joint" in spec.graphs and plan.network == side:
            graph = "joint"
        else:
            square = resize_plane(lightness, side, threads=threads)[None, None]
    if graph == "local":
        seen = pad_edges(seen, plan.padded)
    return Seen(
        plan=plan,
        graph=graph,
        network_lightness=np.ascontiguousarray(seen)[None, None],
        global_lightness=square,
        global_features=global_features,
    )


def reduced_lightness(
    spec: ModelSpec, lightness: Float, render: Render, *, threads: int | None
) -> tuple[RenderPlan, Float]:
    """A frame's sizes, and its lightness at ``plan.network``, before it is padded.

    Arguments and errors are those of `see`; where nothing is reduced, ``lightness`` comes back.
    """
    height, width = lightness.shape
    plan = plan_render((height, width), spec.size, render)
    if plan.network != plan.frame:
        lightness = resize_plane(lightness, plan.network, threads=threads)
    return plan, lightness
