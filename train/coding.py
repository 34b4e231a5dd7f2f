"""How a network states colour: what it is to predict at a pixel, and the a*b* that this means.

Here the codings of the regressions, a few numbers a pixel; the bins of the classifiers are in
bins.py. Training compares output and target; every exported graph ends in `Coding.decode`, so that
the runtime sees nothing but L* and a*b* (DESIGN.md, "Every network speaks the same language").
"""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from trtcolor_train import colorspace
from trtcolor_train.config import Loss
from trtcolor_train.losses import distance

# a*b* are mapped to the sigmoid's 0..1 by (v + 110) / 220; sRGB spans a -86..98, b -108..94.
CHROMA_LIMIT = 110.0
# The largest |U| and |V| of BT.601, whose U and V are those of Y'UV, not Cb and Cr.
U_LIMIT, V_LIMIT = 0.436, 0.615

ColorSpace = Literal["lab", "yuv", "rgb"]


class Coding(nn.Module):
    """Base of all codings.

    Attributes:
        channels: K, the channels of a network's output.
    """

    channels: int

    def target(self, lab: Tensor, scale: int) -> Tensor:
        """What the network is to predict, averaged over ``scale`` x ``scale`` pixels.

        The average lies where the merge will look for the sample (DESIGN.md).

        Args:
            lab: (N, 3, H, W) float32, CIE L*a*b* in real units.
            scale: divides H and W.

        Returns:
            (N, D, H/scale, W/scale) float32, what `loss` takes.
        """
        raise NotImplementedError

    def loss(self, output: Tensor, target: Tensor, settings: Loss) -> Tensor:
        """The colour loss, a scalar.

        Args:
            output: (N, K, h, w) float32.
            target: (N, D, h, w) from `target`.
            settings: distance and reduction.
        """
        raise NotImplementedError

    def decode(self, output: Tensor, lightness: Tensor) -> Tensor:
        """a*b* of an output.

        Args:
            output: (N, K, h, w) float32.
            lightness: (N, 1, h, w) float32, L* on the same grid.

        Returns:
            (N, 2, h, w) float32 a*b* in real units.
        """
        raise NotImplementedError


class RegressionCoding(Coding):
    """Base of codings that state a colour by its coordinates in some space."""

    def coordinates(self, lab: Tensor) -> Tensor:
        """(N, 3, H, W) L*a*b* -> (N, K, H, W), each coordinate of the order of 1."""
        raise NotImplementedError

    def activate(self, output: Tensor) -> Tensor:
        """A network's output as coordinates."""
        return output

    def target(self, lab: Tensor, scale: int) -> Tensor:
        return F.avg_pool2d(self.coordinates(lab), scale)

    def loss(self, output: Tensor, target: Tensor, settings: Loss) -> Tensor:
        return distance(self.activate(output), target, settings)


class SigmoidLab(RegressionCoding):
    """a*b* behind a sigmoid (004, 3.2.4)."""

    channels = 2

    def coordinates(self, lab: Tensor) -> Tensor:
        return (lab[:, 1:] / CHROMA_LIMIT + 1.0) / 2.0

    def activate(self, output: Tensor) -> Tensor:
        return torch.sigmoid(output)

    def decode(self, output: Tensor, lightness: Tensor) -> Tensor:
        return (2.0 * self.activate(output) - 1.0) * CHROMA_LIMIT


class SigmoidYuv(RegressionCoding):
    """U and V of BT.601 behind a sigmoid (004, 4.8); Y' is the grey code of the input's L*."""

    channels = 2

    def coordinates(self, lab: Tensor) -> Tensor:
        u, v = colorspace.yuv_from_rgb(colorspace.rgb_from_lab(lab))[:, 1:].chunk(2, dim=1)
        return (torch.cat([u / U_LIMIT, v / V_LIMIT], dim=1) + 1.0) / 2.0

    def activate(self, output: Tensor) -> Tensor:
        return torch.sigmoid(output)

    def decode(self, output: Tensor, lightness: Tensor) -> Tensor:
        u, v = (2.0 * self.activate(output) - 1.0).chunk(2, dim=1)
        return _ab_from_yuv(colorspace.grey_from_lightness(lightness), u * U_LIMIT, v * V_LIMIT)


class SigmoidRgb(RegressionCoding):
    """R'G'B' behind a sigmoid (004, 4.8); their Y' is replaced by the grey code of the input's L*.

    "We train directly using the RGB values; however, for testing, we convert the RGB image to YUV
    and substitute the input grayscale image as the Y channel."
    """

    channels = 3

    def coordinates(self, lab: Tensor) -> Tensor:
        return colorspace.rgb_from_lab(lab)

    def activate(self, output: Tensor) -> Tensor:
        return torch.sigmoid(output)

    def decode(self, output: Tensor, lightness: Tensor) -> Tensor:
        _, u, v = colorspace.yuv_from_rgb(self.activate(output)).chunk(3, dim=1)
        return _ab_from_yuv(colorspace.grey_from_lightness(lightness), u, v)


class LinearLab(RegressionCoding):
    """a*b* over 128 (003, 4.3), unbounded."""

    channels = 2
    unit = 128.0

    def coordinates(self, lab: Tensor) -> Tensor:
        return lab[:, 1:] / self.unit

    def decode(self, output: Tensor, lightness: Tensor) -> Tensor:
        return output * self.unit


class LinearLuv(RegressionCoding):
    """u*v* of CIELUV (001, 3.1) over 100, the limit of 001's bins; the unit is ours."""

    channels = 2
    unit = 100.0

    def coordinates(self, lab: Tensor) -> Tensor:
        return colorspace.uv_from_lab(lab) / self.unit

    def decode(self, output: Tensor, lightness: Tensor) -> Tensor:
        return colorspace.ab_from_uv(output * self.unit, lightness)


def sigmoid_coding(space: ColorSpace) -> RegressionCoding:
    """The coding of a colour space of 004, section 4.8."""
    return {"lab": SigmoidLab, "yuv": SigmoidYuv, "rgb": SigmoidRgb}[space]()


def _ab_from_yuv(y: Tensor, u: Tensor, v: Tensor) -> Tensor:
    rgb = colorspace.rgb_from_yuv(torch.cat([y, u, v], dim=1)).clamp(0.0, 1.0)
    return colorspace.lab_from_rgb(rgb)[:, 1:]
