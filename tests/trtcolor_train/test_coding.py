"""The codings of the regressions: there and back, at the ends of L*, and what they average."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from colour_truth import true_lab
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from trtcolor_train import coding as codings
from trtcolor_train.coding import LinearLab, LinearLuv, RegressionCoding, SigmoidLab
from trtcolor_train.config import Loss

CODINGS: dict[str, type[RegressionCoding]] = {
    name: getattr(codings, name)
    for name in ("SigmoidLab", "SigmoidYuv", "SigmoidRgb", "LinearLab", "LinearLuv")
}
EVERY = pytest.mark.parametrize("name", sorted(CODINGS))
SIGMOIDS = pytest.mark.parametrize("name", ["SigmoidLab", "SigmoidYuv", "SigmoidRgb"])
OUTPUTS = st.lists(st.floats(-(2.0**20), 2.0**20, width=32), min_size=3, max_size=3)


def colours() -> np.ndarray:
    """(h, w, 3) float64 R'G'B': all over the cube, its corners and edges, near black, greys."""
    rng = np.random.default_rng(11)
    rgb = rng.random((60, 50, 3))
    rgb[:10] = rgb[:10].round()
    rgb[10:20, :, 0] = rgb[10:20, :, 0].round()
    rgb[20:30] *= 0.1
    rgb[30:35] = rgb[30:35, :, :1]
    return rgb


def planes(picture: np.ndarray) -> Tensor:
    """(h, w, C) float64 -> (1, C, h, w) float32."""
    return torch.from_numpy(np.moveaxis(picture, -1, 0)[None].copy()).float()


def output_of(coding: RegressionCoding, coordinates: Tensor) -> Tensor:
    """The output that states these coordinates, by the logit where a sigmoid follows."""
    if torch.equal(coding.activate(coordinates), coordinates):
        return coordinates
    return torch.logit(coordinates.double().clamp(0, 1)).float()


@pytest.mark.parametrize("name", ["SigmoidLab", "LinearLab", "LinearLuv"])
def test_in_gamut_colours_come_back(name: str) -> None:
    coding = CODINGS[name]()
    lab = planes(true_lab(colours()))
    # Of u*v*, colours other than grey are stated exactly from L* 1 on (colorspace.ab_from_uv).
    stated = (lab[:, 0] >= 1) | (lab[:, 1:].abs().amax(dim=1) < 1e-6) | (name != "LinearLuv")
    assert {0.0, 100.0} <= set(lab[:, 0][stated].round(decimals=4).tolist())
    decoded = coding.decode(output_of(coding, coding.target(lab, 1)), lab[:, :1])
    assert (decoded - lab[:, 1:]).abs().amax(dim=1)[stated].max() < 1e-2


@pytest.mark.parametrize("name", ["SigmoidYuv", "SigmoidRgb"])
def test_in_gamut_colours_come_back_on_a_grey_of_their_own_luma(name: str) -> None:
    coding = CODINGS[name]()
    rgb = colours()
    luma = rgb @ np.array([0.299, 0.587, 0.114])
    lightness = planes(true_lab(np.repeat(luma[..., None], 3, axis=-1))[..., :1])
    assert {0.0, 100.0} <= set(lightness.flatten().round(decimals=4).tolist())
    lab = true_lab(rgb)
    coordinates = coding.target(planes(lab), 1)
    decoded = coding.decode(output_of(coding, coordinates), lightness)
    assert (decoded - planes(lab[..., 1:])).abs().max() < 1e-2


@pytest.mark.parametrize("name", ["SigmoidYuv", "SigmoidRgb"])
def test_the_luma_is_the_grey_of_the_input_whatever_the_output_says(name: str) -> None:
    rng = np.random.default_rng(1)
    stated, luma = rng.random((40, 50, 3)), rng.random((40, 50, 1))
    own = stated @ np.array([[0.299], [0.587], [0.114]])
    # U and V depend on R' - Y' and B' - Y' alone: another Y' moves R', G' and B' by the same.
    expected = true_lab((stated + luma - own).clip(0, 1))[..., 1:]
    coding = CODINGS[name]()
    lightness = planes(true_lab(luma.repeat(3, axis=-1))[..., :1])
    output = output_of(coding, coding.target(planes(true_lab(stated)), 1))
    assert (coding.decode(output, lightness) - planes(expected)).abs().max() < 1e-2


@EVERY
@given(values=OUTPUTS, lightness=st.sampled_from([0.0, 100.0]))
def test_any_output_is_finite_at_black_and_white(
    name: str, values: list[float], lightness: float
) -> None:
    coding = CODINGS[name]()
    output = torch.tensor(values)[: coding.channels].view(1, -1, 1, 1)
    decoded = coding.decode(output, torch.full((1, 1, 1, 1), lightness))
    assert decoded.shape == (1, 2, 1, 1)
    assert decoded.isfinite().all()


@EVERY
@given(scale=st.sampled_from([1, 2, 4]), seed=st.integers(0, 2**32 - 1))
def test_targets_are_area_averages_of_the_coordinates(name: str, scale: int, seed: int) -> None:
    coding = CODINGS[name]()
    rgb = np.random.default_rng(seed).random((12 * scale, 7 * scale, 3))
    lab = planes(true_lab(rgb)).expand(2, 3, -1, -1)
    target = coding.target(lab, scale)
    assert target.shape == (2, coding.channels, 12, 7)
    blocks = coding.coordinates(lab)[0].double().numpy()
    blocks = blocks.reshape(coding.channels, 12, scale, 7, scale)
    np.testing.assert_allclose(target[1].numpy(), blocks.mean(axis=(2, 4)), rtol=0, atol=1e-5)


@SIGMOIDS
def test_coordinates_of_every_srgb_colour_lie_where_the_sigmoid_reaches(name: str) -> None:
    coding = CODINGS[name]()
    coordinates = coding.coordinates(planes(true_lab(colours())))
    assert coordinates.shape[1] == coding.channels
    assert coordinates.min() > -1e-5
    assert coordinates.max() < 1 + 1e-5


def test_the_units_are_those_of_the_papers() -> None:
    lab = torch.tensor([50.0, 55.0, -64.0]).view(1, 3, 1, 1)
    assert SigmoidLab().coordinates(lab).flatten().tolist() == pytest.approx([165 / 220, 46 / 220])
    assert LinearLab().coordinates(lab).flatten().tolist() == [55 / 128, -0.5]
    red = planes(true_lab(np.array([[[1.0, 0.0, 0.0]]])))
    assert LinearLuv().coordinates(red).flatten().tolist() == pytest.approx(
        [1.750, 0.3776], abs=2e-4
    )


@EVERY
def test_the_loss_is_zero_for_the_exact_output_and_not_for_another(name: str) -> None:
    coding = CODINGS[name]()
    target = coding.target(planes(true_lab(colours() * 0.8 + 0.1)), 2)
    output = output_of(coding, target)
    assert coding.loss(output, target, Loss("mse")).item() < 1e-9
    assert coding.loss(output + 0.5, target, Loss("mse")).item() > 1e-3


@pytest.mark.parametrize(("space", "channels"), [("lab", 2), ("yuv", 2), ("rgb", 3)])
def test_each_colour_space_of_the_paper_has_its_coding(
    space: codings.ColorSpace, channels: int
) -> None:
    coding = codings.sigmoid_coding(space)
    assert type(coding).__name__ == f"Sigmoid{space.capitalize()}"
    assert coding.channels == channels
