"""The bin measures: a classifier's ``bin_logits`` against the truth on its own output grid."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from trtcolor.errors import BundleError
from trtcolor.evaluation.picture import Original
from trtcolor.geometry import RenderPlan, pad_edges
from trtcolor.metrics.bins import BinScores, ab_bin_scores, luv_bin_scores
from trtcolor.resize import resize_plane
from trtcolor.spec import ModelSpec

Float = NDArray[np.float32]
Score = Callable[[Float, Original, RenderPlan], BinScores]


def bin_scorer(spec: ModelSpec) -> Score | str:
    """What scores the bins of a model, or why there is nothing to score.

    Returns:
        A function of ``bin_logits`` (Q, h, w), the original and the plan of its sizes; or a reason
        in words.

    Raises:
        BundleError: the spec's decoder has centres or weights of another form.
    """
    if not any("bin_logits" in graph.outputs for graph in spec.graphs.values()):
        return "a regression has no colour bins"
    decoder, scale = spec.decoder, spec.size.chroma_scale
    match decoder.get("space"):
        case "ab" if "centres" in decoder:
            centres = _table(spec, "centres", 2)
            weights = _table(spec, "class_weights", 1) if "class_weights" in decoder else None
            if weights is not None and len(weights) != len(centres):
                raise _broken(spec, "class_weights")
            return lambda logits, original, plan: ab_bin_scores(
                logits, area_average(original.lab[..., 1:], plan, scale), centres, weights
            )
        case "luv":
            return lambda logits, original, plan: luv_bin_scores(
                logits, area_average(original.luv[..., 1:], plan, scale)
            )
    return "the bundle does not say what its colour bins are; export it again"


def area_average(planes: Float, plan: RenderPlan, scale: int) -> Float:
    """Colours of a frame averaged over the area of each sample of the network's output.

    Args:
        planes: (H, W, C), of the frame.
        plan: the frame's sizes.
        scale: pixels that the network sees for a sample of its output.

    Returns:
        (h, w, C) on the grid ``plan.chroma``; the same as training's targets (DESIGN.md,
        "Resizing").
    """
    seen = np.ascontiguousarray(np.moveaxis(planes, -1, 0))
    if plan.network != plan.frame:
        seen = resize_plane(seen, plan.network, threads=1)
    height, width = plan.chroma
    seen = pad_edges(seen, (height * scale, width * scale))
    blocks = seen.reshape(len(seen), height, scale, width, scale)
    return np.moveaxis(blocks.mean(axis=(2, 4)), 0, -1)


def _table(spec: ModelSpec, entry: str, dimensions: int) -> Float:
    try:
        table = np.array(spec.decoder[entry], np.float32)
    except (TypeError, ValueError):
        raise _broken(spec, entry) from None
    if table.ndim != dimensions or (dimensions == 2 and table.shape[1] != 2) or len(table) < 10:
        raise _broken(spec, entry)
    if not np.isfinite(table).all():
        raise _broken(spec, entry)
    return table


def _broken(spec: ModelSpec, entry: str) -> BundleError:
    return BundleError(
        f"model {spec.name!r} has a decoder entry {entry} that does not fit its bins; a* and b* of "
        "each and, where rare colours weighed more, its weight were needed; export the model again"
    )
