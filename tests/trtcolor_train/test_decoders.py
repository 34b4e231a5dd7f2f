"""How scores of bins become a*b*: mode, mean, annealed mean, and the smoothing of scores."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from trtcolor.errors import ConfigError
from trtcolor_train.bins import AbBins, LuvBins
from trtcolor_train.colorspace import ab_from_uv
from trtcolor_train.decoder import BinCoding, Decoder

SMALL = -1e4  # the score of a bin that has no share
DECODERS = [Decoder("mode"), Decoder("mean"), Decoder(temperature=0.01), Decoder(smoothing=2.0)]


def far_apart() -> AbBins:
    """Ten bins on a line."""
    coding = AbBins(10)
    a = np.linspace(-120, 120, 10, dtype=np.float32)
    coding.set_centres(np.stack([a, -a], axis=1))
    return coding


# ---- decoders ----------------------------------------------------------------------------------


def one_to_three(coding: AbBins) -> Tensor:
    """Scores whose shares are 1/4 for bin 2 and 3/4 for bin 5."""
    scores = torch.full((1, coding.channels, 1, 1), SMALL)
    scores[0, 2], scores[0, 5] = 0.0, math.log(3.0)
    return scores


@pytest.mark.parametrize(
    ("decoder", "share"),
    [
        (Decoder("mode"), 1.0),
        (Decoder("mean"), 3 / 4),
        (Decoder("annealed-mean", temperature=1.0), 3 / 4),
        (Decoder("annealed-mean", temperature=0.5), 9 / 10),
        (Decoder("annealed-mean", temperature=0.01), 1.0),
    ],
)
def test_a_decoder_weighs_the_bins_as_its_name_says(decoder: Decoder, share: float) -> None:
    coding = far_apart()
    coding.decoder = decoder
    ab = coding.decode(one_to_three(coding), torch.full((1, 1, 1, 1), 50.0))
    expected = (1 - share) * coding.centres[2] + share * coding.centres[5]
    assert ab.flatten().tolist() == pytest.approx(expected.tolist(), rel=1e-5)


@pytest.mark.parametrize(
    "build",
    [
        lambda: Decoder("median"),
        lambda: Decoder(temperature=0.0),
        lambda: Decoder(temperature=1.5),
        lambda: Decoder(smoothing=-1.0),
        lambda: Decoder(smoothing=math.nan),
    ],
)
def test_impossible_decoders_are_refused(build: Callable[[], Decoder]) -> None:
    with pytest.raises(ConfigError, match=r"was needed; give"):
        build()


@pytest.mark.parametrize("coding", [AbBins(309), LuvBins(50)])
@settings(deadline=None, max_examples=50)
@given(
    seed=st.integers(0, 2**32 - 1),
    reach=st.sampled_from([0.0, 1.0, 1e4]),
    decoder=st.sampled_from(DECODERS),
    lightness=st.sampled_from([0.0, 100.0]),
)
def test_any_scores_are_finite_at_black_and_white(
    coding: BinCoding, seed: int, reach: float, decoder: Decoder, lightness: float
) -> None:
    scores = np.random.default_rng(seed).normal(0, 1, (2, coding.channels, 3, 2)) * reach
    coding.decoder = decoder
    ab = coding.decode(torch.from_numpy(scores).float(), torch.full((2, 1, 3, 2), lightness))
    assert ab.shape == (2, 2, 3, 2)
    assert ab.isfinite().all()


# ---- smoothing ---------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [(1, 1), (3, 20), (17, 5)])
def test_smoothing_leaves_constant_scores_alone(size: tuple[int, int]) -> None:
    coding = far_apart()
    coding.decoder = Decoder(smoothing=1.7)
    scores = torch.randn(2, 10, 1, 1).expand(2, 10, *size)
    torch.testing.assert_close(coding.smoothed(scores), scores)


def test_smoothing_is_a_gaussian_over_the_picture_and_not_across_bins() -> None:
    coding = far_apart()
    coding.decoder = Decoder(smoothing=1.5)
    scores = torch.zeros(1, 10, 21, 21)
    scores[0, 4, 10, 10] = 1.0
    smooth = coding.smoothed(scores)
    peak = smooth[0, 4, 10, 10].item()
    for dy, dx in ((0, 2), (-1, 3), (4, 0)):
        expected = math.exp(-(dy**2 + dx**2) / (2 * 1.5**2))
        assert smooth[0, 4, 10 + dy, 10 + dx].item() / peak == pytest.approx(expected, rel=1e-4)
    assert smooth[0, 4].sum().item() == pytest.approx(1, rel=1e-5)
    assert smooth[0, [i for i in range(10) if i != 4]].abs().max() == 0


def test_without_smoothing_the_scores_are_what_they_were() -> None:
    scores = torch.randn(1, 10, 4, 4)
    assert torch.equal(far_apart().smoothed(scores), scores)


def luv_scores(u: Tensor, v: Tensor) -> Tensor:
    return torch.cat([u, v]).view(1, 100, 1, 1)


def test_the_best_bins_decode_to_their_mid_points() -> None:
    coding = LuvBins(50)
    coding.decoder = Decoder("mode")
    lightness = torch.full((1, 1, 1, 1), 60.0)
    for first, second, u, v in ((0, 49, -98.0, 98.0), (25, 24, 2.0, -2.0), (31, 20, 26.0, -18.0)):
        scores = luv_scores(torch.eye(50)[first], torch.eye(50)[second])
        expected = ab_from_uv(torch.tensor([u, v]).view(1, 2, 1, 1), lightness)
        torch.testing.assert_close(coding.decode(scores, lightness), expected)


def test_the_mean_is_taken_in_u_and_v_each_by_itself() -> None:
    coding = LuvBins(50)
    coding.decoder = Decoder("mean")
    u, v = torch.full((50,), SMALL), torch.full((50,), SMALL)
    u[25], u[27] = 0.0, math.log(3.0)  # 2 and 10, a quarter and three quarters
    v[20], v[22] = 0.0, 0.0  # -18 and -10
    lightness = torch.full((1, 1, 1, 1), 60.0)
    expected = ab_from_uv(torch.tensor([8.0, -14.0]).view(1, 2, 1, 1), lightness)
    torch.testing.assert_close(coding.decode(luv_scores(u, v), lightness), expected)


# ---- rebalancing and saturation ----------------------------------------------------------------


def counted() -> AbBins:
    """Bins of which every second one is rare."""
    coding = far_apart()
    coding.weigh(torch.tensor([0.19, 0.01] * 5))
    return coding


def shares_of(coding: AbBins, scores: Tensor) -> Tensor:
    """The probabilities that a mean was taken of, read off bins that are one-hot in turn."""
    seen: list[Tensor] = []
    coding.expected = lambda scores, centres: seen.append(torch.softmax(scores, 1)) or scores  # type: ignore[assignment, func-returns-value]
    coding.decode(scores, torch.full((1, 1, 1, 1), 50.0))
    return seen[0][0, :, 0, 0]


@pytest.mark.parametrize("power", [-1.0, 0.25, 1.0])
def test_rebalancing_multiplies_the_probabilities_by_a_power_of_the_rarity(power: float) -> None:
    coding = counted()
    scores = torch.randn(1, 10, 1, 1, generator=torch.Generator().manual_seed(0))
    coding.decoder = Decoder("mean", rebalancing=power)
    expected = torch.softmax(scores, 1)[0, :, 0, 0] * coding.class_weights**power
    torch.testing.assert_close(shares_of(coding, scores), expected / expected.sum())


def test_rebalancing_by_1_undoes_a_training_without_weights() -> None:
    # Of a weighted cross entropy the best answer is weights times probabilities, normalised: what a
    # network trained without weights gives with a rebalancing of 1.
    coding = counted()
    truth = torch.softmax(torch.randn(10, generator=torch.Generator().manual_seed(1)), 0)
    best = truth.log()[None, :, None, None].clone().requires_grad_()
    optimizer = torch.optim.LBFGS([best], max_iter=200)

    def closure() -> Tensor:
        optimizer.zero_grad()
        loss = (coding.class_weights * truth * -torch.log_softmax(best[0, :, 0, 0], 0)).sum()
        loss.backward()  # type: ignore[no-untyped-call]
        return loss

    optimizer.step(closure)  # type: ignore[no-untyped-call]
    coding.decoder = Decoder("mean", rebalancing=1.0)
    found = shares_of(coding, truth.log()[None, :, None, None])
    torch.testing.assert_close(
        found, torch.softmax(best.detach()[0, :, 0, 0], 0), atol=1e-4, rtol=1e-3
    )


@pytest.mark.parametrize("coding", [far_apart(), LuvBins(50)])
def test_saturation_is_a_factor_on_what_comes_out(coding: BinCoding) -> None:
    scores = torch.randn(1, coding.channels, 2, 2, generator=torch.Generator().manual_seed(2))
    lightness = torch.full((1, 1, 2, 2), 50.0)
    coding.decoder = Decoder("mean")
    plain = coding.decode(scores, lightness)
    coding.decoder = Decoder("mean", saturation=1.5)
    torch.testing.assert_close(coding.decode(scores, lightness), 1.5 * plain)


@pytest.mark.parametrize("entry", [{"rebalancing": 1.5}, {"saturation": -1.0}])
def test_impossible_rebalancing_and_saturation_are_refused(entry: dict[str, float]) -> None:
    with pytest.raises(ConfigError, match=f"the {next(iter(entry))} is"):
        Decoder(**entry)
