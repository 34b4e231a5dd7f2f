"""The colour spaces in torch against float64, against the package's kernels, and at their edges."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import torch
from colour_truth import true_lab, true_luv, true_rgb
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor, nn

from trtcolor import color
from trtcolor_train import colorspace
from trtcolor_train.colorspace import (
    ab_from_uv,
    grey_from_lightness,
    lab_from_rgb,
    rgb_from_lab,
    rgb_from_yuv,
    uv_from_lab,
    yuv_from_rgb,
)

Function = Callable[..., Tensor]

# Every function and the channels of its arguments.
FUNCTIONS: dict[str, tuple[int, ...]] = {
    "lab_from_rgb": (3,),
    "rgb_from_lab": (3,),
    "uv_from_lab": (3,),
    "ab_from_uv": (2, 1),
    "yuv_from_rgb": (3,),
    "rgb_from_yuv": (3,),
    "grey_from_lightness": (1,),
}
NAMES = sorted(FUNCTIONS)
SIZE = 101, 67  # odd, so that rows end within the processor's vectors

VALUES = st.one_of(
    st.sampled_from([0.0, -0.0, 1e-30, 0.5, 1.0, 8.0, 100.0, -1e9, 1e30]),
    st.floats(-200.0, 200.0, width=32),
    st.floats(-(2.0**100), 2.0**100, width=32),
)


def colours(dtype: type[np.floating] = np.float64) -> np.ndarray:
    """(h, w, 3) R'G'B' in 0..1: all over the cube, near black, greys, the corners."""
    rng = np.random.default_rng(4)
    rgb = rng.random((*SIZE, 3))
    rgb[:15] *= 0.03
    rgb[15:30] *= rng.random((15, SIZE[1], 1))
    rgb[30:35] = rgb[30:35, :, :1]
    rgb[35, :8] = [[i & 1, i >> 1 & 1, i >> 2] for i in range(8)]
    return rgb.astype(dtype)


def planes(picture: np.ndarray, dtype: torch.dtype = torch.float32) -> Tensor:
    """(h, w, C) -> (1, C, h, w)."""
    return torch.from_numpy(np.moveaxis(picture, -1, 0)[None].copy()).to(dtype)


def picture(planes: Tensor) -> np.ndarray:
    """(1, C, h, w) -> (h, w, C)."""
    return np.moveaxis(planes[0].double().numpy(), 0, -1)


def codes() -> Tensor:
    """(1, 1, 1, 65537): grey codes from 0 to 1."""
    return torch.linspace(0, 1, 65537).view(1, 1, 1, -1)


# ---- accuracy ----------------------------------------------------------------------------------


@pytest.mark.parametrize(("dtype", "bound"), [(torch.float32, 2e-4), (torch.float64, 1e-10)])
def test_lab_of_rgb_is_the_definition(dtype: torch.dtype, bound: float) -> None:
    rgb = colours(np.float32).astype(np.float64)
    assert abs(picture(lab_from_rgb(planes(rgb, dtype))) - true_lab(rgb)).max() < bound


@pytest.mark.parametrize(("dtype", "bound"), [(torch.float32, 2e-5), (torch.float64, 1e-12)])
def test_rgb_of_lab_is_the_definition(dtype: torch.dtype, bound: float) -> None:
    lab = np.random.default_rng(1).uniform([0, -120, -120], [100, 120, 120], (*SIZE, 3))
    lab = np.concatenate([lab, true_lab(colours())]).astype(np.float32).astype(np.float64)
    assert abs(picture(rgb_from_lab(planes(lab, dtype))) - true_rgb(lab)).max() < bound


@pytest.mark.parametrize(("dtype", "bound"), [(torch.float32, 5e-4), (torch.float64, 1e-10)])
def test_uv_of_lab_are_the_definition(dtype: torch.dtype, bound: float) -> None:
    rgb = colours()
    uv = picture(uv_from_lab(planes(true_lab(rgb), dtype)))
    assert abs(uv - true_luv(rgb)[..., 1:]).max() < bound


def test_the_kernels_give_the_same() -> None:
    rgb = colours(np.float32)
    lab = lab_from_rgb(planes(rgb))
    assert abs(picture(lab) - color.lab_from_rgb(rgb)).max() < 2e-3
    assert abs(picture(uv_from_lab(lab)) - color.luv_from_rgb(rgb)[..., 1:]).max() < 2e-3
    outside = np.random.default_rng(2).uniform(-120, 120, (*SIZE, 3)).astype(np.float32)
    expected = color.rgb_from_lab(outside, dtype=np.float32)
    assert abs(picture(rgb_from_lab(planes(outside))) - expected).max() < 1e-3


