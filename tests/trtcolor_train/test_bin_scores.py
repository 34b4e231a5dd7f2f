"""The runtime's scores of bins are the losses that the classifiers were trained with."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from trtcolor.metrics.bins import ab_bin_scores, luv_bin_scores, soft_encoding
from trtcolor.metrics.luv import uv_bin
from trtcolor_train.bins import AbBins, LuvBins
from trtcolor_train.config import Loss

CROSS_ENTROPY = Loss("cross_entropy", alpha=0)
seeds = st.integers(0, 2**31 - 1)


@settings(deadline=None, max_examples=20)
@given(seed=seeds)
def test_soft_encoding_is_that_of_training(seed: int) -> None:
    coding = AbBins(309)
    ab = np.random.default_rng(seed).normal(0, 60, (8, 9, 2)).clip(-127, 127).astype(np.float32)
    centres = coding.centres.numpy()
    bins, shares = soft_encoding(ab, centres)
    true_bins, true_shares = coding.encode(torch.from_numpy(ab))
    np.testing.assert_allclose(shares, true_shares.numpy(), atol=1e-6)
    # Bins equally far away may come in either order.
    found, true = (np.linalg.norm(ab[:, :, None] - centres[b], axis=-1) for b in (bins, true_bins))
    np.testing.assert_allclose(found, true, rtol=1e-5, atol=1e-4)
    assert (bins[..., 0] == true_bins[..., 0].numpy()).mean() > 0.98


@settings(deadline=None, max_examples=20)
@given(seed=seeds)
def test_ab_scores_are_the_loss_with_and_without_weights(seed: int) -> None:
    torch.manual_seed(seed)
    coding = AbBins(309)
    logits, true = 5 * torch.randn(1, 309, 6, 7), 40 * torch.randn(1, 2, 6, 7)
    plain = float(coding.loss(logits, true, CROSS_ENTROPY))
    coding.weigh(torch.rand(309).softmax(0))
    weighted = float(coding.loss(logits, true, replace(CROSS_ENTROPY, rebalance=True)))
    scores = ab_bin_scores(
        logits[0].numpy(),
        true[0].permute(1, 2, 0).numpy(),
        coding.centres.numpy(),
        coding.class_weights.numpy(),
    )
    assert scores.cross_entropy == pytest.approx(plain, rel=1e-5)
    assert scores.weighted_cross_entropy == pytest.approx(weighted, rel=1e-5)
    assert weighted != plain


@settings(deadline=None, max_examples=20)
@given(seed=seeds, bins=st.sampled_from([2, 30, 50]))
def test_luv_scores_are_the_loss_and_its_bins(seed: int, bins: int) -> None:
    torch.manual_seed(seed)
    coding = LuvBins(bins)
    logits, true = 5 * torch.randn(1, 2 * bins, 6, 7), 60 * torch.randn(1, 2, 6, 7)
    scores = luv_bin_scores(logits[0].numpy(), true[0].permute(1, 2, 0).numpy())
    loss = float(coding.loss(logits, true, CROSS_ENTROPY))
    assert scores.cross_entropy == pytest.approx(loss, rel=1e-5)
    assert np.array_equal(uv_bin(true.numpy(), bins), coding.bin(true).numpy())
    best = torch.stack([part.argmax(dim=1) for part in logits.chunk(2, dim=1)], dim=1)
    assert scores.accuracy == pytest.approx(float((best == coding.bin(true)).double().mean()))
