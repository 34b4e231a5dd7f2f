"""A model's graphs joined with what lies before and behind them: frames in, frames out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

import numpy as np
import onnx
from onnx import numpy_helper

from trtcolor.adopt.onnx_file import operator_set
from trtcolor.bundle import Bundle
from trtcolor.colorizer import check_saturation
from trtcolor.end_to_end.join import Part, bind, in_opset, join
from trtcolor.end_to_end.steps import OPSET, Channels, Gamut, merge_graph, prepare_graph
from trtcolor.errors import NoGlobalFeaturesError
from trtcolor.geometry import Render
from trtcolor.precision.plain import plain_graph, raised
from trtcolor.spec import ModelSpec

Features = Literal["own", "given"]
Graphs = Mapping[str, onnx.ModelProto]

GLOBAL_NAMES = {
    "lightness": "global_lightness",
    "global_features": "global_features",
    "class_logits": "class_logits",
}
LOCAL_NAMES = {
    "lightness": "network_lightness",
    "global_features": "global_features",
    "chroma": "chroma",
}


def end_to_end_graph(
    bundle: Bundle,
    *,
    render: Render = "auto",
    gamut: Gamut = "reduce",
    saturation: float = 1.0,
    channels: Channels = 3,
    features: Features = "own",
    graphs: Graphs | None = None,
) -> onnx.ModelProto:
    """All that `trtcolor.colorizer.Colorizer.colorize` does with a frame of uint8, as one graph.

    Args:
        bundle: verified.
        render, gamut: as for `Colorizer`.
        saturation: factor on a* and b*, 0 to 10.
        channels: of the frames, 3 (RGB) or 1 (grey).
        features: ``own`` global features of each frame, or ``given``: a second input, as from
            `features_graph` of another picture or of the first frame of a shot.
        graphs: the network's at another precision, as of `trtcolor.precision.forms.Precise`; None:
            the bundle's, in float32.

    Returns:
        ``frames`` (N, H, W, channels) uint8, sRGB-coded, H and W from 1 [, ``global_features``
        (N, G) float32] -> ``rgb`` (N, H, W, 3) uint8.

    Raises:
        ValueError: an argument is none of these.
        NoGlobalFeaturesError: features are to be given to a network that takes none.
        PrecisionError: the network's operators are too old to be joined with others.
    """
    check_saturation(saturation)
    if features not in ("own", "given"):
        raise ValueError(f"features is {features!r}; 'own' or 'given' was needed; pass one of them")
    spec = bundle.spec
    if features == "given":
        _need_global_features(spec)
    own = features == "own" and spec.has_global_features
    networks = _networks(bundle, ("global", "local") if own else ("local",), graphs)
    opset = operator_set(networks["local"])
    merge = merge_graph(spec, render=render, gamut=gamut)
    bind(
        merge,
        "saturation",
        numpy_helper.from_array(np.array([saturation], np.float32), "saturation"),
    )
    described = [Part(networks["global"], "global/", GLOBAL_NAMES)] if own else []
    return join(
        [
            Part(in_opset(prepare_graph(spec, render=render, channels=channels), opset), "", {}),
            *described,
            Part(networks["local"], "local/", LOCAL_NAMES),
            Part(in_opset(merge, opset), "", {}),
        ],
        ["frames", "global_features"] if features == "given" else ["frames"],
        ["rgb"],
        spec.name,
    )


def features_graph(
    bundle: Bundle,
    *,
    channels: Channels = 3,
    classes: bool = False,
    graphs: Graphs | None = None,
) -> onnx.ModelProto:
    """`trtcolor.colorizer.Colorizer.global_features` of frames of uint8 as one graph.

    Args:
        bundle, channels, graphs: as for `end_to_end_graph`.
        classes: also give the scores of the scenes, where the model names any.

    Returns:
        ``frames`` (N, H, W, channels) uint8 -> ``global_features`` (N, G) float32 [,
        ``class_logits`` (N, C) float32].

    Raises:
        NoGlobalFeaturesError: the network has none.
        ValueError, PrecisionError: as from `end_to_end_graph`.
    """
    _need_global_features(bundle.spec)
    described = _networks(bundle, ("global",), graphs)["global"]
    prepare = prepare_graph(bundle.spec, channels=channels)
    outputs = ["global_features"]
    if classes and bundle.spec.classes:
        outputs.append("class_logits")
    return join(
        [
            Part(in_opset(prepare, operator_set(described)), "", {}),
            Part(described, "global/", GLOBAL_NAMES),
        ],
        ["frames"],
        outputs,
        bundle.spec.name,
    )


def _networks(
    bundle: Bundle, names: Sequence[str], graphs: Graphs | None
) -> dict[str, onnx.ModelProto]:
    """Plain graphs of a bundle, or those given, all in one set of operators."""
    found = {name: plain_graph(bundle, name) if graphs is None else graphs[name] for name in names}
    opset = max(OPSET, *map(operator_set, found.values()))
    return {name: raised(model, opset) for name, model in found.items()}


def _need_global_features(spec: ModelSpec) -> None:
    if not spec.has_global_features:
        raise NoGlobalFeaturesError(
            f"model {spec.name!r} has no global features; a model with a global network was "
            "needed; choose another model or leave them out"
        )
