"""A model's graphs joined with what lies before and behind them: frames in, frames out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

import numpy as np
import onnx
from onnx import numpy_helper

from trtcolor.adopt.onnx_file import operator_set
from trtcolor.bundle import Bundle
from trtcolor.end_to_end.join import Part, bind, in_opset, join
from trtcolor.end_to_end.steps import OPSET, Channels, Gamut, merge_graph, prepare_graph
from trtcolor.errors import NoGlobalFeaturesError
from trtcolor.frames import check_saturation
from trtcolor.geometry import Render
from trtcolor.precision.plain import plain_graph, raised
from trtcolor.spec import ModelSpec

Features = Literal["own", "given"]
Graphs = Mapping[str, onnx.ModelProto]

NAMES = {
    "global": {
        "lightness": "global_lightness",
        "global_features": "global_features",
        "class_logits": "class_logits",
    },
    "local": {
        "lightness": "network_lightness",
        "global_features": "global_features",
        "chroma": "chroma",
    },
}
"""Of the inputs and outputs of a bundle's graphs in the joined one."""


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
        channels: of the frames, as for `prepare_graph`.
        features: ``own`` global features of each frame, or ``given``: a second input, as from
            `features_graph` of another picture or of the first frame of a shot.
        graphs: the network's at another precision, as of `trtcolor.precision.forms.Precise`; None:
            the bundle's, in float32.

    Returns:
        ``frames`` (N, H, W, channels) uint8, sRGB-coded, H and W from 1 [, ``global_features``
        (N, G) float32] -> ``rgb`` (N, H, W, 3) uint8. The model's name and its weights' licence are
        among the metadata.

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
    merge = merge_graph(spec, render=render, gamut=gamut)
    factor = np.array([saturation], np.float32)
    bind(merge, "saturation", numpy_helper.from_array(factor, "saturation"))
    model = _joined(
        prepare_graph(spec, render=render, channels=channels),
        networks,
        merge,
        ["frames", "global_features"] if features == "given" else ["frames"],
        ["rgb"],
    )
    for name, value in (("model", spec.name), ("licence", spec.licence), ("render", render)):
        model.metadata_props.add(key=name, value=str(value))
    return model


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
        classes: give ``class_logits`` as well.

    Returns:
        ``frames`` (N, H, W, channels) uint8 -> ``global_features`` (N, G) float32 [,
        ``class_logits`` (N, C) float32, scores of the scenes that the spec names].

    Raises:
        NoGlobalFeaturesError: the network has none, or no classifier.
        ValueError, PrecisionError: as from `end_to_end_graph`.
    """
    spec = bundle.spec
    _need_global_features(spec)
    if classes and "class_logits" not in spec.graphs["global"].outputs:
        raise NoGlobalFeaturesError(
            f"model {spec.name!r} has no scene classifier; a model with one was needed; choose "
            "another model"
        )
    networks = _networks(bundle, ("global",), graphs)
    prepare = prepare_graph(spec, channels=channels)
    outputs = ["global_features", "class_logits"][: 2 if classes else 1]
    return _joined(prepare, networks, None, ["frames"], outputs)


def _joined(
    prepare: onnx.ModelProto,
    networks: Graphs,
    merge: onnx.ModelProto | None,
    inputs: Sequence[str],
    outputs: Sequence[str],
) -> onnx.ModelProto:
    first = next(iter(networks.values()))
    opset = operator_set(first)
    model = join(
        [
            Part(in_opset(prepare, opset), ""),
            *(Part(network, f"{name}/", NAMES[name]) for name, network in networks.items()),
            *([] if merge is None else [Part(in_opset(merge, opset), "")]),
        ],
        inputs,
        outputs,
        "end_to_end",
    )
    batch = first.graph.input[0].type.tensor_type.shape.dim[0].dim_value
    if batch:  # an adopted network may take one picture at a time
        for value in (*model.graph.input, *model.graph.output):
            value.type.tensor_type.shape.dim[0].dim_value = batch
    return model


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
