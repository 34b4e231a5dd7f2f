"""What lies before and behind the network, each as a graph: `prepare_graph`, `merge_graph`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

import onnx
from onnx import TensorProto, helper

from trtcolor.end_to_end.colors import (
    codes_from_linear,
    lightness_from_either,
    lightness_from_grey,
    lightness_from_rgb,
)
from trtcolor.end_to_end.gamut import linear_from_lab
from trtcolor.end_to_end.resizing import resized
from trtcolor.end_to_end.sizes import INT, frame_size, planned_sizes
from trtcolor.geometry import Render
from trtcolor.nodes import Nodes
from trtcolor.spec import ModelSpec

Channels = Literal[1, 3] | None
"""Of frames: 1 (grey), 3 (RGB), or None: either, as the frames of each run have it."""
Shape = Sequence[int | str]
Gamut = Literal["reduce", "clip"]
LIGHTNESS = {1: lightness_from_grey, 3: lightness_from_rgb, None: lightness_from_either}
OPSET = 18
IR_VERSION = 10


def prepare_graph(
    spec: ModelSpec, *, render: Render = "auto", channels: Channels = 3
) -> onnx.ModelProto:
    """The first step of `trtcolor.colorizer.Colorizer`: a frame as the network takes it.

    Args:
        spec: of the model.
        render: how large the network sees a frame, as for `trtcolor.geometry.plan_render`.
        channels: 3 (RGB), 1 (grey) or None: an axis ``C`` that is either in each run.

    Returns:
        ``frames`` (N, H, W, channels) uint8, sRGB-coded, H and W from 1 -> ``lightness``
        (N, 1, H, W) float32 L*, ``network_lightness`` (N, 1, h, w) float32 L*, resized and padded,
        and, for a network with global features, ``global_lightness`` (N, 1, S, S) float32 L*, the
        whole frame's without its aspect (004, section 3.4).

    Raises:
        ValueError: the render size or the channels are none of these.
    """
    if channels not in LIGHTNESS:
        raise ValueError(
            f"channels is {channels!r}; 1 for grey, 3 for RGB or None for either was needed; pass "
            "one of these"
        )
    nodes = Nodes("prepare/")
    size = frame_size(nodes, "frames", 1)
    sizes = planned_sizes(nodes, size, spec.size, render)
    numbers = nodes.add("Cast", "frames", to=TensorProto.FLOAT)  # TensorRT knows no other way
    planes = nodes.add("Transpose", numbers, perm=[0, 3, 1, 2])
    codes = nodes.add("Cast", planes, to=TensorProto.INT32)
    lightness = nodes.add("Identity", LIGHTNESS[channels](nodes, codes), output="lightness")
    nodes.add(
        "Identity",
        resized(nodes, lightness, size, sizes.network, sizes.padded),
        output="network_lightness",
    )
    outputs: dict[str, Shape] = {
        "lightness": ["N", 1, "H", "W"],
        "network_lightness": ["N", 1, "h", "w"],
    }
    side = spec.size.global_size
    if side is not None:
        square = nodes.constant([side, side], INT)
        nodes.add(
            "Identity", resized(nodes, lightness, size, square, square), output="global_lightness"
        )
        outputs["global_lightness"] = ["N", 1, side, side]
    frames = helper.make_tensor_value_info(
        "frames", TensorProto.UINT8, ["N", "H", "W", channels or "C"]
    )
    return _model(nodes, "prepare", [frames], [_floats(n, s) for n, s in outputs.items()])


def merge_graph(
    spec: ModelSpec, *, render: Render = "auto", gamut: Gamut = "reduce"
) -> onnx.ModelProto:
    """The last step of `trtcolor.colorizer.Colorizer`: chroma under a frame's own lightness.

    Args:
        spec: of the model.
        render: as `prepare_graph` was made with.
        gamut: what happens to colours that sRGB lacks, as for `trtcolor.color.merge_lab`.

    Returns:
        ``lightness`` (N, 1, H, W) float32 L*, ``chroma`` (N, 2, h, w) float32 a*b*, as the local
        graph gives it or cropped to what covers the frame, ``saturation`` (1,) float32, a factor on
        it -> ``rgb`` (N, H, W, 3) uint8.

    Raises:
        ValueError: the render size or the gamut are none.
    """
    if gamut not in ("reduce", "clip"):
        raise ValueError(f"gamut is {gamut!r}; 'reduce' or 'clip' was needed; pass one of these")
    nodes = Nodes("merge/")
    size = frame_size(nodes, "lightness", 2)
    sizes = planned_sizes(nodes, size, spec.size, render)
    chroma = _cropped(nodes, nodes.add("Mul", "chroma", "saturation"), sizes.chroma)
    chroma = _clean(nodes, chroma)
    if spec.size.chroma_scale != 1 or sizes.reduced:
        chroma = _cropped(nodes, _enlarged(nodes, chroma, sizes.spread), size)
    a, b = (
        nodes.add("Gather", chroma, nodes.constant([channel], INT), axis=1) for channel in (0, 1)
    )
    linear = nodes.add("Concat", *linear_from_lab(nodes, "lightness", a, b, gamut), axis=1)
    rgb = nodes.add("Transpose", codes_from_linear(nodes, linear), perm=[0, 2, 3, 1])
    nodes.add("Cast", rgb, to=TensorProto.UINT8, output="rgb")
    inputs: Mapping[str, Shape] = {
        "lightness": ["N", 1, "H", "W"],
        "chroma": ["N", 2, "h", "w"],
        "saturation": [1],
    }
    output = helper.make_tensor_value_info("rgb", TensorProto.UINT8, ["N", "H", "W", 3])
    return _model(nodes, "merge", [_floats(n, s) for n, s in inputs.items()], [output])


def _clean(nodes: Nodes, chroma: str) -> str:
    """As csrc/scalar.h does it: NaN is 0, and what is out of -1000..1000 its end."""
    chroma = nodes.add("Where", nodes.add("IsNaN", chroma), nodes.constant(0.0), chroma)
    return nodes.add("Clip", chroma, nodes.constant(-1000.0), nodes.constant(1000.0))


def _cropped(nodes: Nodes, planes: str, size: str) -> str:
    """The top left `size`, (2,) int64, of (N, C, H, W)."""
    starts, axes = (nodes.constant(numbers, INT) for numbers in ([0, 0], [2, 3]))
    return nodes.add("Slice", planes, starts, size, axes)


def _enlarged(nodes: Nodes, planes: str, size: str) -> str:
    """(N, C, h, w) -> (N, C, *size), bilinear between centres of samples, clamped at the edges."""
    shape = nodes.add("Shape", planes)
    outer = nodes.add("Gather", shape, nodes.constant([0, 1], INT))
    return nodes.add(
        "Resize",
        planes,
        "",
        "",
        nodes.add("Concat", outer, size, axis=0),
        mode="linear",
        coordinate_transformation_mode="half_pixel",
    )


def _floats(name: str, shape: Shape) -> onnx.ValueInfoProto:
    return helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)


def _model(
    nodes: Nodes,
    name: str,
    inputs: Sequence[onnx.ValueInfoProto],
    outputs: Sequence[onnx.ValueInfoProto],
) -> onnx.ModelProto:
    graph = helper.make_graph(nodes.nodes, name, inputs, outputs, nodes.constants)
    opsets = [helper.make_opsetid("", OPSET)]
    return helper.make_model(
        graph, opset_imports=opsets, ir_version=IR_VERSION, producer_name="trtcolor"
    )
