"""``trtcolor-base``: this project's own network, made of what the papers found.

- From 004: one vector of global features, learnt with the classification of scenes, fused into
  every position; so style transfer, shots and scene names work as with ``iizuka2016``.
- From 003 and Zhang et al. 2016: scores of the a*b* bins, soft-encoded, in the place of a
  regression, which answers doubt with brown; and skips from the encoder to the decoder by sum.
- From He et al. 2016: residual layers, each one convolution, so that the batch norm folds away.

Most of the work is done where it is cheap: at 1/32 of the size a layer sees the whole of a training
picture, and costs a thousandth a pixel. 1024x1024 pixels take 100 GFLOP, of iizuka2016 307.

Data flow (widths of the default dimensions):

    lightness (N, 1, H, W)
      -> encoder 40 (H/2) -> 64 (H/4) -> 128 (H/8) -> 256 (H/16) -> 384 (H/32)
      -> fusion with the global vector (384, H/32)
      -> up, 256 + skip (H/16) -> up, 128 + skip (H/8) -> up, 64 + skip (H/4) -> up, 40 + skip (H/2)
      -> 1x1 convolution, scores (Q, H/2)
    lightness scaled to (N, 1, 128, 128)
      -> encoder (384, 4, 4) -> mean over positions -> FC 384 -> FC 256 = global features
                                                           \\-> FC C = class logits
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor, nn

from trtcolor.errors import ConfigError
from trtcolor_train.bins import AbBins
from trtcolor_train.models import network
from trtcolor_train.models.blocks import Fusion, conv_block, initialise, linear_block, upsample
from trtcolor_train.models.network import ColorNetwork, Prediction


@dataclass(frozen=True, kw_only=True)
class Dimensions(network.Dimensions):
    """Dimensions of the network.

    Attributes:
        encoder: (width, residual layers) of the stages; each halves the size first.
        decoder: residual layers of the stages up, coarse to fine; each doubles the size first and
            is as wide as the encoder's stage of its size. The finest may be left out.
        global_layers: outputs of the two fully connected layers; the second is the global vector,
            the classifier reads the first.
        bins: Q, the number of scores at a sample.
        dropout: percent of the coarsest map's channels, and of the first fully connected layer's
            outputs, that a training step leaves out.

    Raises:
        ConfigError: a width of 0, dropout of everything, no fewer stages up than down, or an unfit
            training size.
    """

    encoder: tuple[tuple[int, int], ...] = ((40, 1), (64, 1), (128, 2), (256, 2), (384, 2))
    decoder: tuple[int, ...] = (0, 0, 0, 1)
    global_layers: tuple[int, int] = (384, 256)
    bins: int = 309
    dropout: int = 0

    def __post_init__(self) -> None:
        super().__post_init__()
        if any(width < 1 for width, _ in self.encoder) or min(self.global_layers) < 1:
            raise ConfigError(
                f"encoder {self.encoder} and global_layers {self.global_layers}; positive widths "
                "were needed; mend the configuration"
            )
        if not self.dropout < 100:
            raise ConfigError(
                f"dropout {self.dropout}; 0 to 99 percent were needed; mend the configuration"
            )
        if not len(self.decoder) < len(self.encoder):
            raise ConfigError(
                f"decoder {self.decoder} for {len(self.encoder)} stages of the encoder; fewer "
                "stages were needed, as each takes the skip of one before the last; mend the "
                "configuration"
            )

    @property
    def multiple(self) -> int:
        return int(2 ** len(self.encoder))

    @property
    def chroma_scale(self) -> int:
        return int(2 ** (len(self.encoder) - len(self.decoder)))

    @property
    def global_width(self) -> int:
        return self.global_layers[1]


TRTCOLOR_BASE = Dimensions(training_size=128, classes=205)


class Residual(nn.Module):
    """y = ReLU(x + norm(convolution(x))), (N, C, h, w) -> the same."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.block = conv_block(width, width, relu=False)

    def forward(self, x: Tensor) -> Tensor:
        return torch.relu(x + self.block(x))


