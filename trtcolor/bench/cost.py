"""What a picture costs, counted from a bundle's graphs as they were exported.

Rewrites for a backend (an upsample and a convolution become one, int8 layers) do less or other
arithmetic for the same picture; counting the bundle's own graph makes backends comparable. That
graph has the fusion layer split (DESIGN.md, "Exact rewrites on export"): with the global vector
laid beside the map at every position, as 004 prints it, iizuka2016 would count 0.7 % more at 1024.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from trtcolor.bundle import Bundle
from trtcolor.errors import BackendError
from trtcolor.flops import node_flops
from trtcolor.geometry import Render, RenderPlan, Size, plan_render

if TYPE_CHECKING:
    import onnx

Shape = tuple[int, ...]

IN_PLACE = {"Relu", "LeakyRelu", "Sigmoid", "Add", "Sub", "Mul", "Div", "Clip", "Identity"}
"""Operators whose result engines write over what they read, or fuse into the one before."""

BASE_BYTES = 100 * 2**20
OVERHEAD = 2.25
"""Measured of iizuka2016 in ONNX Runtime at 512, 1024 and 2048: 407, 727 and 1978 MB are the base,
the weights and `OVERHEAD` times the activations (layouts, arena), to 8 %."""


@dataclass(frozen=True)
class Cost:
    """Of one run.

    Attributes:
        flops: two for each multiplication and addition of convolutions and matrix products.
        activations: bytes of the tensors that exist at once, where these are most.
        weights: bytes of the constants as float32.
    """

    flops: int
    activations: int
    weights: int

    @property
    def memory(self) -> int:
        """Bytes that a process with an engine of this network will need, estimated."""
        return round(BASE_BYTES + self.weights + OVERHEAD * self.activations)


def shares_low_level(bundle: Bundle, plan: RenderPlan) -> bool:
    """Whether a frame goes through the joint graph: the row with a dagger of 004, Table 3."""
    side = bundle.spec.size.global_size
    return side is not None and "joint" in bundle.spec.graphs and plan.network == (side, side)


def network_cost(bundle: Bundle, size: Size, render: Render, batch: int) -> Cost:
    """What colouring `batch` frames of (height, width) costs the network.

    Raises:
        BackendError: onnx is not installed, or the shapes of a graph cannot be followed.
    """
    rule = bundle.spec.size
    plan = plan_render(size, rule, render)
    if shares_low_level(bundle, plan):
        return graph_cost(bundle.graph_path("joint"), {"lightness": (batch, 1, *plan.network)})
    shapes: dict[str, Shape] = {"lightness": (batch, 1, *plan.padded)}
    if rule.global_size is None:
        return graph_cost(bundle.graph_path("local"), shapes)
    square = (batch, 1, rule.global_size, rule.global_size)
    whole = graph_cost(bundle.graph_path("global"), {"lightness": square})
    width = _output_shape(bundle.graph_path("global"), "global_features")[-1]
    local = graph_cost(bundle.graph_path("local"), shapes | {"global_features": (batch, width)})
    return Cost(
        whole.flops + local.flops,
        max(whole.activations, local.activations),
        whole.weights + local.weights,
    )


def graph_cost(path: Path, inputs: Mapping[str, Shape]) -> Cost:
    """The cost of one run of an ONNX file, whose external weights are not read.

    Args:
        path: of the file.
        inputs: every input's shape.

    Raises:
        BackendError: as from `network_cost`.
    """
    graph = _shaped(path, inputs)
    constants = {value.name: tuple(value.dims) for value in graph.initializer}
    shapes = constants | {
        value.name: tuple(dim.dim_value for dim in value.type.tensor_type.shape.dim)
        for value in (*graph.value_info, *graph.input, *graph.output)
    }
    try:
        flops = sum(node_flops(node, shapes) for node in graph.node)
        activations = _alive(graph, shapes, constants)
    except KeyError as error:
        raise _uncountable(path, f"the shape of {error} does not follow") from None
    return Cost(flops, activations, 4 * sum(map(math.prod, constants.values())))


def graph_traffic(path: Path, inputs: Mapping[str, Shape]) -> int:
    """Numbers that one run reads and writes if every layer goes through memory once.

    A layer (convolution or matrix product) reads its weights and its map and writes its own map;
    activations, additions and enlargements between two layers are taken to be part of them, so that
    a map is read at the size at which it was made.

    Args:
        path, inputs: as for `graph_cost`.

    Raises:
        BackendError: as from `network_cost`.
    """
    graph = _shaped(path, inputs)
    constants = {value.name: math.prod(value.dims) for value in graph.initializer}
    sizes = constants | {
        value.name: math.prod(dim.dim_value for dim in value.type.tensor_type.shape.dim)
        for value in (*graph.value_info, *graph.input, *graph.output)
    }
    made = {name: node for node in graph.node for name in node.output}

    def source(name: str) -> str:
        while name in made and made[name].op_type in (*IN_PLACE, "Resize", "DepthToSpace"):
            name = made[name].input[0]
        return name

    total = 0
    for node in graph.node:
        if node.op_type in ("Conv", "ConvTranspose", "Gemm", "MatMul"):
            total += sum(sizes[source(name)] for name in node.input if name)
            total += sizes[node.output[0]]
    return total


def _shaped(path: Path, inputs: Mapping[str, Shape]) -> onnx.GraphProto:
    model = import_onnx().load(str(path), load_external_data=False)
    for value in model.graph.input:
        for dim, side in zip(
            value.type.tensor_type.shape.dim, inputs.get(value.name, ()), strict=False
        ):
            dim.dim_value = side
    for value in model.graph.output:  # "H/2" would stand against what is inferred
        value.type.tensor_type.ClearField("shape")
    del model.graph.value_info[:]
    infer_shapes = import_module("onnx.shape_inference").infer_shapes
    try:
        graph: onnx.GraphProto = infer_shapes(model, data_prop=True).graph
    except Exception as error:  # its own, a RuntimeError
        raise _uncountable(path, str(error)) from None
    return graph


def _uncountable(path: Path, reason: str) -> BackendError:
    return BackendError(
        f"{path}: {' '.join(reason.split())}; a graph of plain ONNX operators was needed to count "
        "its arithmetic; export the model again"
    )


def _output_shape(path: Path, name: str) -> Shape:
    model = import_onnx().load(str(path), load_external_data=False)
    (value,) = (value for value in model.graph.output if value.name == name)
    return tuple(dim.dim_value for dim in value.type.tensor_type.shape.dim)


def _alive(
    graph: onnx.GraphProto, shapes: Mapping[str, Shape], constants: Mapping[str, Shape]
) -> int:
    """Bytes of the tensors that exist at once while the nodes run in their order, at most."""
    last = {name: i for i, node in enumerate(graph.node) for name in node.input}
    kept = {value.name for value in graph.output}
    alive = {value.name: _bytes(shapes[value.name]) for value in graph.input}
    most = sum(alive.values())
    for i, node in enumerate(graph.node):
        done = [name for name in node.input if last[name] == i and name not in kept]
        if all(name in constants or not name for name in node.input):
            continue  # of constants alone: folded before the run
        if node.op_type in IN_PLACE:
            for name in done:
                alive.pop(name, None)
        alive |= {name: _bytes(shapes[name]) for name in node.output if name}
        most = max(most, sum(alive.values()))
        for name in done:
            alive.pop(name, None)
    return most


def _bytes(shape: Shape) -> int:
    return 4 * math.prod(shape)


def import_onnx() -> Any:
    """The onnx package, or one sentence on how to get it."""
    try:
        return import_module("onnx")
    except ImportError as error:
        raise BackendError(
            f"onnx does not import ({error}); it was needed to read and make graphs; run: "
            'pip install "trtcolor[export]"'
        ) from None
