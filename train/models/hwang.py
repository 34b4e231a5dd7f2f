"""The residual encoder networks of Hwang and Zhou 2016 (001), in CIELUV.

- ``hwang2016-regression``: 001, 3.5, after Dahl's residual encoder; u*v* at every pixel;
- ``hwang2016-classification``: 001, 3.6; 50 bins each for u* and v*, on the grid of H/2 x W/2.

Both begin with VGG16 up to conv5_3, the "summarising" half, and go back up by residual steps:
upscale, sum with the encoder's map of that size, one 3x3 convolution. Data flow:

    lightness (N, 1, H, W) -> grey code, three times, less ImageNet's mean, over its deviation
      -> conv1_2 (64, H) -> conv2_2 (128, H/2) -> conv3_3 (256, H/4) -> conv4_3 (512, H/8)
      -> conv5_3 (512, H/16) = x
    x -> up + conv4_3 -> 256 -> up + conv3_3 -> 128 -> up + conv2_2 -> 64
    regression:      -> up + conv1_2 -> 64 -> output (2, H)
    classification:  256 at H/8, 128 at H/4 and 64 at H/2, all brought to H/2 and concatenated
      -> 128 -> 128 -> 128 -> two 1x1 convolutions, scores (50 + 50, H/2)

Batch norm stands before every ReLU "apart from the last few layers before the output" (3.4), read
as: not in the regression's step at full size, not in the classification's three convolutions. Ours
as well, since the text is silent and the figures give no sizes: the widths of the steps, which are
those that the sums ask for; the three 128; the size of the concatenation; nearest neighbour.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from trtcolor.errors import ConfigError
from trtcolor_train import colorspace
from trtcolor_train.bins import LuvBins
from trtcolor_train.coding import Coding, LinearLuv
from trtcolor_train.models import network
from trtcolor_train.models.blocks import conv_block
from trtcolor_train.models.encoders import Vgg16

VGG16 = ((64, 64), (128, 128), (256, 256, 256), (512, 512, 512), (512, 512, 512))


@dataclass(frozen=True, kw_only=True)
class Dimensions(network.Dimensions):
    """The regression's; shared by both.

    Attributes:
        encoder: outputs of VGG16's 3x3 convolutions, stage by stage. The last two stages end in
            the same width, since the first sum joins them.
    """

    encoder: tuple[tuple[int, ...], ...] = VGG16

    def __post_init__(self) -> None:
        super().__post_init__()
        if len(self.encoder) < 3 or any(min(stage, default=0) < 1 for stage in self.encoder):
            raise ConfigError(
                f"encoder {self.encoder}; three or more stages of convolutions with at least one "
                "output each were needed; mend the configuration"
            )
        if self.widths[-1] != self.widths[-2]:
            raise ConfigError(
                f"the encoder's last two stages end in {self.widths[-2]} and {self.widths[-1]} "
                "outputs; the same number was needed for their sum; mend the configuration"
            )

    @property
    def widths(self) -> tuple[int, ...]:
        """Outputs of each stage."""
        return tuple(stage[-1] for stage in self.encoder)

    @property
    def multiple(self) -> int:
        return int(2 ** (len(self.encoder) - 1))

    @property
    def chroma_scale(self) -> int:
        return 1


@dataclass(frozen=True, kw_only=True)
class ClassificationDimensions(Dimensions):
    """What the classification has on top.

    Attributes:
        head: outputs of the 3x3 convolutions behind the concatenation.
        bins: for each of u* and v*.
    """

    head: tuple[int, ...] = (128, 128, 128)
    bins: int = 50

    def __post_init__(self) -> None:
        super().__post_init__()
        if min(self.head, default=0) < 1:
            raise ConfigError(
                f"head {self.head}; at least one convolution with at least one output was needed; "
                "mend the configuration"
            )

    @property
    def chroma_scale(self) -> int:
        return 2


HWANG2016_REGRESSION = Dimensions(training_size=224)
HWANG2016_CLASSIFICATION = ClassificationDimensions(training_size=224)


class ResidualEncoderNetwork(network.ColorNetwork):
    """What both share: VGG16 and the residual steps up to H/2 x W/2.

    Args:
        dimensions: of either network.
        coding: how the output states colour.
    """

    def __init__(self, dimensions: Dimensions, coding: Coding) -> None:
        super().__init__(dimensions, coding)
        self.encoder = Vgg16(dimensions.encoder)
        # Each step reads one sum and writes for the next.
        sums = pairwise(reversed(dimensions.widths[:-1]))
        self.decoder = nn.ModuleList(conv_block(i, o) for i, o in sums)

    def summarise(self, lightness: Tensor) -> list[Tensor]:
        """(N, 1, H, W) L* -> the encoder's map of each stage, from H x W down to H/16 x W/16."""
        maps: list[Tensor] = self.encoder(colorspace.grey_from_lightness(lightness))
        return maps

    def create(self, maps: list[Tensor]) -> list[Tensor]:
        """The encoder's maps -> the map of each residual step, at H/8 x W/8, H/4 and H/2."""
        x = maps[-1]
        created = []
        for step, skip in zip(self.decoder, maps[-2:0:-1], strict=True):
            x = step(enlarged(x, 2) + skip)
            created.append(x)
        return created

    def load_encoder(self, weights: Mapping[str, Tensor], *, source: str) -> None:
        """Put torchvision's ``vgg16`` into conv1_1 to conv5_3 (001, 3.2)."""
        self.encoder.load(weights, source)


