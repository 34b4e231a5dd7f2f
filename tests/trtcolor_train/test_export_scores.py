"""Scores of bins in the graphs of every classifier, and the bins that they are of."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
import pytest
import torch
from exported_families import Exported, lightness_of, random_bins
from numpy.typing import NDArray

from trtcolor_train.bins import AbBins, LuvBins
from trtcolor_train.colorspace import ab_from_uv
from trtcolor_train.decoder import BinCoding


def test_the_scores_come_second_and_decode_by_hand_to_the_chroma(
    exported: Exported, photos: list[NDArray[np.uint8]]
) -> None:
    coding, scale = exported.network.coding, exported.spec.size.chroma_scale
    if not isinstance(coding, BinCoding):
        assert "bin_logits" not in exported.spec.graphs["local"].outputs
        return
    step = exported.spec.size.multiple
    inputs = exported.inputs(lightness_of(photos, 2, 12 * step, 9 * step))
    chroma, scores = exported.run("local", inputs, ["chroma", "bin_logits"])
    true = exported.torch_output(inputs).numpy()
    assert scores.shape == (2, coding.channels, 12 * step // scale, 9 * step // scale)
    assert np.abs(scores - true).max() <= 1e-4 * np.abs(true).max()
    by_hand = decoded(coding, scores.astype(np.float64), inputs["lightness"], scale)
    assert np.abs(chroma - by_hand).mean() <= 1e-3
    assert (np.abs(chroma - by_hand) > 1e-2).any(axis=1).mean() <= 1e-3
    assert chroma.std() > 0.5


def decoded(
    coding: BinCoding, scores: NDArray[Any], lightness: NDArray[np.float32], scale: int
) -> NDArray[Any]:
    """Scores (N, Q, h, w) to a*b* (N, 2, h, w), in NumPy."""
    decoder = coding.decoder
    if decoder.smoothing:
        radius = int(np.ceil(3 * decoder.smoothing))
        kernel = np.exp(-(np.arange(-radius, radius + 1) ** 2) / (2 * decoder.smoothing**2))
        for axis in (2, 3):
            around = [(radius, radius) if i == axis else (0, 0) for i in range(4)]
            padded = np.pad(scores, around, "edge")
            size = scores.shape[axis]
            shifted = (padded.take(range(i, i + size), axis) for i in range(2 * radius + 1))
            pairs = zip(kernel / kernel.sum(), shifted, strict=True)
            scores = sum((weight * part for weight, part in pairs), start=np.zeros_like(scores))

    def expected(scores: NDArray[Any], centres: NDArray[Any]) -> NDArray[Any]:
        if decoder.kind == "mode":
            return np.moveaxis(centres[scores.argmax(axis=1)], -1, 1)
        temperature = {"mean": 1.0, "annealed-mean": decoder.temperature}[decoder.kind]
        odds = np.exp((scores - scores.max(axis=1, keepdims=True)) / temperature)
        return np.einsum("nqhw,qd->ndhw", odds / odds.sum(axis=1, keepdims=True), centres)

    if isinstance(coding, AbBins):
        return expected(scores, coding.centres.double().numpy())
    assert isinstance(coding, LuvBins)
    width = 200 / coding.bins
    centres = ((np.arange(coding.bins) + 0.5) * width - 100)[:, None]
    uv = np.concatenate([expected(part, centres) for part in np.split(scores, 2, axis=1)], axis=1)
    n, _, h, w = lightness.shape
    grid = lightness.reshape(n, 1, h // scale, scale, w // scale, scale).mean(axis=(3, 5))
    return ab_from_uv(torch.from_numpy(uv), torch.from_numpy(grid).double()).numpy()


def test_bins_that_a_user_gave_are_the_graphs_own_and_not_rounded(
    exported: Exported, photos: list[NDArray[np.uint8]]
) -> None:
    if not exported.case.own_bins:
        pytest.skip("the family's own bins")
    coding = exported.network.coding
    assert isinstance(coding, AbBins)
    given = random_bins(coding.channels)
    assert (coding.centres.numpy() == given).all()
    graph = onnx.load(exported.bundle / "local.onnx").graph
    arrays = [onnx.numpy_helper.to_array(tensor) for tensor in graph.initializer]
    # Of a mean the centres are a convolution, whose third output sums the weights.
    sizes = {(coding.channels, 2), (3, coding.channels, 1, 1)}
    (centres,) = (array for array in arrays if array.shape in sizes)
    assert centres.dtype == np.float32
    if coding.decoder.kind != "mode":
        assert (centres[2] == 1).all()
        centres = centres[:2]
    assert (np.sort(centres.ravel()) == np.sort(given.ravel())).all()
    if coding.decoder.kind == "mode":
        step = exported.spec.size.multiple
        inputs = exported.inputs(lightness_of(photos, 1, 8 * step, 8 * step))
        (chroma,) = exported.run("local", inputs, ["chroma"])
        assert {tuple(ab) for ab in chroma[0].reshape(2, -1).T} <= {tuple(ab) for ab in given}
