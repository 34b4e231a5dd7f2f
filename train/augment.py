"""Lightness as old film would have recorded it: what the network is to colour in the end.

The papers take the lightness of modern colour photographs for their grey input. Old pictures have
another: emulsions that were blind to red, soft lenses, grain, hard or soft prints that have faded
since. `aged_lightness` draws these at random, each on its own and each from nothing at all upwards,
so that weak ageing is common and every combination occurs. The colours to learn stay the true ones.
None of it is from the papers; every range is ours and stands at `draw_film`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Plane = NDArray[np.float32]

# Sensitivities to linear R, G and B, idealised; each row sums to 1, so that white stays white.
EMULSIONS = np.array(
    [
        [0.212671, 0.715160, 0.072169],  # the eye's: panchromatic behind a yellow filter
        [1 / 3, 1 / 3, 1 / 3],  # panchromatic, from about 1906: all colours, too much of blue
        [0.0, 0.5, 0.5],  # orthochromatic, 1873 into the 1930s: blind to red
        [0.0, 0.0, 1.0],  # unsensitised silver halides of the 19th century: blue alone
    ]
)

_CODES = np.arange(256) / 255
# Linear light of the sRGB codes (IEC 61966-2-1).
_LINEAR: Plane = np.where(
    _CODES <= 0.04045, _CODES / 12.92, ((_CODES + 0.055) / 1.055) ** 2.4
).astype(np.float32)


@dataclass(frozen=True)
class Film:
    """How one picture was taken, printed and kept. The defaults change nothing.

    Attributes:
        emulsion: weights of linear R, G and B, of sum 1.
        blur: standard deviation of the lens's Gaussian, in pixels.
        gamma: exponent on L*/100; above 1 darkens mid-tones.
        grain: standard deviation of the grain in L*, where it is strongest, at L* = 50.
        grain_size: standard deviation in pixels of the Gaussian that correlates neighbours.
        black: L* that black has faded to.
        white: L* that white has faded to.
    """

    emulsion: tuple[float, float, float] = (0.212671, 0.715160, 0.072169)
    blur: float = 0.0
    gamma: float = 1.0
    grain: float = 0.0
    grain_size: float = 0.0
    black: float = 0.0
    white: float = 100.0


def draw_film(random: np.random.Generator) -> Film:
    """Draw how a picture was taken and kept, each part independently of the others.

    - Emulsion: a mixture of `EMULSIONS`, Dirichlet with parameter 1/2, which prefers the mixtures
      near one of them to the even ones that no film had.
    - Blur: 0 to 1.5 pixels. At training size more would hide what the classes are told by.
    - Gamma: 1/1.5 to 1.5, even in its logarithm: from a soft printing paper to a hard one, and
      exposures too long or too short.
    - Grain: 0 to 6 L*, correlated over 0 to 1 pixel, as scans are sharper or softer than it.
    - Fading: black to L* 0..20 and white to 80..100. A black of L* 20 reflects 3 % of the light
      (density 1.5), a white of 80 reflects 57 %, as a yellowed paper does.
    """
    red, green, blue = random.dirichlet(np.full(len(EMULSIONS), 0.5)) @ EMULSIONS
    return Film(
        emulsion=(float(red), float(green), float(blue)),
        blur=random.uniform(0.0, 1.5),
        gamma=math.exp(random.uniform(-math.log(1.5), math.log(1.5))),
        grain=random.uniform(0.0, 6.0),
        grain_size=random.uniform(0.0, 1.0),
        black=random.uniform(0.0, 20.0),
        white=random.uniform(80.0, 100.0),
    )


def aged_lightness(rgb: NDArray[np.uint8], random: np.random.Generator) -> Plane:
    """Lightness of a picture on a film drawn at random.

    Args:
        rgb: uint8 (H, W, 3), sRGB.
        random: decides everything; the same state gives the same result.

    Returns:
        float32 (H, W), L* in 0..100, with the geometry of ``rgb``.
    """
    return lightness_on_film(rgb, draw_film(random), random)


def lightness_on_film(
    rgb: NDArray[np.uint8], film: Film, random: np.random.Generator | None = None
) -> Plane:
    """Lightness of a picture on a given film.

    Args:
        rgb: uint8 (H, W, 3), sRGB.
        film: how it was taken, printed and kept.
        random: for the grain; None: the film has none.

    Returns:
        float32 (H, W), L* in 0..100.
    """
    red, green, blue = (np.float32(w) * _LINEAR[rgb[..., i]] for i, w in enumerate(film.emulsion))
    light = blurred(red + green + blue, film.blur)
    tone = (_lightness(light) / np.float32(100)) ** np.float32(film.gamma)  # 0..1
    if random is not None:
        tone += grain(tone, film, random)
    lightness: Plane = np.clip(film.black + (film.white - film.black) * tone, 0, 100)
    return lightness


def blurred(plane: Plane, deviation: float) -> Plane:
    """A plane (H, W) under a Gaussian of that many pixels, edge pixels repeated beyond the edge."""
    weights = _gaussian(deviation)
    reach = len(weights) // 2
    for _ in range(2):  # down the columns, then, transposed, along the rows, and back
        padded = np.pad(plane, ((reach, reach), (0, 0)), mode="edge")
        down = np.zeros_like(plane)
        for first, weight in enumerate(weights):
            down += weight * padded[first : first + len(plane)]
        plane = np.ascontiguousarray(down.T)
    return plane


def grain(tone: Plane, film: Film, random: np.random.Generator) -> Plane:
    """Grain to add to tones (H, W) of 0..1, in the same unit.

    It is strongest in the mid-tones and vanishes in pure black and white, where a print shows
    either all silver or none.
    """
    noise = blurred(random.standard_normal(tone.shape, np.float32), film.grain_size)
    # Blurring leaves this share of the deviation, along each axis its root.
    noise /= np.float32(np.square(_gaussian(film.grain_size)).sum())
    return np.float32(film.grain / 100) * noise * 4 * tone * (1 - tone)


def _gaussian(deviation: float) -> Plane:
    """Weights of sum 1 at whole pixels as far as three deviations."""
    reach = math.ceil(3 * deviation)
    offsets = np.arange(-reach, reach + 1) / max(deviation, 1e-6)
    weights: Plane = np.exp(-0.5 * np.square(offsets)).astype(np.float32)
    weights /= weights.sum()
    return weights


def _lightness(luminance: Plane) -> Plane:
    """CIE L* of relative luminance 0..1, with (6/29)^3 as it is (CIE 15)."""
    y: Plane = np.clip(luminance, 0, 1)
    return np.where(y > (6 / 29) ** 3, 116 * np.cbrt(y) - 16, (29 / 3) ** 3 * y)
