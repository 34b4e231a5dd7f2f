"""A nearest-neighbour upsample x2 and the 3x3 convolution behind it as one 2x2 convolution.

Behind the upsample the three rows that a kernel covers are two rows of the map before it. At an odd
row y = 2i + 1 they are i, i and i + 1, so the weights of the first two are added; at an even one,
y = 2i, they are i - 1, i and i. The same holds of columns. So four 2x2 kernels over the small map,
one for each parity of row and column, give the four samples of every square of the large one, with
4 products where there were 9 (Shi et al. 2016, 3.2, arrange them so). The padding is the same zero.

With one row and column of padding on each side the window at i covers the rows i - 1 and i: those
of the even row 2i, and of the odd row 2i - 1 above it. The squares are laid out in that order, odd
before even, and the outermost row and column, which are none of the picture's, are cut off.
"""

from __future__ import annotations

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import helper

from trtcolor.precision.matching import Graph, attributes

ODD = np.array([[1, 1, 0], [0, 0, 1]], np.float64)
"""(2, 3): which rows of the large map's kernel fall on each row of the small one, at 2i + 1."""
EVEN = np.array([[1, 0, 0], [0, 1, 1]], np.float64)
"""The same at 2i."""

DOUBLED = [1.0, 1.0, 2.0, 2.0]
NEAREST = {("asymmetric", "floor"), ("half_pixel", "round_prefer_floor")}
"""Ways to count coordinates in which each sample is doubled; others move by one."""


def merged_kernels(weight: NDArray[np.float32]) -> NDArray[np.float32]:
    """The four kernels of a 3x3 convolution behind an upsample.

    Args:
        weight: (outputs, inputs, 3, 3).

    Returns:
        (4 outputs, inputs, 2, 2): odd rows first, then odd columns, then outputs; summed in
        float64.
    """
    wide = weight.astype(np.float64)
    parts = [
        np.einsum("ar,oirc,bc->oiab", rows, wide, columns)
        for rows in (ODD, EVEN)
        for columns in (ODD, EVEN)
    ]
    return np.concatenate(parts).astype(np.float32)


def upsamples_merged(model: onnx.ModelProto) -> onnx.ModelProto:
    """A graph in which every such pair is one convolution; equal to float rounding.

    Args:
        model: plain (`trtcolor.precision.plain`); left as it is.
    """
    graph = Graph(model)
    for node in list(graph.nodes):
        upsample = graph.made_by(node.input[0])
        if upsample is not None and _is_pair(graph, upsample, node):
            _merge(graph, upsample, node)
    return graph.result()


def _is_pair(graph: Graph, upsample: onnx.NodeProto, node: onnx.NodeProto) -> bool:
    if upsample.op_type != "Resize" or node.op_type != "Conv" or len(upsample.input) != 3:
        return False
    scales, parameters = graph.constant(upsample.input[2]), graph.parameters(node)
    if scales is None or scales.tolist() != DOUBLED or parameters is None:
        return False
    how, layout = attributes(upsample), attributes(node)
    coordinates = (
        how.get("coordinate_transformation_mode", "half_pixel"),
        how.get("nearest_mode", "round_prefer_floor"),
    )
    return (
        how.get("mode", "nearest") == "nearest"
        and coordinates in NEAREST
        and parameters[0].shape[2:] == (3, 3)
        and layout.get("pads") == [1, 1, 1, 1]
        and layout.get("strides", [1, 1]) == [1, 1]
        and layout.get("dilations", [1, 1]) == [1, 1]
        and layout.get("group", 1) == 1
        and graph.only_reader(upsample.output[0]) is node
    )


def _merge(graph: Graph, upsample: onnx.NodeProto, node: onnx.NodeProto) -> None:
    """Put convolution, ReLU where one follows at once, and the layout in the place of a pair."""
    parameters = graph.parameters(node)
    assert parameters is not None
    weight, bias = parameters
    name, result = node.name, node.output[0]
    inputs = [
        upsample.input[0],
        graph.add_constant(f"{name}.merged.weight", merged_kernels(weight)),
        graph.add_constant(f"{name}.merged.bias", np.tile(bias, 4)),
    ]
    last = f"{name}.kernels"
    new = [helper.make_node("Conv", inputs, [last], name, kernel_shape=[2, 2], pads=[1, 1, 1, 1])]
    gone = [upsample, node]
    follower = graph.only_reader(result)
    if follower is not None and follower.op_type == "Relu":  # it stays behind its convolution
        new.append(helper.make_node("Relu", [last], [f"{name}.relu"], follower.name))
        last, result = f"{name}.relu", follower.output[0]
        gone.append(follower)
    squares = f"{name}.squares"
    new.append(helper.make_node("DepthToSpace", [last], [squares], squares, blocksize=2))
    bounds = [
        graph.add_constant(f"inside.{what}", np.array(values, np.int64))
        for what, values in (("starts", [1, 1]), ("ends", [-1, -1]), ("axes", [2, 3]))
    ]
    new.append(helper.make_node("Slice", [squares, *bounds], [result], f"{name}.inside"))
    graph.replace(gone, new)
