"""The joint loss against hand-computed cases."""

from __future__ import annotations

import math

import pytest
import torch

from trtcolor_train.config import Loss
from trtcolor_train.losses import color_loss, joint_loss

CHROMA = torch.tensor([[[[22.0]], [[0.0]]]])  # (1, 2, 1, 1): 0.1 of the range from the target
TARGET = torch.zeros(1, 2, 1, 1)


def test_mse_is_the_mean_square_on_the_unit_range() -> None:
    assert color_loss(CHROMA, TARGET, Loss("mse")).item() == pytest.approx(0.1**2 / 2)


def test_sum_reduction_adds_pixels_channels_and_pictures() -> None:
    twice = CHROMA.repeat(2, 1, 1, 1), TARGET.repeat(2, 1, 1, 1)
    assert color_loss(*twice, Loss("mse", reduction="sum")).item() == pytest.approx(2 * 0.1**2)


def test_smooth_l1_is_linear_beyond_beta_and_quadratic_below() -> None:
    beyond = color_loss(CHROMA, TARGET, Loss("smooth_l1", beta=0.05)).item()
    below = color_loss(CHROMA, TARGET, Loss("smooth_l1", beta=0.5)).item()
    assert beyond == pytest.approx((0.1 - 0.025) / 2)
    assert below == pytest.approx(0.1**2 / (2 * 0.5) / 2)


def test_the_total_is_colour_plus_alpha_times_cross_entropy() -> None:
    logits, labels = torch.tensor([[0.0, math.log(3.0)]]), torch.tensor([0])
    terms = joint_loss(CHROMA, TARGET, logits, labels, Loss("mse", alpha=0.5))
    assert terms.classification is not None
    assert terms.classification.item() == pytest.approx(math.log(4.0))
    assert terms.total.item() == pytest.approx(0.005 + 0.5 * math.log(4.0))


def test_alpha_0_leaves_the_classification_out() -> None:
    logits, labels = torch.zeros(1, 2), torch.tensor([0])
    terms = joint_loss(CHROMA, TARGET, logits, labels, Loss("mse", alpha=0))
    assert terms.classification is None
    assert terms.total is terms.color
