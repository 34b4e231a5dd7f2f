"""Colour as a choice among bins: the codings of the classifiers.

- `AbBins` (003, 3.3): cells of the a*b* plane, soft-encoded, rare colours weighted if asked for;
- `LuvBins` (001, 3.6): 50 equal bins for u* and 50 for v*, each scored by itself.

The scores come out of an exported graph as ``bin_logits``; decoder.py makes colours of them.
"""

from __future__ import annotations

import math
from functools import cache
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from trtcolor import color
from trtcolor.errors import ConfigError
from trtcolor_train import colorspace
from trtcolor_train.config import Loss
from trtcolor_train.decoder import BinCoding

CELL = 10  # side of a bin in a* and b* (003, 3.3)
NEIGHBOURS = 10  # bins that share a pixel's soft encoding (003, 3.3)
SIGMA = 5.0  # of the Gaussians of the soft encoding and of the smoothed prior (003, 3.3 and 3.4)
UNIFORM_SHARE = 0.5  # lambda of 003, 3.4

MOST_BINS = 4096  # more would be closer than 4 units; their tables grow to gigabytes

# Squares of the a*b* plane, all with one list of candidates for the nearest bins.
SQUARE = 2
PLANE = 128


class AbBins(BinCoding):
    """Bins of the a*b* plane, soft-encoded (003, 3.3), rebalanced if asked for (003, 3.4).

    Args:
        bins: Q. 309 are the cells of the stated rule (`ab_bin_centres`); for another number the
            centres are to be set (`set_centres`) or loaded with a checkpoint.

    Attributes:
        centres: (Q, 2) float32 a*b*.
        class_weights: (Q,) float32, how rare a bin is among the training pictures (003, 3.4); 1
            where they were not counted.
    """

    centres: Tensor
    class_weights: Tensor

    def __init__(self, bins: int) -> None:
        super().__init__()
        if not NEIGHBOURS <= bins <= MOST_BINS:
            raise ConfigError(
                f"{bins} bins came; {NEIGHBOURS}, which share a pixel's soft encoding, to "
                f"{MOST_BINS} were needed; mend the configuration"
            )
        self.channels = bins
        known = torch.tensor(ab_bin_centres())
        self.register_buffer("centres", known if bins == len(known) else torch.zeros(bins, 2))
        self.register_buffer("class_weights", torch.ones(bins))
        self._candidates: Tensor | None = None

    def set_centres(self, centres: NDArray[np.float32]) -> None:
        """Use other bins: (Q, 2) a*b*, distinct.

        Raises:
            ConfigError: another number of bins.
        """
        if centres.shape != (self.channels, 2):
            raise ConfigError(
                f"bin centres of shape {centres.shape} came; ({self.channels}, 2) was needed; give "
                "a centre for each bin"
            )
        self.centres.copy_(torch.from_numpy(centres))
        self._candidates = None

    def _load_from_state_dict(self, *arguments: Any) -> None:
        super()._load_from_state_dict(*arguments)
        self._candidates = None  # they are those of the former centres

    def weigh(self, shares: Tensor | None) -> None:
        """Say how rare each bin is (003, 3.4), or all alike.

        w = 1 / ((1 - lambda) p + lambda / Q) of the smoothed prior p, scaled so that its
        expectation under the smoothed prior is 1.

        Args:
            shares: (Q,), share of the training pixels whose nearest bin this is; None: all alike.
        """
        if shares is None:
            self.class_weights.fill_(1.0)
            return
        centres = self.centres.double()
        kernel = torch.exp(-(torch.cdist(centres, centres) ** 2) / (2 * SIGMA**2))
        smooth = (kernel / kernel.sum(dim=0)) @ shares.double().to(centres.device)
        prior = smooth / smooth.sum()
        weights = 1.0 / ((1 - UNIFORM_SHARE) * prior + UNIFORM_SHARE / len(prior))
        self.class_weights.copy_(weights / (prior * weights).sum())

    def count(self, ab: Tensor) -> Tensor:
        """How many of (N, 2, h, w) a*b* have each bin as their nearest: (Q,) float64."""
        candidates, squared = self._distances(ab.permute(0, 2, 3, 1))
        nearest = candidates.gather(-1, squared.argmin(dim=-1, keepdim=True))
        return torch.bincount(nearest.ravel(), minlength=self.channels).double()

    def target(self, lab: Tensor, scale: int) -> Tensor:
        """(N, 2, h, w) area-averaged a*b*; `loss` encodes them."""
        return F.avg_pool2d(lab[:, 1:], scale)

    def encode(self, ab: Tensor) -> tuple[Tensor, Tensor]:
        """The soft encoding (003, 3.3).

        Args:
            ab: (..., 2) a*b*.

        Returns:
            (..., 10) int64 indices of the nearest bins, nearest first, and their (..., 10) shares,
            Gaussian in the distance, which sum to 1.
        """
        candidates, squared = self._distances(ab)
        nearest, order = squared.topk(NEIGHBOURS, dim=-1, largest=False)
        # The exponent is taken from the nearest bin on, so that no sum is 0 far from every bin.
        shares = torch.exp(-(nearest - nearest[..., :1]) / (2 * SIGMA**2))
        return candidates.gather(-1, order), shares / shares.sum(dim=-1, keepdim=True)

    def _distances(self, ab: Tensor) -> tuple[Tensor, Tensor]:
        """(..., 2) a*b* -> (..., K) bins that may be nearest, and their squared distances."""
        if self._candidates is None or self._candidates.device != ab.device:
            self._candidates = _candidates(self.centres.to(ab.device))
        side = 2 * PLANE // SQUARE
        square = ((ab + PLANE) / SQUARE).floor().long().clamp(0, side - 1)
        candidates = self._candidates[square[..., 0] * side + square[..., 1]]
        return candidates, (self.centres[candidates] - ab[..., None, :]).square().sum(dim=-1)

    def loss(self, output: Tensor, target: Tensor, settings: Loss) -> Tensor:
        """Cross entropy with the soft encoding, pixels weighted by their nearest bin if asked."""
        indices, shares = self.encode(target.permute(0, 2, 3, 1))  # (N, h, w, 10)
        scores = output.gather(1, indices.permute(0, 3, 1, 2)).permute(0, 2, 3, 1)
        entropy = torch.logsumexp(output, dim=1) - (scores * shares).sum(dim=-1)  # (N, h, w)
        weighted = entropy
        if settings.rebalance:
            weighted = entropy * self.class_weights[indices[..., 0]]
        return weighted.sum() if settings.reduction == "sum" else weighted.mean()

    def decode(self, output: Tensor, lightness: Tensor) -> Tensor:
        scores = self.smoothed(output)
        if self.decoder.rebalancing:
            rarity = self.class_weights.log()[:, None, None]
            scores = scores + self.decoder.rebalancing * rarity
        return self.decoder.saturation * self.expected(scores, self.centres)


