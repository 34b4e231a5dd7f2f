"""The networks of Olah and Yang 2022 (003), in CIELAB.

- ``olah2022-regression``: 003, 3.2; the first layers of ResNet-18, five decoder convolutions;
- ``olah2022-cnn``: 003, 3.3; four blocks down and two up, scores of Q colour bins;
- ``olah2022-unet``: 003, 3.4; eight blocks with skips by sum, scores of Q colour bins.

Data flow, L*/100 in front of each (4.3):

    regression  (1, H) -> conv1 7x7 (64, H/2) -> max pool -> layer1 (64, H/4) -> layer2 (128, H/8)
                -> 128 -> up, 64, 64 -> up, 32 -> up, output (2, H)
    cnn         (1, H) -> 64 (H/2) -> 128 (H/4) -> 256 (H/8) -> 512 (H/8)
                -> up, 256 -> up, 128 (H/2) -> 1x1 convolution, scores (Q, H/2)
    unet        (1, H) -> 64 (H) -> 128 (H/2) -> 256 (H/4) -> 512 (H/8) -> 512 (H/8)
                -> up, 256 + block 3 -> up, 128 + block 2 -> up, 64 + block 1
                -> 1x1 convolution, scores (Q, H)

A block of the classifiers is two 3x3 convolutions, each with its ReLU, and one batch norm at its
end (Figure 1: "Between each group of convolution layer is a BatchNorm layer").

Ours, where the paper gives no sizes: the widths of the decoder of the regression and where it
upsamples; two convolutions a block, the stride in the second, as Zhang et al. 2016 have it, whom
003 follows; nearest neighbour upsampling; the 1x1 convolution to the scores. A skip, the
output of its block, is added to the first convolution before its ReLU, as in Zhang et al. 2017.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import accumulate, pairwise
from operator import mul

import torch
from torch import Tensor, nn

from trtcolor.errors import ConfigError
from trtcolor_train.bins import AbBins
from trtcolor_train.coding import LinearLab
from trtcolor_train.models import network
from trtcolor_train.models.blocks import conv_block, initialise, output_stack, upsample
from trtcolor_train.models.encoders import ResNet18


@dataclass(frozen=True, kw_only=True)
class RegressionDimensions(network.Dimensions):
    """Dimensions of the regression.

    Attributes:
        encoder: outputs of conv1 and layer1, and of layer2.
        decoder: outputs of the convolutions before the output; 0 stands for an upsample x2.
    """

    encoder: tuple[int, int] = (64, 128)
    decoder: tuple[int, ...] = (128, 0, 64, 64, 0, 32, 0)

    def __post_init__(self) -> None:
        super().__post_init__()
        if len(self.encoder) != 2 or min(self.encoder) < 1:
            raise ConfigError(
                f"encoder {self.encoder}; the positive widths of layer1 and layer2 were needed; "
                "mend the configuration"
            )
        if min(self.decoder, default=0) < 0 or self.decoder.count(0) > 3:
            raise ConfigError(
                f"decoder {self.decoder}; positive widths and at most three upsamples (0) were "
                "needed, as many as the encoder has halvings; mend the configuration"
            )

    @property
    def multiple(self) -> int:
        return 8

    @property
    def chroma_scale(self) -> int:
        return int(8 // 2 ** self.decoder.count(0))


@dataclass(frozen=True, kw_only=True)
class CnnDimensions(network.Dimensions):
    """Dimensions of the classifier without skips.

    Attributes:
        encoder: (outputs, stride) of the blocks that lead down; strides are 1 or 2.
        decoder: outputs of the blocks that lead up, each behind an upsample x2.
        bins: Q, the number of scores at a pixel.
    """

    encoder: tuple[tuple[int, int], ...]
    decoder: tuple[int, ...]
    bins: int = 309

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.encoder or any(n < 1 or stride not in (1, 2) for n, stride in self.encoder):
            raise ConfigError(
                f"encoder {self.encoder}; blocks of a positive width and a stride of 1 or 2 were "
                "needed; mend the configuration"
            )
        if min(self.decoder, default=1) < 1 or self.multiple % 2 ** len(self.decoder):
            raise ConfigError(
                f"decoder {self.decoder}; positive widths, at most as many as the encoder has "
                "halvings, were needed; mend the configuration"
            )

    @property
    def multiple(self) -> int:
        return math.prod(stride for _, stride in self.encoder)

    @property
    def chroma_scale(self) -> int:
        return int(self.multiple // 2 ** len(self.decoder))


@dataclass(frozen=True, kw_only=True)
class UnetDimensions(CnnDimensions):
    """Dimensions of the classifier with skips.

    Each block of the decoder adds the output of the encoder's last block of its own size, and has
    as many outputs.
    """

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.encoder[0][1] != 1 and self.chroma_scale == 1:
            raise ConfigError(
                f"encoder {self.encoder}; a first block of stride 1 was needed, since the "
                "decoder's last skip is at full size; mend the configuration"
            )
        added = tuple(self.encoder[i][0] for i in self.skip_sources)
        if added != self.decoder:
            raise ConfigError(
                f"decoder {self.decoder}; {added} was needed, the widths of the encoder's blocks "
                "that the skips add to it; mend the configuration"
            )

    @property
    def skip_sources(self) -> tuple[int, ...]:
        """For each block of the decoder the index of the encoder's block that it adds."""
        scales = accumulate((stride for _, stride in self.encoder), mul)
        last = {scale: i for i, scale in enumerate(scales)}
        return tuple(last[self.multiple // 2 ** (n + 1)] for n in range(len(self.decoder)))


OLAH2022_REGRESSION = RegressionDimensions(training_size=64)
OLAH2022_CNN = CnnDimensions(
    encoder=((64, 2), (128, 2), (256, 2), (512, 1)), decoder=(256, 128), training_size=64
)
OLAH2022_UNET = UnetDimensions(
    encoder=((64, 1), (128, 2), (256, 2), (512, 2), (512, 1)),
    decoder=(256, 128, 64),
    training_size=64,
)


class RegressionNetwork(network.ColorNetwork):
    """``olah2022-regression``: (N, 2, H, W) a*b*/128 (003, 3.2)."""

    def __init__(self, dimensions: RegressionDimensions) -> None:
        super().__init__(dimensions, LinearLab())
        self.encoder = ResNet18(*dimensions.encoder)
        inputs = dimensions.encoder[-1]
        self.decoder = output_stack(inputs, dimensions.decoder, self.coding.channels)

    def paint(self, lightness: Tensor, global_features: Tensor | None = None) -> Tensor:
        output: Tensor = self.decoder(self.encoder(lightness / 100.0))
        return output

    def load_encoder(self, weights: Mapping[str, Tensor], *, source: str) -> None:
        """Put torchvision's ``resnet18`` up to layer2 into the encoder (003, 3.2)."""
        self.encoder.load(weights, source)


class ConvolutionPair(nn.Module):
    """A block of the classifiers: convolution, ReLU, convolution, ReLU, batch norm (003, Fig. 1).

    Args:
        stride: of the second convolution.
    """

    def __init__(self, inputs: int, outputs: int, stride: int = 1) -> None:
        super().__init__()
        self.first = conv_block(inputs, outputs, batch_norm=False, relu=False)
        self.second = conv_block(outputs, outputs, stride, batch_norm=False)
        self.norm = nn.BatchNorm2d(outputs)

    def forward(self, x: Tensor, skip: Tensor | None = None) -> Tensor:
        """``skip`` (N, outputs, h, w), if given, is added to the first convolution's output."""
        x = self.first(x)
        x = self.second(torch.relu(x if skip is None else x + skip))
        x = self.norm(x)
        return x


class CnnNetwork(network.ColorNetwork):
    """``olah2022-cnn``: (N, Q, H/2, W/2) scores of colour bins (003, 3.3)."""

    def __init__(self, dimensions: CnnDimensions) -> None:
        super().__init__(dimensions, AbBins(dimensions.bins))
        inputs = 1
        blocks = []
        for outputs, stride in dimensions.encoder:
            blocks.append(ConvolutionPair(inputs, outputs, stride))
            inputs = outputs
        self.encoder = nn.ModuleList(blocks)
        sizes = pairwise((inputs, *dimensions.decoder))
        self.decoder = nn.ModuleList(ConvolutionPair(i, o) for i, o in sizes)
        self.upsample = upsample()
        self.output = nn.Conv2d((inputs, *dimensions.decoder)[-1], self.coding.channels, 1)
        initialise(self.output, gain=1.0)

    def paint(self, lightness: Tensor, global_features: Tensor | None = None) -> Tensor:
        x = lightness / 100.0
        for block in self.encoder:
            x = block(x)
        for block in self.decoder:
            x = block(self.upsample(x))
        scores: Tensor = self.output(x)
        return scores


class UnetNetwork(CnnNetwork):
    """``olah2022-unet``: (N, Q, H, W) scores of colour bins (003, 3.4)."""

    dimensions: UnetDimensions

    def paint(self, lightness: Tensor, global_features: Tensor | None = None) -> Tensor:
        x = lightness / 100.0
        maps = []
        for block in self.encoder:
            x = block(x)
            maps.append(x)
        for block, source in zip(self.decoder, self.dimensions.skip_sources, strict=True):
            x = block(self.upsample(x), maps[source])
        scores: Tensor = self.output(x)
        return scores
