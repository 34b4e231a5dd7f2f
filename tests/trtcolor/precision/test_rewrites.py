"""Rewrites for the backend at hand, on the local graphs of every family."""

from __future__ import annotations

import numpy as np
import onnx
import pytest
from family_bundles import family_bundle
from hypothesis import given, settings
from hypothesis import strategies as st
from local_graphs import local_graph
from narrow import NARROW

from trtcolor.backends.available import Precision
from trtcolor.bundle import open_bundle
from trtcolor.precision.parts import layers
from trtcolor.precision.plain import plain_graph
from trtcolor.precision.rewrites import rewritten
from trtcolor.precision.runner import GraphRunner
from trtcolor_train.models import family

A_B = 1e-4
"""How far a* and b* may be off."""


def operators(model: onnx.ModelProto) -> list[str]:
    return [node.op_type for node in model.graph.node]


@pytest.mark.parametrize("name", NARROW)
def test_every_family_gives_the_same_colours_from_layers_of_the_same_names(
    name: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    plain = plain_graph(family_bundle(name, tmp_path_factory), "local")
    fast = rewritten(plain, "cpu", "fp32")
    onnx.checker.check_model(fast, full_check=True)
    assert [node.name for node in layers(fast)] == [node.name for node in layers(plain)]
    runners = [GraphRunner({"local": model}) for model in (plain, fast)]
    multiple = family(name).build(NARROW[name]).dimensions.multiple

    @settings(max_examples=12, deadline=None)
    @given(st.integers(1, 2), st.integers(1, 7), st.integers(1, 7), st.integers(0, 2**32 - 1))
    def same(batch: int, rows: int, columns: int, seed: int) -> None:
        random = np.random.default_rng(seed)
        shape = (batch, 1, rows * multiple, columns * multiple)
        inputs = {"lightness": random.uniform(0, 100, shape).astype(np.float32)}
        for value in plain.graph.input[1:]:
            width = value.type.tensor_type.shape.dim[1].dim_value
            inputs[value.name] = random.standard_normal((batch, width), np.float32)
        (expected,), (found,) = (runner.run("local", inputs, ["chroma"]) for runner in runners)
        # Such inputs give colours that there are not; float32 rounds these more coarsely.
        assert np.abs(found - expected).max() <= A_B + 4e-6 * np.abs(expected).max()

    same()


def test_the_bundled_model_gives_the_same_colours() -> None:
    bundle = open_bundle()
    plain = plain_graph(bundle, "local")
    height, width = 7 * bundle.spec.size.multiple, 11 * bundle.spec.size.multiple
    rows, columns = np.mgrid[:height, :width].astype(np.float32)
    inputs = {
        "lightness": (50 + 40 * np.sin(rows / 9) * np.cos(columns / 23))[None, None],
        "global_features": np.full((1, 256), 0.5, np.float32),
    }
    found, expected = (
        GraphRunner({"local": model}).run("local", inputs, ["chroma"])[0]
        for model in (rewritten(plain, "cpu", "fp32"), plain)
    )
    np.testing.assert_allclose(found, expected, rtol=0, atol=A_B)


def test_upsamples_and_convolutions_are_merged_at_float32_alone() -> None:
    plain = local_graph("iizuka2016")
    assert operators(plain).count("Resize") == 2
    fast = operators(rewritten(plain, "cpu", "fp32"))
    assert fast.count("Resize") == 0
    assert fast.count("DepthToSpace") == 2
    assert operators(rewritten(plain, "cpu", "int8")) == operators(plain)


@pytest.mark.parametrize("precision", ["fp32", "int8"])
def test_scores_go_by_samples_at_each_precision(precision: Precision) -> None:
    fast = operators(rewritten(local_graph("trtcolor-base"), "cpu", precision))
    assert "ReduceMax" not in fast
    assert "Softmax" in fast


def test_tensorrt_gets_the_graph_as_it_was_exported() -> None:
    plain = local_graph("trtcolor-base")
    assert rewritten(plain, "tensorrt", "fp32") is plain


def test_the_graph_that_came_is_left_as_it_is() -> None:
    plain = local_graph("trtcolor-base")
    before = plain.SerializeToString()
    rewritten(plain, "cpu", "fp32")
    assert plain.SerializeToString() == before
