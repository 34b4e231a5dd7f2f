"""Global features and scenes: of a frame, given by the caller, and where there are none."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from noise import picture

from trtcolor import Colorizer, color
from trtcolor.errors import BackendError, BundleError, NoGlobalFeaturesError
from trtcolor.resize import resize_plane

MakeBundle = Callable[..., Path]


@pytest.fixture
def fused(make_bundle: MakeBundle) -> Colorizer:
    """With global features, a classifier and a joint graph for 16x16."""
    return Colorizer(make_bundle(global_size=16, classes=("abbey", "beach", "castle")))


def test_global_features_come_from_the_whole_frame_at_the_global_size(fused: Colorizer) -> None:
    frame = picture(31, 47)
    features = fused.global_features(frame)
    assert features.shape == (3,)
    assert features.dtype == np.float32
    small = resize_plane(color.lightness_from_grey(frame), (16, 16))
    (expected,) = fused._runner.run("global", {"lightness": small[None, None]}, ["global_features"])
    np.testing.assert_array_equal(features, expected[0])


@pytest.mark.parametrize("size", [(31, 47), (16, 16), (1, 1)])
def test_a_frames_own_features_given_back_change_nothing(
    size: tuple[int, int], fused: Colorizer
) -> None:
    frame = picture(*size)
    own = fused.predict(fused.prepare(frame))
    given = fused.predict(fused.prepare(frame, global_features=fused.global_features(frame)))
    np.testing.assert_allclose(given, own, rtol=1e-5, atol=1e-4)


def test_features_of_another_picture_change_the_colours(fused: Colorizer) -> None:
    frame = picture(20, 20)
    other = fused.global_features(np.full((20, 20), 255, np.uint8))
    styled = fused.colorize(frame, global_features=other)
    assert (styled != fused.colorize(frame)).any()
    np.testing.assert_array_equal(
        styled, fused.colorize(frame, global_features=other.astype(np.float64))
    )


@pytest.mark.parametrize(
    ("size", "render", "graph"),
    [
        ((16, 16), "full", "joint"),
        ((16, 16), 16, "joint"),
        ((40, 40), 16, "joint"),
        ((40, 40), "full", "local"),
        ((16, 17), "full", "local"),
        ((15, 16), "full", "local"),
        ((40, 80), 16, "local"),
    ],
)
def test_the_joint_graph_runs_only_at_exactly_the_global_size(
    size: tuple[int, int], render: Any, graph: str, fused: Colorizer
) -> None:
    prepared = fused.prepare(picture(*size), render=render)
    assert prepared.graph == graph
    assert (prepared.global_lightness is None) == (graph == "joint")


@pytest.mark.parametrize("size", [(16, 16), (20, 30)])
def test_everything_that_the_network_says_comes_from_the_run_of_its_chroma(
    size: tuple[int, int], make_bundle: MakeBundle, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At the global size from the joint graph alone, else from the global and the local one."""
    folder = make_bundle(global_size=16, classes=("abbey", "beach"), bins=12)
    with Colorizer(folder, render="full") as colorizer:
        graphs, run = [], colorizer._runner.run
        monkeypatch.setattr(
            colorizer._runner,
            "run",
            lambda graph, *rest: (graphs.append(graph), run(graph, *rest))[1],
        )
        prepared = colorizer.prepare(picture(*size))
        found = colorizer.predict_all(prepared)
        assert graphs == (["joint"] if size == (16, 16) else ["global", "local"])
        np.testing.assert_array_equal(found.chroma, colorizer.predict(prepared))
        assert found.bin_logits is not None
        assert found.bin_logits.shape == (12, *prepared.plan.chroma)
        assert found.class_logits is not None
        odds = np.exp(found.class_logits.astype(float))
        probabilities = dict(zip(("abbey", "beach"), odds / odds.sum(), strict=True))
        assert dict(colorizer.classify(picture(*size))) == pytest.approx(probabilities)
        features = colorizer.global_features(picture(*size))
        styled = colorizer.predict_all(colorizer.prepare(picture(*size), global_features=features))
        assert styled.class_logits is None