class LuvBins(BinCoding):
    """Equal bins over -100..100 of u* and of v*, values outside in the end bins (001, 3.6).

    Args:
        bins: for each of the two, 50 in 001.
    """

    limit = 100.0

    def __init__(self, bins: int) -> None:
        super().__init__()
        if not 2 <= bins <= MOST_BINS:
            raise ConfigError(
                f"{bins} bins came; 2 to {MOST_BINS} were needed; mend the configuration"
            )
        self.bins = bins
        self.channels = 2 * bins

    def target(self, lab: Tensor, scale: int) -> Tensor:
        """(N, 2, h, w) area-averaged u*v*; `loss` bins them."""
        return F.avg_pool2d(colorspace.uv_from_lab(lab), scale)

    def bin(self, uv: Tensor) -> Tensor:
        """Index of each value's bin, int64 of the same shape."""
        width = 2 * self.limit / self.bins
        return ((uv + self.limit) / width).floor().long().clamp(0, self.bins - 1)

    def loss(self, output: Tensor, target: Tensor, settings: Loss) -> Tensor:
        """The sum of the two channels' cross entropies (001, 3.6)."""
        bins = self.bin(target)
        return sum(
            (
                F.cross_entropy(scores, bins[:, i], reduction=settings.reduction)
                for i, scores in enumerate(output.chunk(2, dim=1))
            ),
            start=output.new_zeros(()),
        )

    def decode(self, output: Tensor, lightness: Tensor) -> Tensor:
        width = 2 * self.limit / self.bins
        centres = (torch.arange(self.bins, device=output.device) + 0.5) * width - self.limit
        scores = self.smoothed(output).chunk(2, dim=1)
        uv = torch.cat([self.expected(part, centres[:, None]) for part in scores], dim=1)
        return self.decoder.saturation * colorspace.ab_from_uv(uv, lightness)


@cache
def ab_bin_centres() -> NDArray[np.float32]:
    """The bins of this project's rule: corners of every 10x10 cell that holds an sRGB colour.

    003 speaks of 313 bins, which are a table of Zhang et al. 2016; the rule gives 309 without one
    and is the same for everybody. The colours of the cube's faces are enough: the a*b* of the
    colours inside lie between theirs.

    Returns:
        (309, 2) float32 a*b*, by a*, then b*.
    """
    codes = np.arange(256, dtype=np.uint8)
    first, second = (plane.ravel() for plane in np.meshgrid(codes, codes))
    faces = [
        np.insert(np.stack([first, second], axis=1), axis, level, axis=1)
        for axis in range(3)
        for level in (0, 255)
    ]
    lab = color.lab_from_rgb(np.concatenate(faces)[None])
    cells = np.unique(np.floor(lab[0, :, 1:] / CELL).astype(np.int64), axis=0)
    corners = [cells + offset for offset in ((0, 0), (0, 1), (1, 0), (1, 1))]
    return (np.unique(np.concatenate(corners), axis=0) * CELL).astype(np.float32)


def _candidates(centres: Tensor) -> Tensor:
    """For each square of the plane the bins that may be among the nearest of a colour in it.

    A colour is at most half a diagonal from its square's centre, so each of its ten nearest bins is
    no further from that centre than the centre's own tenth-nearest bin plus twice half a diagonal.

    Returns:
        ((2 PLANE / SQUARE)^2, K) int64.
    """
    middles = torch.arange(-PLANE, PLANE, SQUARE, device=centres.device) + SQUARE / 2
    plane = torch.cartesian_prod(middles, middles).to(centres.dtype)
    # Exact distances: those by a matrix product are wrong by more than the slack below.
    exact = "donot_use_mm_for_euclid_dist"
    distances, order = torch.cdist(plane, centres, compute_mode=exact).sort(dim=1)
    reach = distances[:, NEIGHBOURS - 1 : NEIGHBOURS] + math.sqrt(2) * SQUARE + 1e-3
    return order[:, : int((distances <= reach).sum(dim=1).max())]