class Rise(nn.Module):
    """A stage of the decoder: twice the size, the encoder's map of that size added.

    Args:
        inputs: channels that come in, at half the size.
        outputs: channels of the skip and of the stage.
        layers: residual layers after the sum.
    """

    def __init__(self, inputs: int, outputs: int, layers: int) -> None:
        super().__init__()
        self.upsample = upsample()
        self.block = conv_block(inputs, outputs, relu=False)
        self.layers = nn.Sequential(*(Residual(outputs) for _ in range(layers)))

    def forward(self, x: Tensor, skip: Tensor) -> Tensor:
        y: Tensor = self.layers(torch.relu(self.block(self.upsample(x)) + skip))
        return y


class BaseNetwork(ColorNetwork):
    """The network of the module's docstring, for the given dimensions."""

    dimensions: Dimensions

    def __init__(self, dimensions: Dimensions) -> None:
        super().__init__(dimensions, AbBins(dimensions.bins))
        d = dimensions
        widths = [width for width, _ in d.encoder]
        self.encoder = nn.ModuleList(
            nn.Sequential(conv_block(inputs, width, 2), *(Residual(width) for _ in range(layers)))
            for inputs, (width, layers) in zip([1, *widths], d.encoder, strict=False)
        )
        self.hidden = linear_block(widths[-1], d.global_layers[0])
        self.vector = linear_block(*d.global_layers)
        if d.classes:
            self.classifier = nn.Linear(d.global_layers[0], d.classes)
            initialise(self.classifier, gain=1.0)
        self.fusion = Fusion(d.global_width, widths[-1], widths[-1])
        rising = widths[::-1][: len(d.decoder) + 1]
        self.decoder = nn.ModuleList(
            Rise(i, o, layers) for (i, o), layers in zip(pairwise(rising), d.decoder, strict=True)
        )
        self.drop_channels = nn.Dropout2d(d.dropout / 100)
        self.drop_features = nn.Dropout(d.dropout / 100)
        self.output = nn.Conv2d(rising[-1], self.coding.channels, 1)
        initialise(self.output, gain=1.0)

    def paint(self, lightness: Tensor, global_features: Tensor | None = None) -> Tensor:
        assert global_features is not None
        return self._colorize(self._maps(lightness), global_features)

    def describe(self, lightness: Tensor) -> tuple[Tensor, Tensor | None]:
        return self._describe(self._maps(lightness)[-1])

    def forward(self, lightness: Tensor) -> Prediction:
        maps = self._maps(lightness)
        global_features, logits = self._describe(maps[-1])
        return Prediction(self._colorize(maps, global_features), global_features, logits)

    def _maps(self, lightness: Tensor) -> list[Tensor]:
        """The encoder's maps, one a stage: (N, 40, H/2, W/2) to (N, 384, H/32, W/32)."""
        x = lightness / 50.0 - 1.0
        maps = []
        for stage in self.encoder:
            x = stage(x)
            maps.append(x)
        maps[-1] = self.drop_channels(x)
        return maps

    def _describe(self, coarse: Tensor) -> tuple[Tensor, Tensor | None]:
        """The coarsest map (N, 384, h, w) of the training-size copy -> (N, G), (N, C) or None."""
        hidden = self.drop_features(self.hidden(coarse.mean(dim=(2, 3))))
        logits = self.classifier(hidden) if self.dimensions.classes else None
        return self.vector(hidden), logits

    def _colorize(self, maps: list[Tensor], global_features: Tensor) -> Tensor:
        """The encoder's maps and the (N, G) global features -> (N, Q, H/2, W/2) scores."""
        x = self.fusion(maps[-1], global_features)
        for stage, skip in zip(self.decoder, maps[-2::-1], strict=False):
            x = stage(x, skip)
        scores: Tensor = self.output(x)
        return scores
