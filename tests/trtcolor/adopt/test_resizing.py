"""Resizing in a graph is that of `trtcolor.resize`."""

from __future__ import annotations

import numpy as np
import onnxruntime
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from onnx import TensorProto, helper

from trtcolor.adopt.resizing import resized
from trtcolor.nodes import Nodes
from trtcolor.resize import resize_plane

SIDES = st.integers(1, 70)


def session(opset: int) -> onnxruntime.InferenceSession:
    """x (N, C, h, w), rows and columns -> y."""
    nodes = Nodes("")
    nodes.add("Identity", resized(nodes, "x", "rows", "columns"), output="y")
    x = helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", "c", "h", "w"])
    sizes = [helper.make_tensor_value_info(n, TensorProto.INT64, []) for n in ("rows", "columns")]
    y = helper.make_tensor_value_info("y", TensorProto.FLOAT, [None] * 4)
    graph = helper.make_graph(nodes.nodes, "g", [x, *sizes], [y], nodes.constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8)
    return onnxruntime.InferenceSession(model.SerializeToString())


SESSION = session(17)


def run(
    planes: NDArray[np.float32], size: tuple[int, int], on: onnxruntime.InferenceSession = SESSION
) -> NDArray[np.float32]:
    sides = dict(zip(("rows", "columns"), (np.array(side) for side in size), strict=True))
    result: NDArray[np.float32] = on.run(None, {"x": planes, **sides})[0]
    return result


@settings(max_examples=200, deadline=None)
@given(SIDES, SIDES, SIDES, SIDES, st.integers(0, 2**32 - 1))
def test_any_size_becomes_any_other(h: int, w: int, rows: int, columns: int, seed: int) -> None:
    planes = np.random.default_rng(seed).normal(0, 50, (2, 2, h, w)).astype(np.float32)
    expected = np.stack([resize_plane(picture, (rows, columns)) for picture in planes])
    np.testing.assert_allclose(run(planes, (rows, columns)), expected, atol=2e-3)


def test_the_same_size_is_an_exact_copy() -> None:
    planes = np.random.default_rng(0).normal(0, 50, (1, 2, 31, 17)).astype(np.float32)
    np.testing.assert_array_equal(run(planes, (31, 17)), planes)


@pytest.mark.parametrize("opset", [11, 13, 20])
@pytest.mark.parametrize("size", [(1, 256), (1, 300), (1, 16384)])
def test_large_sizes_keep_their_place(size: tuple[int, int], opset: int) -> None:
    columns = np.linspace(0, 3000, 16384, dtype=np.float32)
    planes = (50 + 50 * np.sin(columns / 30))[None, None, None]
    expected = resize_plane(planes[0], size)[None]
    np.testing.assert_allclose(run(planes, size, session(opset)), expected, atol=0.05)