def test_yuv_is_bt601() -> None:
    rgb = colours()
    y = rgb @ [0.299, 0.587, 0.114]
    u, v = 0.436 / 0.886 * (rgb[..., 2] - y), 0.615 / 0.701 * (rgb[..., 0] - y)
    result = picture(yuv_from_rgb(planes(rgb, torch.float64)))
    assert abs(result - np.stack([y, u, v], axis=-1)).max() < 1e-12
    blue_and_red = yuv_from_rgb(torch.tensor([[0.0, 0, 1], [1, 0, 0]])[..., None, None])
    assert blue_and_red[0, 1].item() == pytest.approx(0.436)
    assert blue_and_red[1, 2].item() == pytest.approx(0.615)


# ---- there and back ----------------------------------------------------------------------------


def test_rgb_comes_back_from_lab_and_from_yuv() -> None:
    rgb = planes(colours())
    torch.testing.assert_close(rgb_from_lab(lab_from_rgb(rgb)), rgb, rtol=0, atol=3e-5)
    torch.testing.assert_close(rgb_from_yuv(yuv_from_rgb(rgb)), rgb, rtol=0, atol=1e-6)


def test_ab_come_back_from_uv_from_lightness_1_on() -> None:
    lab = lab_from_rgb(planes(colours()))
    bright = lab[:, :1] >= 1
    assert bright.sum() > 1000
    wrong = (ab_from_uv(uv_from_lab(lab), lab[:, :1]) - lab[:, 1:]).abs().amax(dim=1, keepdim=True)
    assert wrong[bright].max() < 1e-2


def test_ab_from_uv_lose_colour_below_lightness_1_and_are_grey_below_a_half() -> None:
    lab = lab_from_rgb(planes(colours()) * 0.1)
    lightness, true = lab[:, :1], lab[:, 1:].norm(dim=1, keepdim=True)
    chroma = ab_from_uv(uv_from_lab(lab), lightness).norm(dim=1, keepdim=True)
    dark, darkest = (lightness > 0.5) & (lightness < 1), lightness < 0.5
    assert dark.sum() > 100
    assert darkest.sum() > 100
    assert (chroma <= true + 1e-2)[dark].all()
    assert chroma[dark].max() > 1
    assert (chroma[darkest] == 0).all()


def test_uv_that_no_colour_has_are_taken_as_the_nearest_chromaticity() -> None:
    lightness = torch.full((1, 1, 1, 1), 50.0)
    far = ab_from_uv(torch.tensor([1e6, -1e6]).view(1, 2, 1, 1), lightness)
    # u' = 0.65, v' = 0.01: X = Y 9 u' / (4 v'), Z = Y (12 - 3 u' - 20 v') / (4 v'), in float64.
    y = ((50 + 16) / 116) ** 3
    x, z = y * 9 * 0.65 / 0.04 / 0.950456, y * (12 - 1.95 - 0.2) / 0.04 / 1.088754
    expected = [500 * (x ** (1 / 3) - y ** (1 / 3)), 200 * (y ** (1 / 3) - z ** (1 / 3))]
    assert far.flatten().tolist() == pytest.approx(expected, rel=1e-5)
    # u' = v' = 0.65 has a Z below 0, which counts as 0: b* = 200 (f(Y) - 4 / 29).
    negative = ab_from_uv(torch.full((1, 2, 1, 1), 1e6), lightness)[0, 1].item()
    assert negative == pytest.approx(200 * (66 / 116 - 4 / 29), rel=1e-5)


# ---- greys -------------------------------------------------------------------------------------


def test_greys_have_no_chroma_at_all() -> None:
    grey = codes().expand(2, 3, 1, -1)
    lab = lab_from_rgb(grey)
    assert (lab[:, 1:] == 0).all()
    assert (uv_from_lab(lab) == 0).all()
    assert (yuv_from_rgb(grey)[:, 1:] == 0).all()
    assert (ab_from_uv(torch.zeros(2, 2, 1, 65537), lab[:, :1]) == 0).all()


def test_greys_come_back_as_greys() -> None:
    grey = codes().expand(2, 3, 1, -1)
    lab = lab_from_rgb(grey)
    for back in (rgb_from_lab(lab), rgb_from_yuv(yuv_from_rgb(grey))):
        assert (back == back[:, :1]).all()
        torch.testing.assert_close(back, grey, rtol=0, atol=5e-7)
    torch.testing.assert_close(grey_from_lightness(lab[:, :1]), grey[:, :1], rtol=0, atol=5e-7)