def test_a_regression_says_nothing_of_bins_and_scenes(colorizer: Colorizer) -> None:
    found = colorizer.predict_all(colorizer.prepare(picture(20, 30)))
    assert found.bin_logits is None
    assert found.class_logits is None


def test_given_features_are_used_at_the_global_size_too(fused: Colorizer) -> None:
    prepared = fused.prepare(picture(16, 16), global_features=np.zeros(3))
    assert prepared.graph == "local"
    assert prepared.global_lightness is None


def test_a_bundle_without_a_joint_graph_gives_the_same_colours(
    fused: Colorizer, make_bundle: MakeBundle
) -> None:
    parted = Colorizer(make_bundle("parted", global_size=16, joint=False, classes=("a", "b", "c")))
    frame = picture(16, 16)
    assert parted.prepare(frame).graph == "local"
    np.testing.assert_allclose(
        parted.predict(parted.prepare(frame)),
        fused.predict(fused.prepare(frame)),
        rtol=1e-5,
        atol=1e-4,
    )


@pytest.mark.parametrize("features", [np.zeros((1, 3)), np.float32(1), np.full(3, np.nan)])
def test_features_that_are_no_finite_vector_are_refused(features: Any, fused: Colorizer) -> None:
    with pytest.raises(ValueError, match=r"a \(G,\) vector of finite numbers"):
        fused.colorize(picture(8, 8), global_features=features)


def test_features_of_another_length_are_refused(fused: Colorizer) -> None:
    with pytest.raises(BackendError, match="global_features"):
        fused.colorize(picture(8, 8), global_features=np.zeros(4))


def test_a_network_without_global_features_says_so(colorizer: Colorizer) -> None:
    frame = picture(8, 8)
    with pytest.raises(NoGlobalFeaturesError, match="has no global features"):
        colorizer.global_features(frame)
    with pytest.raises(NoGlobalFeaturesError, match="has no global features"):
        colorizer.colorize(frame, global_features=np.zeros(3))
    with pytest.raises(NoGlobalFeaturesError, match="has no scene classifier"):
        colorizer.classify(frame)


def test_a_network_with_features_but_without_classes_does_not_classify(
    make_bundle: MakeBundle,
) -> None:
    with pytest.raises(NoGlobalFeaturesError, match="has no scene classifier"):
        Colorizer(make_bundle(global_size=16)).classify(picture(8, 8))


def test_classes_come_with_their_probabilities_most_probable_first(fused: Colorizer) -> None:
    scenes = fused.classify(picture(20, 30))
    names, probabilities = zip(*scenes, strict=True)
    assert set(names) == {"abbey", "beach", "castle"}
    assert sum(probabilities) == pytest.approx(1)
    assert list(probabilities) == sorted(probabilities, reverse=True)
    assert fused.classify(picture(20, 30), top=1) == scenes[:1]


def test_probabilities_are_the_softmax_of_the_logits(make_bundle: MakeBundle) -> None:
    weights = {
        "low": np.zeros((2, 1, 3, 3), np.float32),
        "low_bias": np.array([1, 0], np.float32),
        "pooled": np.array([[1, 0, 0], [0, 0, 0]], np.float32),
        "scenes": np.array([[0, 2000], [0, 0], [0, 0]], np.float32),
    }
    folder = make_bundle(global_size=16, classes=("abbey", "beach"), weights=weights)
    assert Colorizer(folder).classify(picture(8, 8)) == [("beach", 1.0), ("abbey", 0.0)]


@pytest.mark.parametrize("top", [0, -1, 1.0, True])
def test_a_number_of_classes_that_is_none_is_refused(top: Any, fused: Colorizer) -> None:
    with pytest.raises(ValueError, match="top is"):
        fused.classify(picture(8, 8), top=top)


def test_a_classifier_with_other_classes_than_the_spec_is_refused(make_bundle: MakeBundle) -> None:
    folder = make_bundle(
        global_size=16,
        classes=("abbey", "beach"),
        weights={"scenes": np.zeros((3, 5), np.float32)},
    )
    with pytest.raises(BundleError, match="5 class logits and names 2"):
        Colorizer(folder).classify(picture(8, 8))
