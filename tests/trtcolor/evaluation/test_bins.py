"""Bin measures: on the network's own grid, against the truth averaged as training averages it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from colour_folders import fill, picture
from torch.nn import functional as F

from trtcolor import color
from trtcolor.bundle import open_bundle
from trtcolor.colorizer import Colorizer
from trtcolor.errors import BundleError
from trtcolor.evaluation.bins import area_average, bin_scorer
from trtcolor.evaluation.result import Settings
from trtcolor.evaluation.run import evaluate
from trtcolor.geometry import plan_render
from trtcolor.metrics.bins import ab_bin_scores, luv_bin_scores
from trtcolor.resize import resize_plane
from trtcolor.spec import SizeRule

MakeBundle = Callable[..., Path]
CENTRES = np.random.default_rng(0).uniform(-60, 60, (12, 2)).round(4)
WEIGHTS = np.linspace(0.5, 2, 12).round(4)
AB = {"kind": "mode", "bins": 12, "space": "ab", "centres": CENTRES.tolist()}


@pytest.mark.parametrize("scale", [1, 2, 4])
def test_the_truth_is_the_area_average_that_training_aims_at(scale: int) -> None:
    ab = np.random.default_rng(0).uniform(-90, 90, (32, 40, 2)).astype(np.float32)
    plan = plan_render((32, 40), SizeRule(8, scale, 32), "full")
    truth = F.avg_pool2d(torch.from_numpy(ab).permute(2, 0, 1)[None], scale)[0]
    found = area_average(ab, plan, scale)
    np.testing.assert_allclose(found, truth.permute(1, 2, 0), atol=1e-4)


def test_the_truth_of_a_reduced_frame_is_that_of_what_the_network_saw() -> None:
    ab = np.random.default_rng(0).uniform(-90, 90, (33, 70, 2)).astype(np.float32)
    plan = plan_render((33, 70), SizeRule(8, 2, 32), 16)
    found = area_average(ab, plan, 2)
    assert found.shape == (*plan.chroma, 2)
    seen = resize_plane(np.ascontiguousarray(ab.transpose(2, 0, 1)), plan.network)
    np.testing.assert_allclose(found[0, 0], seen[:, :2, :2].mean(axis=(1, 2)), atol=1e-4)


def test_at_odd_sizes_the_edge_is_replicated_as_the_network_sees_it() -> None:
    ab = np.random.default_rng(0).uniform(-90, 90, (5, 3, 2)).astype(np.float32)
    found = area_average(ab, plan_render((5, 3), SizeRule(8, 2, 32), "full"), 2)
    assert found.shape == (3, 2, 2)
    np.testing.assert_allclose(found[2, 1], ab[4, 2], atol=1e-5)
    np.testing.assert_allclose(found[0, 1], ab[:2, 2].mean(axis=0), atol=1e-5)


@pytest.mark.parametrize(
    "decoder", [AB, AB | {"class_weights": WEIGHTS.tolist()}, {"kind": "mode", "space": "luv"}]
)
def test_scores_are_those_of_the_networks_own_output(
    decoder: dict[str, Any], make_bundle: MakeBundle, tmp_path: Path
) -> None:
    model = make_bundle(bins=12, decoder=decoder)
    found = evaluate([model], fill(tmp_path / "data", 2), Settings(render="full"))
    (row,) = found.bundles
    assert not [reason for reason in row.left_out if "bin" in reason]
    with Colorizer(model, render="full") as colorizer:
        for index in range(2):
            logits = colorizer.predict_all(colorizer.prepare(picture(index))).bin_logits
            assert logits is not None
            blocks = (16, 2, 20, 2, 2)
            if decoder["space"] == "ab":
                truth = color.lab_from_rgb(picture(index))[..., 1:].reshape(blocks).mean((1, 3))
                weights = WEIGHTS if "class_weights" in decoder else None
                scores = ab_bin_scores(logits, truth, CENTRES, weights)
            else:
                truth = color.luv_from_rgb(picture(index))[..., 1:].reshape(blocks).mean((1, 3))
                scores = luv_bin_scores(logits, truth)
            close = pytest.approx
            assert row.values["cross_entropy"][index] == close(scores.cross_entropy, rel=1e-4)
            assert row.values["bin_accuracy"][index] == close(scores.accuracy)
            if scores.weighted_cross_entropy is None:
                assert "weighted_cross_entropy" not in row.values
            else:
                weighted = row.values["weighted_cross_entropy"][index]
                assert weighted == close(scores.weighted_cross_entropy, rel=1e-4)


@pytest.mark.parametrize(
    ("bins", "decoder", "reason"),
    [
        (None, {"kind": "regression"}, "a regression has no colour bins"),
        (12, {"kind": "mode", "bins": 12}, "does not say what its colour bins are"),
        (12, {"kind": "mode", "space": "ab"}, "does not say what its colour bins are"),
    ],
)
def test_bin_measures_are_left_out_with_a_reason(
    bins: int | None,
    decoder: dict[str, Any],
    reason: str,
    make_bundle: MakeBundle,
    tmp_path: Path,
) -> None:
    found = evaluate([make_bundle(bins=bins, decoder=decoder)], fill(tmp_path / "data", 1))
    (row,) = found.bundles
    assert any(
        line.startswith("bin measures left out: ") and reason in line for line in row.left_out
    )
    assert "cross_entropy" not in found.figures(row)


@pytest.mark.parametrize(
    "change",
    [
        {"centres": "many"},
        {"centres": [[1, 2, 3]] * 12},
        {"centres": [[1, 2]] * 3},
        {"centres": [[1, None]] * 12},
        {"centres": [[1, [2]]] * 12},
        {"class_weights": [1.0] * 11},
        {"class_weights": [[1.0]] * 12},
    ],
)
def test_a_decoder_of_another_form_is_refused(
    change: dict[str, Any], make_bundle: MakeBundle
) -> None:
    spec = open_bundle(make_bundle(bins=12, decoder=AB)).spec
    with pytest.raises(BundleError, match=f"decoder entry {next(iter(change))}"):
        bin_scorer(replace(spec, decoder=AB | change))


def test_more_scores_than_centres_are_refused(make_bundle: MakeBundle, tmp_path: Path) -> None:
    model = make_bundle(bins=13, decoder=AB)
    with pytest.raises(ValueError, match=r"bin scores of shape \(13, "):
        evaluate([model], fill(tmp_path / "data", 1))
