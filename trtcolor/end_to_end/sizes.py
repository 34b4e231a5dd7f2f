"""`trtcolor.geometry.plan_render` as ONNX nodes: all sizes of a frame from its shape.

Sizes are (2,) int64 tensors, height then width, so that both sides are one node; the arithmetic is
that of whole numbers, as there.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from trtcolor.geometry import Render, checked_render
from trtcolor.nodes import Nodes
from trtcolor.spec import SizeRule

INT = np.int64


@dataclass(frozen=True)
class Sizes:
    """Names of the sizes on the way of a frame, as in `trtcolor.geometry.RenderPlan`.

    Attributes:
        frame, network, padded, chroma: (2,) int64.
        spread: (2,) int64, the pixels that the chroma grid is laid over, no fewer than the frame's:
            chroma at a scale of 2 lies over 2 pixels a sample where the network saw the frame at
            its own size, and over the frame from edge to edge elsewhere.
        reduced: whether the network may see another size than the frame's.
    """

    frame: str
    network: str
    padded: str
    chroma: str
    spread: str
    reduced: bool


def planned_sizes(nodes: Nodes, frame: str, rule: SizeRule, render: Render) -> Sizes:
    """All sizes for a frame.

    Args:
        nodes: to which those that compute them are added.
        frame: (2,) int64, height and width.
        rule: the model's.
        render: as for `trtcolor.geometry.plan_render`.

    Raises:
        ValueError: the render size is none.
    """
    render = checked_render(render)
    shorter_side = rule.render_size if render == "auto" else render
    scale = nodes.constant([rule.chroma_scale], INT)
    if isinstance(shorter_side, int):
        network, fits = _network_size(nodes, frame, max(shorter_side, rule.chroma_scale), scale)
    else:
        network, fits = frame, None
    multiple = nodes.constant([rule.multiple], INT)
    chroma = _in_cells(nodes, network, scale)
    covered = nodes.add("Mul", chroma, scale)
    return Sizes(
        frame=frame,
        network=network,
        padded=nodes.add("Mul", _in_cells(nodes, network, multiple), multiple),
        chroma=chroma,
        spread=covered if fits is None else nodes.add("Where", fits, covered, frame),
        reduced=fits is not None,
    )


def frame_size(nodes: Nodes, tensor: str, first: int) -> str:
    """(2,) int64 height and width of a tensor whose height is its axis `first`."""
    shape = nodes.add("Shape", tensor)
    return nodes.add("Gather", shape, nodes.constant([first, first + 1], INT))


def side(nodes: Nodes, size: str, axis: int) -> str:
    """Height (0) or width (1) of a size as an int64 scalar."""
    return nodes.add("Gather", size, nodes.constant(axis, INT))


def _network_size(nodes: Nodes, frame: str, wanted: int, scale: str) -> tuple[str, str]:
    """`trtcolor.geometry.network_size`, and whether the frame keeps its size: (1,) bool."""
    sides = (nodes.add("Gather", frame, nodes.constant([axis], INT)) for axis in (0, 1))
    shorter = nodes.add("Min", *sides)
    fits = nodes.add("Not", nodes.add("Greater", shorter, nodes.constant([wanted], INT)))
    # frame x wanted / shorter to the nearest multiple of scale; no side grows by it
    cell = nodes.add("Mul", shorter, scale)
    doubled = nodes.add("Mul", frame, nodes.constant([2 * wanted], INT))
    two = nodes.constant([2], INT)
    cells = nodes.add("Div", nodes.add("Add", doubled, cell), nodes.add("Mul", cell, two))
    most = nodes.add("Div", frame, scale)
    cells = nodes.add("Min", nodes.add("Max", cells, nodes.constant([1], INT)), most)
    reduced = nodes.add("Mul", cells, scale)
    return nodes.add("Where", fits, frame, reduced), fits


def _in_cells(nodes: Nodes, size: str, cell: str) -> str:
    """How many cells cover each side."""
    less_one = nodes.add("Sub", cell, nodes.constant([1], INT))
    return nodes.add("Div", nodes.add("Add", size, less_one), cell)
