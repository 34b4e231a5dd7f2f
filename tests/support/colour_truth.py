"""Colour in float64 NumPy, written from the definition and from nothing in the package.

Pictures have their channels last: (..., 3), coded R'G'B' in 0..1, L*a*b* and L*u*v* in real units.
"""

import numpy as np

XYZ_FROM_RGB = np.array(
    [
        [0.412453, 0.357580, 0.180423],
        [0.212671, 0.715160, 0.072169],
        [0.019334, 0.119193, 0.950227],
    ]
)
WHITE = XYZ_FROM_RGB.sum(axis=1)
KNEE = 6 / 29


def true_lab(rgb):
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    t = linear @ XYZ_FROM_RGB.T / WHITE
    f = np.where(t > KNEE**3, np.cbrt(t), t / (3 * KNEE**2) + 4 / 29)
    x, y, z = f[..., 0], f[..., 1], f[..., 2]
    return np.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], axis=-1)


def true_luv(rgb):
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    x, y, z = np.moveaxis(linear @ XYZ_FROM_RGB.T, -1, 0)
    d = np.maximum(x + 15 * y + 3 * z, 1e-300)
    lightness = np.where(y > KNEE**3, 116 * np.cbrt(y) - 16, 116 * y / (3 * KNEE**2))
    white = WHITE[0] + 15 * WHITE[1] + 3 * WHITE[2]
    u = 13 * lightness * np.where(y > 0, 4 * x / d - 4 * WHITE[0] / white, 0)
    v = 13 * lightness * np.where(y > 0, 9 * y / d - 9 * WHITE[1] / white, 0)
    return np.stack([lightness, u, v], axis=-1)


def true_linear_from_luv(luv):
    lightness, u, v = np.moveaxis(luv, -1, 0)
    white = WHITE[0] + 15 * WHITE[1] + 3 * WHITE[2]
    u = u / (13 * lightness) + 4 * WHITE[0] / white
    v = v / (13 * lightness) + 9 * WHITE[1] / white
    f = (lightness + 16) / 116
    y = np.where(f > KNEE, f**3, 3 * KNEE**2 * (f - 4 / 29))
    xyz = np.stack([y * 9 * u / (4 * v), y, y * (12 - 3 * u - 20 * v) / (4 * v)], axis=-1)
    return xyz @ np.linalg.inv(XYZ_FROM_RGB).T


def true_linear(lab):
    y = (lab[..., 0] + 16) / 116
    f = np.stack([y + lab[..., 1] / 500, y, y - lab[..., 2] / 200], axis=-1)
    t = np.where(f > KNEE, f**3, 3 * KNEE**2 * (f - 4 / 29))
    return (t * WHITE) @ np.linalg.inv(XYZ_FROM_RGB).T


def true_rgb(lab):
    return coded(true_linear(lab).clip(0, 1))


def coded(linear):
    return np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)


def true_weights(source, target):
    if target < source:
        edges = np.arange(target + 1)[:, None] * source / target
        covered = (edges - np.arange(source)).clip(0, 1)
        return (covered[1:] - covered[:-1]) * target / source
    return true_bilinear(target, source, source / target)


def true_bilinear(size, samples, step):
    """The matrix that reads `samples` samples at (i + 0.5) * step - 0.5, edge clamped."""
    position = ((np.arange(size) + 0.5) * step - 0.5).clip(0, samples - 1)
    return (1 - abs(position[:, None] - np.arange(samples))).clip(0, 1)


def true_merge(lightness, chroma, scale):
    (height, width), (_, h, w) = lightness.shape, chroma.shape
    rows = true_bilinear(height, h, 1 / scale if scale else h / height)
    columns = true_bilinear(width, w, 1 / scale if scale else w / width)
    return np.stack([lightness, *(rows @ plane @ columns.T for plane in chroma)], axis=-1)


def true_joint_bilateral(lightness, chroma, guide, scale, range_sigma, floor=0.02):
    """Each sample's bilinear weight times exp(-d^2 / (2 range_sigma^2)) + floor, over their sum."""
    (height, width), (_, h, w) = lightness.shape, chroma.shape
    rows = true_bilinear(height, h, 1 / scale if scale else h / height)
    columns = true_bilinear(width, w, 1 / scale if scale else w / width)
    away = (lightness[:, :, None, None] - guide) / range_sigma
    weights = rows[:, None, :, None] * columns[None, :, None, :]
    weights = weights * (np.exp(-(away**2) / 2) + floor)
    return np.einsum("yxij,cij->cyx", weights, chroma) / weights.sum(axis=(2, 3))
