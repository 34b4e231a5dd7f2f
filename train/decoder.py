"""From the scores of colour bins to colours: mode, mean and what lies between them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor
from torch.nn import functional as F

from trtcolor.errors import ConfigError
from trtcolor_train.coding import Coding


@dataclass(frozen=True)
class Decoder:
    """How scores become a colour; chosen at export and recorded in the spec.

    Attributes:
        kind: ``mode`` takes the centre of the best bin (001, 003); ``mean`` the expectation;
            ``annealed-mean`` the expectation after the scores were divided by the temperature,
            between the two (Zhang et al. 2016, 2.3, whom 003 follows).
        temperature: of the annealed mean, 0.01 to 1; 1 is the mean, 0 would be the mode.
        smoothing: deviation, in samples of the output grid, of a Gaussian over each bin's scores,
            which 001 (5.3) tried against inconsistent colours; 0: none.
        rebalancing: power of the bins' rarity weights (003, 3.4) that the probabilities are
            multiplied by, -1 to 1. A network that was trained with these weights has 1 built in;
            one that was trained without them gets any share of it here, without another training
            (logit adjustment: Menon et al. 2021, "Long-tail learning via logit adjustment").
        saturation: factor on the a*b* that come out, up to 4. A mean over bins is paler than any of
            them; 1: left as it is.

    Raises:
        ConfigError: an impossible value.
    """

    kind: Literal["mode", "mean", "annealed-mean"] = "annealed-mean"
    temperature: float = 0.38
    smoothing: float = 0.0
    rebalancing: float = 0.0
    saturation: float = 1.0

    def __post_init__(self) -> None:
        if self.kind not in ("mode", "mean", "annealed-mean"):
            raise ConfigError(
                f"the decoder is {self.kind!r}; mode, mean or annealed-mean was needed; give one"
            )
        if not 0.01 <= self.temperature <= 1:
            raise ConfigError(
                f"the temperature is {self.temperature}; a number from 0.01 to 1 was needed; give "
                "another, or the mode"
            )
        if not 0 <= self.smoothing <= 64:
            raise ConfigError(
                f"the smoothing is {self.smoothing}; a deviation of 0 to 64 samples was needed; "
                "give another"
            )
        if not -1 <= self.rebalancing <= 1:
            raise ConfigError(
                f"the rebalancing is {self.rebalancing}; a power from -1 to 1 was needed; give "
                "another"
            )
        if not 0 <= self.saturation <= 4:
            raise ConfigError(
                f"the saturation is {self.saturation}; a factor from 0 to 4 was needed; give "
                "another"
            )


class BinCoding(Coding):
    """Base of codings whose output is scores of bins.

    Attributes:
        decoder: how `decode` reads the scores; may be changed at any time.
    """

    decoder: Decoder = Decoder()

    def smoothed(self, scores: Tensor) -> Tensor:
        """The scores after the decoder's Gaussian over the picture, edges replicated."""
        sigma = self.decoder.smoothing
        if sigma == 0:
            return scores
        radius = math.ceil(3 * sigma)
        x = torch.arange(-radius, radius + 1, dtype=scores.dtype, device=scores.device)
        weights = torch.exp(-(x**2) / (2 * sigma**2))
        kernel = (weights / weights.sum()).expand(scores.shape[1], 1, 1, -1)
        groups = scores.shape[1]
        rows = F.conv2d(F.pad(scores, (radius, radius, 0, 0), "replicate"), kernel, groups=groups)
        padded = F.pad(rows, (0, 0, radius, radius), "replicate")
        return F.conv2d(padded, kernel.transpose(2, 3), groups=groups)

    def expected(self, scores: Tensor, centres: Tensor) -> Tensor:
        """(N, Q, h, w) scores and (Q, D) centres -> (N, D, h, w) as the decoder says."""
        if self.decoder.kind == "mode":
            return F.embedding(scores.argmax(dim=1), centres).permute(0, 3, 1, 2)
        temperature = 1.0 if self.decoder.kind == "mean" else self.decoder.temperature
        # A softmax over the bins and the mean under it, as one convolution that also sums the
        # exponentials: ONNX Runtime's own softmax over channels takes six times as long.
        peak = scores.amax(dim=1, keepdim=True)
        weights = torch.exp((scores - peak) / temperature)
        sums = F.conv2d(weights, F.pad(centres, (0, 1), value=1.0).t()[:, :, None, None])
        return sums[:, :-1] / sums[:, -1:]
