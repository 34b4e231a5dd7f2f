"""The bins of the classifiers: their rule, soft encoding, loss and rebalancing."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from colour_truth import true_lab
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from trtcolor import color
from trtcolor.errors import ConfigError
from trtcolor_train.bins import AbBins, LuvBins, ab_bin_centres
from trtcolor_train.config import Loss
from trtcolor_train.decoder import BinCoding

CROSS_ENTROPY = Loss("cross_entropy", alpha=0)


@pytest.fixture(scope="module")
def bins() -> AbBins:
    """The 309 bins of the stated rule."""
    return AbBins(309)


def far_apart(count: int = 10) -> AbBins:
    """Bins on a line, too far apart for a Gaussian of deviation 5 to join them."""
    coding = AbBins(count)
    a = np.linspace(-120, 120, count, dtype=np.float32)
    coding.set_centres(np.stack([a, -a], axis=1))
    return coding


def truth(centres: Tensor, ab: Tensor) -> tuple[Tensor, Tensor]:
    """Squared distances of (P, 2) a*b* to their ten nearest bins and to all, float64."""
    squared = (ab.double()[:, None] - centres.double()).square().sum(dim=-1)
    return squared.sort(dim=1).values[:, :10], squared


# ---- the bins ----------------------------------------------------------------------------------


def test_the_bins_are_the_corners_of_every_cell_that_holds_one_of_all_srgb_colours() -> None:
    held = np.zeros((40, 40), bool)
    green, blue = np.meshgrid(np.arange(256, dtype=np.uint8), np.arange(256, dtype=np.uint8))
    for red in range(0, 256, 4):
        reds = (np.full_like(green, red + i) for i in range(4))
        colours = np.stack([np.stack([plane, green, blue], axis=-1) for plane in reds])
        lab = color.lab_from_rgb(colours.reshape(1024, 256, 3))
        cell = np.floor(lab[..., 1:] / 10).astype(np.int64) + 20
        counts = np.bincount((cell[..., 0] * 40 + cell[..., 1]).ravel(), minlength=1600)
        held |= counts.reshape(40, 40) > 0
    corners = {
        (10 * (int(a) + i - 20), 10 * (int(b) + j - 20))
        for a, b in np.argwhere(held)
        for i in (0, 1)
        for j in (0, 1)
    }
    assert len(corners) == 309
    assert [tuple(centre) for centre in ab_bin_centres().tolist()] == sorted(corners)


@pytest.mark.parametrize(
    ("coding", "bins"), [(AbBins, 9), (AbBins, 4097), (LuvBins, 1), (LuvBins, 4097)]
)
def test_too_few_and_too_many_bins_are_refused(coding: type[BinCoding], bins: int) -> None:
    with pytest.raises(ConfigError, match=rf"^{bins} bins came; .* to 4096 were needed"):
        coding(bins)


def test_bins_set_in_one_network_are_not_those_of_another() -> None:
    AbBins(309).set_centres(np.zeros((309, 2), np.float32))
    assert len(torch.unique(AbBins(309).centres, dim=0)) == 309


# ---- soft encoding -----------------------------------------------------------------------------

AB = st.lists(
    st.tuples(st.floats(-128, 128, width=32), st.floats(-128, 128, width=32)),
    min_size=1,
    max_size=40,
)


def check_encoding(coding: AbBins, ab: Tensor) -> None:
    indices, shares = coding.encode(ab)
    nearest, squared = truth(coding.centres, ab)
    assert all(len(set(row)) == 10 for row in indices.tolist())
    # The distances, not the indices: bins as near as each other may come in any order.
    chosen = squared.gather(1, indices)
    torch.testing.assert_close(chosen, nearest, rtol=1e-5, atol=1e-2)
    weights = torch.exp(-(chosen - chosen[:, :1]) / (2 * 5.0**2))
    expected = weights / weights.sum(dim=1, keepdim=True)
    torch.testing.assert_close(shares.double(), expected, rtol=1e-3, atol=1e-5)


@settings(deadline=None)  # the first call tabulates the candidates
@given(values=AB)
def test_the_encoding_finds_the_ten_nearest_bins(
    bins: AbBins, values: list[tuple[float, float]]
) -> None:
    check_encoding(bins, torch.tensor(values))


@settings(deadline=None, max_examples=25)
@given(values=AB, seed=st.integers(0, 2**32 - 1), count=st.integers(10, 40))
def test_the_encoding_finds_the_ten_nearest_of_any_bins(
    values: list[tuple[float, float]], seed: int, count: int
) -> None:
    centres = np.random.default_rng(seed).normal(0, 40, (count, 2)).astype(np.float32)
    coding = AbBins(count)
    coding.set_centres(centres)
    check_encoding(coding, torch.tensor(values))


def test_the_encoding_follows_bins_that_were_set_or_loaded_later(bins: AbBins) -> None:
    ab = torch.rand(100, 2) * 160 - 80
    coding = AbBins(309)
    coding.encode(ab)
    moved = AbBins(309)
    moved.set_centres(np.ascontiguousarray(ab_bin_centres()[:, ::-1]) * np.float32(0.5))
    coding.set_centres(moved.centres.numpy())
    check_encoding(coding, ab)
    coding.load_state_dict(bins.state_dict())
    check_encoding(coding, ab)


def test_the_shares_are_gaussian_in_the_distance(bins: AbBins) -> None:
    indices, shares = bins.encode(torch.tensor([[0.0, 0.0]]))
    # A bin's own centre: itself, four at 10, four at 14.1, and one of four at 20.
    weights = [1.0] + 4 * [math.exp(-100 / 50)] + 4 * [math.exp(-200 / 50)] + [math.exp(-400 / 50)]
    expected = [weight / sum(weights) for weight in weights]
    assert shares[0].tolist() == pytest.approx(expected, rel=1e-5)
    assert bins.centres[indices[0, 0]].tolist() == [0.0, 0.0]


def test_a_colour_far_from_every_bin_has_shares_that_sum_to_1() -> None:
    coding = far_apart()
    _, shares = coding.encode(torch.tensor([[120.0, 120.0]]))
    assert shares.sum().item() == pytest.approx(1)


# ---- loss and rebalancing ----------------------------------------------------------------------


@pytest.mark.parametrize("reduction", ["mean", "sum"])
def test_the_loss_is_the_cross_entropy_with_the_soft_encoding_weighted_by_the_nearest_bin(
    reduction: str,
) -> None:
    torch.manual_seed(2)
    coding = far_apart(12)
    coding.weigh(torch.arange(1.0, 13.0))
    scores, ab = torch.randn(2, 12, 3, 4), torch.rand(2, 2, 3, 4) * 200 - 100
    squared = (ab[:, None] - coding.centres[:, :, None, None]).square().sum(dim=2)
    nearest = squared <= squared.sort(dim=1).values[:, 9:10]
    shares = torch.softmax((-squared / 50).masked_fill(~nearest, -torch.inf), dim=1)
    entropy = -(shares * scores.log_softmax(dim=1)).sum(dim=1)
    expected = entropy * coding.class_weights[squared.argmin(dim=1)]
    rebalanced = Loss("cross_entropy", alpha=0, reduction=reduction, rebalance=True)
    loss = coding.loss(scores, ab, rebalanced)
    expected = expected.mean() if reduction == "mean" else expected.sum()
    assert loss.item() == pytest.approx(expected.item(), rel=1e-5)


def test_without_a_prior_every_pixel_counts_the_same(bins: AbBins) -> None:
    assert torch.equal(AbBins(309).class_weights, torch.ones(309))
    flat = bins.loss(torch.zeros(1, 309, 2, 2), torch.randn(1, 2, 2, 2) * 30, CROSS_ENTROPY)
    assert flat.item() == pytest.approx(math.log(309), rel=1e-5)


def test_class_weights_are_the_reciprocal_of_half_the_prior_and_half_a_uniform_share() -> None:
    coding = far_apart()
    prior = torch.tensor([0.91] + 9 * [0.01], dtype=torch.float64)
    coding.weigh(prior)
    raw = [1 / (0.5 * p + 0.5 / 10) for p in prior.tolist()]
    expectation = sum(p * w for p, w in zip(prior.tolist(), raw, strict=True))
    expected = [w / expectation for w in raw]
    assert coding.class_weights.tolist() == pytest.approx(expected, rel=1e-5)


@settings(deadline=None, max_examples=25)
@given(seed=st.integers(0, 2**32 - 1))
def test_class_weights_have_expectation_1_under_the_smoothed_prior(seed: int) -> None:
    coding = AbBins(309)
    shares = torch.from_numpy(np.random.default_rng(seed).pareto(0.7, 309))
    coding.weigh(shares / shares.sum())
    weights = coding.class_weights.double()
    # The smoothed prior follows from the weights: c / w = p / 2 + 1 / (2 Q), whose sum is 1.
    inverse = 1 / weights
    prior = 2 * inverse / inverse.sum() - 1 / 309
    assert (prior * weights).sum().item() == pytest.approx(1, abs=1e-4)
    assert prior.min() > -1e-6


def test_the_prior_is_smoothed_by_a_gaussian_of_deviation_5(bins: AbBins) -> None:
    centres = bins.centres.double()
    peak = int((centres == 0).all(dim=1).nonzero()[0])
    coding = AbBins(309)
    coding.weigh(torch.nn.functional.one_hot(torch.tensor(peak), 309))
    inverse = 1 / coding.class_weights.double()
    prior = 2 * inverse / inverse.sum() - 1 / 309
    expected = torch.exp(-centres.square().sum(dim=1) / 50)
    torch.testing.assert_close(prior, expected / expected.sum(), rtol=0, atol=1e-6)


def test_the_prior_counts_the_pixels_nearest_to_each_bin(bins: AbBins) -> None:
    torch.manual_seed(3)
    ab = torch.randn(2, 2, 9, 7) * 30
    counts = bins.count(ab)
    _, squared = truth(bins.centres, ab.permute(0, 2, 3, 1).reshape(-1, 2))
    assert torch.equal(counts, torch.bincount(squared.argmin(dim=1), minlength=309).double())
    assert counts.sum() == 2 * 9 * 7


@pytest.mark.parametrize("coding", [AbBins(309), LuvBins(50)])
@pytest.mark.parametrize("scale", [1, 2])
def test_targets_are_area_averages(coding: BinCoding, scale: int) -> None:
    rgb = np.random.default_rng(5).random((8, 6, 3))
    lab = torch.from_numpy(np.moveaxis(true_lab(rgb), -1, 0)[None].copy()).float()
    target = coding.target(lab, scale)
    whole = coding.target(lab, 1)[0].reshape(2, 8 // scale, scale, 6 // scale, scale)
    torch.testing.assert_close(target[0], whole.mean(dim=(2, 4)), rtol=0, atol=1e-4)
    if isinstance(coding, AbBins):
        assert torch.equal(coding.target(lab, 1), lab[:, 1:])


# ---- bins of u* and v* -------------------------------------------------------------------------


def test_values_go_to_equal_bins_and_those_outside_to_the_end_bins() -> None:
    values = [-500.0, -100.0, -96.01, -96.0, -0.01, 0.0, 3.99, 96.0, 99.99, 100.0, 500.0]
    bins = [0, 0, 0, 1, 24, 25, 25, 49, 49, 49, 49]
    assert LuvBins(50).bin(torch.tensor(values)).tolist() == bins


@pytest.mark.parametrize("reduction", ["mean", "sum"])
def test_the_loss_of_u_and_v_is_the_sum_of_their_cross_entropies(reduction: str) -> None:
    coding = LuvBins(50)
    u, v = torch.zeros(50), torch.zeros(50)
    u[30] = math.log(51.0)  # of 100
    scores = torch.cat([u, v]).view(1, 100, 1, 1).repeat(1, 1, 1, 2)
    target = torch.tensor([21.0, 21.0, -5.0, 77.0]).view(1, 2, 1, 2)
    loss = coding.loss(scores, target, Loss("cross_entropy", alpha=0, reduction=reduction))
    pixel = math.log(100 / 51) + math.log(50)
    assert loss.item() == pytest.approx(pixel * (2 if reduction == "sum" else 1), rel=1e-5)