def test_black_and_white_are_lightness_0_and_100() -> None:
    ends = torch.tensor([0.0, 1.0]).view(2, 1, 1, 1)
    lightness = lab_from_rgb(ends.expand(2, 3, 1, 1))[:, :1]
    assert lightness.flatten().tolist() == [0.0, 100.0]
    assert grey_from_lightness(lightness).flatten().tolist() == [0.0, pytest.approx(1, abs=1e-6)]


# ---- every input -------------------------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
@given(values=st.lists(VALUES, min_size=12, max_size=12))
def test_outputs_and_gradients_are_finite_for_every_input(name: str, values: list[float]) -> None:
    arguments, left = [], values
    for channels in FUNCTIONS[name]:
        taken, left = left[: 4 * channels], left[4 * channels :]
        arguments.append(torch.tensor(taken).view(1, channels, 2, 2).requires_grad_())
    result: Tensor = getattr(colorspace, name)(*arguments)
    assert result.isfinite().all()
    result.sum().backward()
    for argument in arguments:
        assert argument.grad is not None
        assert argument.grad.isfinite().all()


@given(uv=st.lists(VALUES, min_size=2, max_size=2), lightness=st.sampled_from([0.0, 100.0]))
def test_uv_at_black_and_at_white_give_finite_ab(uv: list[float], lightness: float) -> None:
    ab = ab_from_uv(torch.tensor(uv).view(1, 2, 1, 1), torch.full((1, 1, 1, 1), lightness))
    assert ab.isfinite().all()
    assert lightness > 0 or (ab == 0).all()


@pytest.mark.parametrize("name", ["lab_from_rgb", "rgb_from_lab", "uv_from_lab", "ab_from_uv"])
def test_gradients_are_those_of_finite_differences(name: str) -> None:
    torch.manual_seed(0)
    rgb = torch.rand(1, 3, 3, 4, dtype=torch.float64) * 0.8 + 0.1
    lab = lab_from_rgb(rgb)
    inputs = {
        "lab_from_rgb": (rgb,),
        "rgb_from_lab": (lab,),
        "uv_from_lab": (lab,),
        "ab_from_uv": (uv_from_lab(lab), lab[:, :1]),
    }[name]
    function: Function = getattr(colorspace, name)
    assert torch.autograd.gradcheck(function, [x.clone().requires_grad_() for x in inputs])


@pytest.mark.parametrize("dtype", [torch.float64, torch.bfloat16, torch.float16])
@pytest.mark.parametrize("name", NAMES)
def test_the_dtype_that_comes_is_the_dtype_that_goes(name: str, dtype: torch.dtype) -> None:
    arguments = [torch.full((2, c, 3, 5), 0.5, dtype=dtype) for c in FUNCTIONS[name]]
    result: Tensor = getattr(colorspace, name)(*arguments)
    assert result.dtype == dtype
    assert result.isfinite().all()


# ---- export ------------------------------------------------------------------------------------


class Everything(nn.Module):
    """Every function, one output each, of R'G'B' and of u*v* and L* that belong to no colour."""

    def forward(self, rgb: Tensor, uv: Tensor, lightness: Tensor) -> tuple[Tensor, ...]:
        lab = lab_from_rgb(rgb)
        yuv = yuv_from_rgb(rgb)
        wild = torch.cat([lightness, uv], dim=1)
        return (
            lab,
            rgb_from_lab(wild),
            uv_from_lab(wild),
            ab_from_uv(uv, lightness),
            yuv,
            rgb_from_yuv(yuv),
            grey_from_lightness(lightness),
        )


def test_an_exported_graph_computes_the_same(tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    uv = planes(rng.uniform(-200, 200, (*SIZE, 2)))
    lightness = planes(rng.uniform(0, 100, (*SIZE, 1)))
    lightness[..., :3], lightness[..., 3:6] = 0.0, 100.0
    inputs = planes(colours()), uv, lightness
    dynamic = {0: torch.export.Dim.DYNAMIC, 2: torch.export.Dim.DYNAMIC}
    path = tmp_path / "everything.onnx"
    torch.onnx.export(
        Everything().eval(),
        tuple(torch.rand(2, x.shape[1], 8, SIZE[1]) for x in inputs),
        path,
        input_names=["rgb", "uv", "lightness"],
        dynamic_shapes=(dynamic, dynamic, dynamic),
        dynamo=True,
        verbose=False,
    )
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    feeds = {node.name: x.numpy() for node, x in zip(session.get_inputs(), inputs, strict=True)}
    for output, expected in zip(session.run(None, feeds), Everything()(*inputs), strict=True):
        torch.testing.assert_close(torch.from_numpy(output), expected, rtol=1e-5, atol=1e-3)