class RegressionNetwork(ResidualEncoderNetwork):
    """``hwang2016-regression``: (N, 2, H, W) u*v* (001, Figure 2)."""

    def __init__(self, dimensions: Dimensions) -> None:
        super().__init__(dimensions, LinearLuv())
        width = dimensions.widths[0]
        self.full_size = conv_block(width, width, batch_norm=False)
        self.output = nn.Conv2d(width, self.coding.channels, 3, padding=1)
        initialise_xavier(self.decoder, self.full_size, self.output)

    def paint(self, lightness: Tensor, global_features: Tensor | None = None) -> Tensor:
        maps = self.summarise(lightness)
        x = enlarged(self.create(maps)[-1], 2) + maps[0]
        output: Tensor = self.output(self.full_size(x))
        return output


class ClassificationNetwork(ResidualEncoderNetwork):
    """``hwang2016-classification``: (N, 100, H/2, W/2) scores, u*'s, then v*'s (001, Figure 3)."""

    def __init__(self, dimensions: ClassificationDimensions) -> None:
        super().__init__(dimensions, LuvBins(dimensions.bins))
        # The decoder's maps are as wide as the sums that they are for.
        sizes = pairwise((sum(dimensions.widths[:-2]), *dimensions.head))
        self.head = nn.Sequential(*(conv_block(i, o, batch_norm=False) for i, o in sizes))
        self.u_scores = nn.Conv2d(dimensions.head[-1], dimensions.bins, 1)
        self.v_scores = nn.Conv2d(dimensions.head[-1], dimensions.bins, 1)
        initialise_xavier(self.decoder, self.head, self.u_scores, self.v_scores)

    def paint(self, lightness: Tensor, global_features: Tensor | None = None) -> Tensor:
        created = self.create(self.summarise(lightness))
        last = len(created) - 1
        x = torch.cat([enlarged(y, 2 ** (last - i)) for i, y in enumerate(created)], dim=1)
        x = self.head(x)
        return torch.cat([self.u_scores(x), self.v_scores(x)], dim=1)


def enlarged(x: Tensor, factor: int) -> Tensor:
    """(N, C, h, w) -> (N, C, factor h, factor w), nearest neighbour."""
    return F.interpolate(x, scale_factor=factor, mode="nearest") if factor > 1 else x


def initialise_xavier(*parts: nn.Module) -> None:
    """Xavier initialisation of the layers that are not the encoder's (001, 5.2); biases are 0."""
    for part in parts:
        for module in part.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.xavier_uniform_(module.weight)
                if module.bias is not None:
                    nn.init.zeros_(module.bias)
