"""Each loss against hand-computed cases."""

from __future__ import annotations

import math

import pytest
import torch

from trtcolor_train.bins import AbBins, LuvBins
from trtcolor_train.coding import SigmoidLab
from trtcolor_train.config import Loss
from trtcolor_train.losses import distance, joint_loss

PREDICTED = torch.tensor([[[[0.1]], [[0.0]]]])  # (1, 2, 1, 1)
TRUE = torch.zeros(1, 2, 1, 1)


def test_mse_is_the_mean_square() -> None:
    assert distance(PREDICTED, TRUE, Loss("mse")).item() == pytest.approx(0.1**2 / 2)


def test_sum_reduction_adds_pixels_channels_and_pictures() -> None:
    twice = PREDICTED.repeat(2, 1, 1, 1), TRUE.repeat(2, 1, 1, 1)
    assert distance(*twice, Loss("mse", reduction="sum")).item() == pytest.approx(2 * 0.1**2)


def test_smooth_l1_is_linear_beyond_beta_and_quadratic_below() -> None:
    beyond = distance(PREDICTED, TRUE, Loss("smooth_l1", beta=0.05)).item()
    below = distance(PREDICTED, TRUE, Loss("smooth_l1", beta=0.5)).item()
    assert beyond == pytest.approx((0.1 - 0.025) / 2)
    assert below == pytest.approx(0.1**2 / (2 * 0.5) / 2)


def test_huber_is_as_001_prints_it() -> None:
    """u^2 below M, M (2 |u| - M) above (001, 3.5)."""
    beyond = distance(-PREDICTED, TRUE, Loss("huber", beta=0.04)).item()
    below = distance(PREDICTED, TRUE, Loss("huber", beta=0.2)).item()
    assert beyond == pytest.approx(0.04 * (2 * 0.1 - 0.04) / 2)
    assert below == pytest.approx(0.1**2 / 2)


def test_colours_of_the_sigmoid_are_compared_on_its_0_to_1() -> None:
    coding = SigmoidLab()
    lab = torch.tensor([50.0, 22.0, 0.0]).reshape(1, 3, 1, 1)
    loss = coding.loss(torch.zeros(1, 2, 1, 1), coding.target(lab, 1), Loss("mse"))
    assert loss.item() == pytest.approx(0.1**2 / 2)  # 22 / 220 from the middle


def test_bins_are_compared_by_cross_entropy_with_the_soft_encoding() -> None:
    coding = AbBins(309)
    at = coding.centres[100]
    scores = torch.zeros(1, 309, 1, 1)
    scores[0, 100] = 2.0
    target = at.reshape(1, 2, 1, 1)
    _, shares = coding.encode(at[None])
    expected = math.log(308 + math.exp(2.0)) - 2.0 * shares[0, 0].item()
    loss = coding.loss(scores, target, Loss("cross_entropy"))
    assert loss.item() == pytest.approx(expected, rel=1e-5)
    coding.class_weights[100] = 3.0  # known, but only asked for by a rebalanced loss
    assert coding.loss(scores, target, Loss("cross_entropy")).item() == loss.item()
    rebalanced = coding.loss(scores, target, Loss("cross_entropy", rebalance=True))
    assert rebalanced.item() == pytest.approx(3 * expected, rel=1e-5)


def test_luv_bins_add_the_cross_entropies_of_u_and_v() -> None:
    coding = LuvBins(50)
    scores = torch.zeros(1, 100, 1, 1)
    scores[0, 30], scores[0, 50 + 10] = 1.0, 2.0
    target = torch.tensor([-100 + 4 * 30 + 1.0, -100 + 4 * 11 + 1.0]).reshape(1, 2, 1, 1)
    loss = coding.loss(scores, target, Loss("cross_entropy")).item()
    u = math.log(49 + math.e) - 1.0
    v = math.log(49 + math.exp(2.0))  # the true bin is 11, not 10
    assert loss == pytest.approx(u + v, rel=1e-5)


def test_the_total_is_colour_plus_alpha_times_cross_entropy() -> None:
    logits, labels = torch.tensor([[0.0, math.log(3.0)]]), torch.tensor([0])
    terms = joint_loss(torch.tensor(0.005), logits, labels, Loss("mse", alpha=0.5))
    assert terms.classification is not None
    assert terms.classification.item() == pytest.approx(math.log(4.0))
    assert terms.total.item() == pytest.approx(0.005 + 0.5 * math.log(4.0))


def test_alpha_0_leaves_the_classification_out() -> None:
    logits, labels = torch.zeros(1, 2), torch.tensor([0])
    terms = joint_loss(torch.tensor(0.005), logits, labels, Loss("mse", alpha=0))
    assert terms.classification is None
    assert terms.total is terms.color
