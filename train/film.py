"""The ageing of augment.py on whole batches of tensors, on whatever device they are."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional as F

from trtcolor_train import colorspace
from trtcolor_train.augment import Film


def lightness_on_films(
    rgb: Tensor, films: Sequence[Film], generator: torch.Generator | None = None
) -> Tensor:
    """Lightness of pictures on given films, as `trtcolor_train.augment.lightness_on_film`.

    Args:
        rgb: (N, 3, H, W), sRGB-coded, 0..1, of any float dtype.
        films: N of them, at least one: how each picture was taken, printed and kept.
        generator: for the grain, on the device of ``rgb``; None: the films have none.

    Returns:
        (N, 1, H, W) of the dtype and on the device of ``rgb``, L* in 0..100.
    """

    def each(values: Sequence[float]) -> Tensor:
        return rgb.new_tensor(values).reshape(-1, 1, 1, 1)

    emulsions = rgb.new_tensor([film.emulsion for film in films])[:, :, None, None]
    light = (colorspace.linear_from_code(rgb) * emulsions).sum(dim=1, keepdim=True)
    light = _blurred(light, [film.blur for film in films])
    lightness = colorspace.lightness_from_luminance(light.clamp(0.0, 1.0))
    tone = (lightness / 100.0).clamp(min=0.0) ** each([film.gamma for film in films])
    if generator is not None:
        sizes = [film.grain_size for film in films]
        noise = torch.randn(tone.shape, generator=generator, device=tone.device, dtype=tone.dtype)
        # Blurring leaves this share of the deviation, along each axis its root.
        left = _gaussians(sizes).square().sum(dim=1).to(noise).reshape(-1, 1, 1, 1)
        grain = each([film.grain / 100 for film in films]) * _blurred(noise, sizes) / left
        tone = tone + grain * 4 * tone * (1 - tone)
    black, white = each([film.black for film in films]), each([film.white for film in films])
    return (black + (white - black) * tone).clamp(0.0, 100.0)


def _blurred(planes: Tensor, deviations: Sequence[float]) -> Tensor:
    """(N, 1, H, W) planes, each under a Gaussian of so many pixels, edge pixels repeated beyond."""
    weights = _gaussians(deviations).to(planes)
    count, taps = weights.shape
    reach = taps // 2
    if not reach:
        return planes
    x = F.pad(planes, (reach, reach, reach, reach), mode="replicate").transpose(0, 1)
    x = F.conv2d(x, weights.reshape(count, 1, 1, taps), groups=count)
    return F.conv2d(x, weights.reshape(count, 1, taps, 1), groups=count).transpose(0, 1)


def _gaussians(deviations: Sequence[float]) -> Tensor:
    """(N, taps) float64 weights of sum 1, each as far as three of its deviations, then zeros."""
    reaches = torch.tensor([math.ceil(3 * deviation) for deviation in deviations])
    widest = int(reaches.max())
    offsets = torch.arange(-widest, widest + 1)
    narrow = torch.tensor(deviations, dtype=torch.float64).clamp(min=1e-6)[:, None]
    weights = torch.exp(-0.5 * (offsets / narrow) ** 2)
    weights = torch.where(offsets.abs() <= reaches[:, None], weights, 0.0)
    return weights / weights.sum(dim=1, keepdim=True)
