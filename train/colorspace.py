"""Colour spaces in torch: differentiable, for training targets and inside exported graphs.

The definition is the package's (csrc/color.h, DESIGN.md): sRGB's transfer function, the matrix
below, and its row sums as the white point. Greys have a* = b* = u* = v* = U = V = 0 exactly, and
go back to R' = G' = B': XYZ are held relative to white, where the rows of both matrices sum to 1
and every product is a grey plus weighted differences from it.

Every function takes any float dtype, has its channels in dimension 1, and is elementwise over the
rest, with no branch on data. Out of range, as in csrc/color.h: R'G'B' are clamped to 0..1; L*, a*,
b*, u* and v* to -1000..1000, so that in float32 every finite input gives a finite output and
gradient. Y'UV alone is linear, unclamped, and finite below a quarter of the dtype's range.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

_XYZ_FROM_RGB = np.array(
    [
        [0.412453, 0.357580, 0.180423],
        [0.212671, 0.715160, 0.072169],
        [0.019334, 0.119193, 0.950227],
    ]
)
_WHITE = _XYZ_FROM_RGB.sum(axis=1)
# X/Xn, Y/Yn, Z/Zn of linear R, G, B, and back.
_TO_RELATIVE: list[list[float]] = (_XYZ_FROM_RGB / _WHITE[:, None]).tolist()
_FROM_RELATIVE: list[list[float]] = np.linalg.inv(_TO_RELATIVE).tolist()

# White: Yn = 1, and u'n = 4 Xn / Dn, v'n = 9 / Dn with Dn = Xn + 15 Yn + 3 Zn.
_XN, _, _ZN = _WHITE.tolist()
_DN = _XN + 15.0 + 3.0 * _ZN
_UN, _VN = 4.0 * _XN / _DN, 9.0 / _DN
# u' and v' outside these are taken as these; sRGB spans u' 0.17..0.46 and v' 0.15..0.57.
_CHROMATICITY = 0.01, 0.65
# X + 15 Y + 3 Z of L* = 0.00005: below it u* and v* fade to 0, and so do their gradients.
_DARKEST = 1e-6

_KNEE = 6.0 / 29.0
_SRGB_KNEE, _LINEAR_KNEE = 0.04045, 0.0031308
_LARGEST = 1000.0

# BT.601's Y' of R' and B', and U = 0.436 at B' = 1, V = 0.615 at R' = 1, the other two 0.
_KR, _KB = 0.299, 0.114
_U_PER_BLUE, _V_PER_RED = 0.436 / (1.0 - _KB), 0.615 / (1.0 - _KR)


def lab_from_rgb(rgb: Tensor) -> Tensor:
    """CIELAB of sRGB.

    Args:
        rgb: (N, 3, h, w), sRGB-coded, 0..1.

    Returns:
        (N, 3, h, w): L* in 0..100, a* and b* in real units.
    """
    red, green, blue = (linear_from_code(code) for code in rgb.chunk(3, dim=1))
    x, y, z = (_compress(t) for t in _mix(_TO_RELATIVE, red, green, blue))
    return torch.cat([116.0 * y - 16.0, 500.0 * (x - y), 200.0 * (y - z)], dim=1)


def rgb_from_lab(lab: Tensor) -> Tensor:
    """sRGB of CIELAB; linear R, G and B outside 0..1 are clipped each.

    Args:
        lab: (N, 3, h, w) in real units.

    Returns:
        (N, 3, h, w), sRGB-coded, 0..1.
    """
    linear = _mix(_FROM_RELATIVE, *_relative_from_lab(lab))
    return torch.cat([_code(channel) for channel in linear], dim=1)


def uv_from_lab(lab: Tensor) -> Tensor:
    """u*v* of CIELUV. Their L* is that of CIELAB.

    Args:
        lab: (N, 3, h, w) in real units; where it states a negative X, Y or Z, these count as 0.

    Returns:
        (N, 2, h, w): u* and v*, in sRGB -84..176 and -135..108; 0 at L* 0 and below.
    """
    lightness = lab[:, :1].clamp(0.0, _LARGEST)
    x, y, z = (t.clamp(min=0.0) for t in _relative_from_lab(lab))
    per_sum = 13.0 * lightness / (_XN * x + 15.0 * y + 3.0 * _ZN * z).clamp(min=_DARKEST)
    # u' - u'n and v' - v'n over a common denominator, so that greys give 0 without cancellation.
    u = _UN * per_sum * (15.0 * (x - y) + 3.0 * _ZN * (x - z))
    v = _VN * per_sum * (_XN * (y - x) + 3.0 * _ZN * (y - z))
    return torch.cat([u, v], dim=1)


def ab_from_uv(uv: Tensor, lightness: Tensor) -> Tensor:
    """a*b* of CIELUV.

    Near black, u' = u* / (13 L*) + u'n would make a wild colour of any small u*. Hence the divisor
    is at least 13, u' and v' are kept within 0.01..0.65, Z is at least 0, and below L* 0.5 a colour
    is grey: the way back from `uv_from_lab` is exact from L* 1 on, and less colourful below.

    Args:
        uv: (N, 2, h, w), u* and v*.
        lightness: (N, 1, h, w), L*.

    Returns:
        (N, 2, h, w): a* and b* in real units.
    """
    lightness = lightness.clamp(-_LARGEST, _LARGEST)
    offset = uv.clamp(-_LARGEST, _LARGEST) / (13.0 * lightness.clamp(min=1.0))
    # s = u'/u'n - 1 and t = v'/v'n - 1 are 0 for greys.
    low, high = _CHROMATICITY
    s = offset[:, :1].clamp(low - _UN, high - _UN) / _UN
    t = offset[:, 1:].clamp(low - _VN, high - _VN) / _VN
    y = _expand((lightness + 16.0) / 116.0).clamp(min=0.0)
    x = _compress(y * (1.0 + s) / (1.0 + t))
    z = _compress(y * (1.0 - (_XN / 3.0 * s + 5.0 * t) / _ZN).clamp(min=0.0) / (1.0 + t))
    y = _compress(y)
    ab = torch.cat([500.0 * (x - y), 200.0 * (y - z)], dim=1)
    return torch.where(lightness < 0.5, torch.zeros_like(ab), ab)


def yuv_from_rgb(rgb: Tensor) -> Tensor:
    """BT.601 Y'UV, of full range.

    Args:
        rgb: (N, 3, h, w), sRGB-coded, 0..1.

    Returns:
        (N, 3, h, w): Y' in 0..1, U in -0.436..0.436, V in -0.615..0.615.
    """
    red, green, blue = rgb.chunk(3, dim=1)
    luma = green + _KR * (red - green) + _KB * (blue - green)
    return torch.cat([luma, _U_PER_BLUE * (blue - luma), _V_PER_RED * (red - luma)], dim=1)


def rgb_from_yuv(yuv: Tensor) -> Tensor:
    """The inverse of `yuv_from_rgb`, not clipped: (N, 3, h, w) Y'UV -> (N, 3, h, w) R'G'B'."""
    luma, u, v = yuv.chunk(3, dim=1)
    red, blue = v / _V_PER_RED, u / _U_PER_BLUE
    green = (_KR * red + _KB * blue) / (1.0 - _KR - _KB)
    return torch.cat([luma + red, luma - green, luma + blue], dim=1)


def grey_from_lightness(lightness: Tensor) -> Tensor:
    """The sRGB code, 0..1, of the grey that has an L* of 0..100; any shape."""
    return _code(_expand((lightness.clamp(-_LARGEST, _LARGEST) + 16.0) / 116.0))


def linear_from_code(code: Tensor) -> Tensor:
    """Linear light, 0..1, of an sRGB code, clamped to 0..1; any shape."""
    code = code.clamp(0.0, 1.0)
    # Each branch sees values at which its gradient is finite, or that of where would be NaN.
    curve = ((code.clamp(min=_SRGB_KNEE) + 0.055) / 1.055) ** 2.4
    return torch.where(code > _SRGB_KNEE, curve, code / 12.92)


def lightness_from_luminance(luminance: Tensor) -> Tensor:
    """L*, 0..100, of relative luminance 0..1; any shape."""
    return 116.0 * _compress(luminance) - 16.0


def _mix(
    matrix: list[list[float]], first: Tensor, middle: Tensor, last: Tensor
) -> tuple[Tensor, ...]:
    """Product of a 3x3 matrix whose rows sum to 1 with three channels; greys pass exactly.

    Channels are apart wherever a power is taken: within one tensor the same number may give results
    that differ in the last bit, by its place in the processor's vectors.
    """
    first, last = first - middle, last - middle
    return tuple(middle + row[0] * first + row[2] * last for row in matrix)


def _relative_from_lab(lab: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """X/Xn, Y/Yn, Z/Zn; negative ones, too, of which the linear part of CIE's curve gives some."""
    lightness, a, b = lab.clamp(-_LARGEST, _LARGEST).chunk(3, dim=1)
    y = (lightness + 16.0) / 116.0
    return _expand(y + a / 500.0), _expand(y), _expand(y - b / 200.0)


def _compress(t: Tensor) -> Tensor:
    """CIE's f: the cube root, and a line below (6/29)^3."""
    root = t.clamp(min=_KNEE**3) ** (1.0 / 3.0)
    return torch.where(t > _KNEE**3, root, t / (3.0 * _KNEE**2) + 4.0 / 29.0)


def _expand(f: Tensor) -> Tensor:
    """The inverse of f."""
    return torch.where(f > _KNEE, f * f * f, 3.0 * _KNEE**2 * (f - 4.0 / 29.0))


def _code(linear: Tensor) -> Tensor:
    """The sRGB code of linear light, clipped to 0..1."""
    linear = linear.clamp(0.0, 1.0)
    curve = 1.055 * linear.clamp(min=_LINEAR_KNEE) ** (1.0 / 2.4) - 0.055
    return torch.where(linear > _LINEAR_KNEE, curve, 12.92 * linear).clamp(0.0, 1.0)
