"""A model as one graph, from frames to frames, gives what its Colorizer gives.

The families of the papers are held against it in tests/trtcolor_train/test_export_families.py,
where they are exported.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from colourisers import SPECS, network, write_toml
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from sessions import assert_same_colours, run, session

from trtcolor.adopt.adopt import adopt
from trtcolor.bundle import Bundle, open_bundle
from trtcolor.colorizer import Colorizer
from trtcolor.demo import photographs
from trtcolor.end_to_end.graph import end_to_end_graph, features_graph
from trtcolor.end_to_end.steps import Gamut
from trtcolor.errors import NoGlobalFeaturesError
from trtcolor.images import read_picture

MakeBundle = Callable[..., Path]
RULE: dict[str, Any] = {"scale": 2, "multiple": 8, "global_size": 24, "render_size": 20}


def noise(*shape: int, seed: int = 0) -> NDArray[np.uint8]:
    return np.random.default_rng(seed).integers(0, 256, shape, np.uint8)


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("gamut", ["reduce", "clip"])
@pytest.mark.parametrize("rule", [RULE, {"scale": 4, "multiple": 4}, {"scale": 1, "multiple": 3}])
def test_batches_of_any_size_come_out_as_frame_by_frame(
    make_bundle: MakeBundle, rule: dict[str, Any], gamut: Gamut, channels: Any
) -> None:
    bundle = open_bundle(make_bundle(**rule))
    model = end_to_end_graph(bundle, gamut=gamut, saturation=2.5, channels=channels)
    painted = session(model)
    colorizer = Colorizer(bundle.path, gamut=gamut)

    @settings(max_examples=30)
    @given(st.integers(1, 3), st.integers(1, 70), st.integers(1, 70), st.integers(0, 99))
    def check(count: int, height: int, width: int, seed: int) -> None:
        frames = noise(count, height, width, channels, seed=seed)
        (rgb,) = painted.run(None, {"frames": frames})
        expected = np.stack([colorizer.colorize(frame, saturation=2.5) for frame in frames])
        assert_same_colours(rgb, expected)

    check()


def test_every_17th_colour_comes_out_as_from_the_colorizer(make_bundle: MakeBundle) -> None:
    bundle = open_bundle(make_bundle(**RULE))
    number = np.arange(0, 2**24, 17)[: 992 * 994]
    colours = np.stack([number >> 16, number >> 8 & 255, number & 255], -1).astype(np.uint8)
    picture = colours.reshape(992, 994, 3)
    rgb = run(end_to_end_graph(bundle), frames=picture[None])["rgb"]
    assert_same_colours(rgb[0], Colorizer(bundle.path).colorize(picture))


def test_a_large_frame_comes_out_as_from_the_colorizer(make_bundle: MakeBundle) -> None:
    bundle = open_bundle(make_bundle(**RULE))
    picture = noise(2161, 3839, 3)
    rgb = run(end_to_end_graph(bundle), frames=picture[None])["rgb"]
    assert_same_colours(rgb[0], Colorizer(bundle.path).colorize(picture))


def test_given_features_colour_a_frame_as_the_colorizer_does(make_bundle: MakeBundle) -> None:
    bundle = open_bundle(make_bundle(**RULE))
    style, frames = noise(1, 50, 60, 3, seed=1), noise(2, 33, 47, 3)
    features = run(features_graph(bundle), frames=style)["global_features"]
    colorizer = Colorizer(bundle.path)
    np.testing.assert_allclose(features[0], colorizer.global_features(style[0]), atol=1e-5)
    rgb = run(
        end_to_end_graph(bundle, features="given"),
        frames=frames,
        global_features=features.repeat(2, axis=0),
    )["rgb"]
    expected = [colorizer.colorize(frame, global_features=features[0]) for frame in frames]
    assert_same_colours(rgb, np.stack(expected))
    own = run(end_to_end_graph(bundle), frames=frames)["rgb"]
    assert (own != rgb).any()


def test_classes_come_with_the_features(make_bundle: MakeBundle) -> None:
    bundle = open_bundle(make_bundle(**RULE, classes=("meadow", "street")))
    frames = noise(2, 33, 47, 3)
    found = run(features_graph(bundle, classes=True), frames=frames)
    best, _ = Colorizer(bundle.path).classify(frames[0])[0]
    assert bundle.spec.classes[found["class_logits"][0].argmax()] == best


def test_weights_that_two_graphs_share_are_in_the_file_once(make_bundle: MakeBundle) -> None:
    model = end_to_end_graph(open_bundle(make_bundle(**RULE)))
    contents = [tensor.raw_data for tensor in model.graph.initializer if len(tensor.raw_data) > 64]
    assert contents
    assert len(contents) == len(set(contents))


def test_nothing_is_in_a_graph_that_no_output_needs(make_bundle: MakeBundle) -> None:
    bundle = open_bundle(make_bundle(**RULE))
    for model in (end_to_end_graph(bundle, features="given"), features_graph(bundle)):
        used = {name for node in model.graph.node for name in node.input}
        used |= {value.name for value in model.graph.output}
        made = {name for node in model.graph.node for name in node.output}
        assert made | {tensor.name for tensor in model.graph.initializer} <= used


def test_a_graph_says_whose_weights_it_holds(make_bundle: MakeBundle) -> None:
    model = end_to_end_graph(open_bundle(make_bundle("mine", licence="for nobody")))
    assert {entry.key: entry.value for entry in model.metadata_props} == {
        "model": "mine",
        "licence": "for nobody",
        "render": "auto",
    }


@pytest.mark.parametrize("kind", SPECS)
def test_an_adopted_network_comes_out_as_from_the_colorizer(kind: str, tmp_path: Path) -> None:
    (tmp_path / "net.onnx").write_bytes(network(kind, opset=11).SerializeToString())
    spec = write_toml(tmp_path / "spec.toml", SPECS[kind])
    bundle = open_bundle(adopt(tmp_path / "net.onnx", spec, output=tmp_path / "bundle").path)
    picture = read_picture(photographs()[0]).pixels[::4, ::3, :3]
    rgb = run(end_to_end_graph(bundle), frames=picture[None])["rgb"]
    assert_same_colours(rgb[0], Colorizer(bundle.path).colorize(picture))


def test_a_network_of_one_picture_at_a_time_says_so(make_bundle: MakeBundle) -> None:
    folder = make_bundle()
    one = onnx.load(folder / "local.onnx")
    for value in (*one.graph.input, *one.graph.output):
        value.type.tensor_type.shape.dim[0].dim_value = 1
    model = end_to_end_graph(Bundle(folder, open_bundle(folder).spec), graphs={"local": one})
    frames, rgb = model.graph.input[0], model.graph.output[0]
    assert [value.type.tensor_type.shape.dim[0].dim_value for value in (frames, rgb)] == [1, 1]


def test_features_are_not_given_to_a_network_that_takes_none(make_bundle: MakeBundle) -> None:
    bundle = open_bundle(make_bundle())
    with pytest.raises(NoGlobalFeaturesError, match="has no global features"):
        end_to_end_graph(bundle, features="given")
    with pytest.raises(NoGlobalFeaturesError, match="has no global features"):
        features_graph(bundle)


def test_classes_are_not_asked_of_a_network_without(make_bundle: MakeBundle) -> None:
    with pytest.raises(NoGlobalFeaturesError, match="has no scene classifier"):
        features_graph(open_bundle(make_bundle(**RULE)), classes=True)


@pytest.mark.parametrize(
    ("argument", "value", "words"),
    [("features", "mine", "'own' or 'given'"), ("saturation", 11.0, "from 0 to 10")],
)
def test_a_wrong_argument_is_refused(
    make_bundle: MakeBundle, argument: str, value: Any, words: str
) -> None:
    with pytest.raises(ValueError, match=words):
        end_to_end_graph(open_bundle(make_bundle(**RULE)), **{argument: value})
