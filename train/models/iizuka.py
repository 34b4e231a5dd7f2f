"""The joint global and local network of Iizuka et al. 2016 and its 128x128 replication.

One class, three configurations:

- ``iizuka2016``: 004, Table 1;
- ``iizuka2016-baseline``: the paper's baseline without global features (4.1), a 3x3 convolution in
  the place of the fusion layer;
- ``lee2016``: the 128x128 network of Lee, Liang and Peaks (000 and 002, Tables I to V), with the
  readings of DESIGN.md where the tables contradict themselves.

Data flow (sizes for iizuka2016; lee2016 has one /2 less in low and one upsample less):

    lightness (N, 1, H, W)
      -> low    (N, 512, H/8, W/8) -> mid (N, 256, H/8, W/8) -> fusion -> colorization -> a*b*
    lightness scaled to (N, 1, 224, 224)
      -> low -> global convolutions (N, 512, 7, 7) -> FC 1024 -> FC 512 -> FC 256 = global features
                                                                 \\-> FC 256 -> FC C = class logits
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise
from typing import get_args

import torch
from torch import Tensor, nn

from trtcolor.errors import ConfigError
from trtcolor_train.coding import ColorSpace, sigmoid_coding
from trtcolor_train.models import network
from trtcolor_train.models.blocks import (
    Fusion,
    conv_block,
    initialise,
    linear_block,
    output_stack,
)
from trtcolor_train.models.network import ColorNetwork, Prediction


@dataclass(frozen=True, kw_only=True)
class Dimensions(network.Dimensions):
    """Dimensions of the joint network.

    Attributes:
        low: (outputs, stride) of the low-level convolutions.
        mid: outputs of the mid-level convolutions.
        global_convolutions: (outputs, stride); empty: no global network (the baseline).
        global_layers: outputs of the fully connected layers; the last is the global vector.
        fusion: outputs of the fusion layer.
        colorization: outputs of the convolutions; 0 stands for a nearest-neighbour upsample x2.
        classifier: outputs of the classifier's hidden layer.
        signed_input: L* is given to the first layer as -1..1 (002) instead of 0..1 (004).
        color_space: what the output states: Lab, YUV or RGB (004, 4.8).
    """

    low: tuple[tuple[int, int], ...]
    mid: tuple[int, ...]
    global_convolutions: tuple[tuple[int, int], ...]
    global_layers: tuple[int, ...]
    fusion: int
    colorization: tuple[int, ...]
    classifier: int
    signed_input: bool
    color_space: ColorSpace = "lab"

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.training_size % (self.multiple * self.global_stride):
            raise ConfigError(
                f"training size {self.training_size}; a multiple of the network's total stride "
                f"{self.multiple * self.global_stride} was needed; mend the configuration"
            )
        if self.color_space not in get_args(ColorSpace):
            raise ConfigError(
                f"color_space {self.color_space!r}; one of {', '.join(get_args(ColorSpace))} was "
                "needed; mend the configuration"
            )
        if len(self.global_layers) < 2 and self.has_global:
            raise ConfigError(
                f"global_layers {self.global_layers}; at least two were needed, since the "
                "classifier reads the one before the last; mend the configuration"
            )
        if self.multiple % 2 ** self.colorization.count(0):
            raise ConfigError(
                f"{self.colorization.count(0)} upsamples for a low-level stride of "
                f"{self.multiple}; at most as many as halvings were needed; mend colorization"
            )

    @property
    def has_global(self) -> bool:
        return bool(self.global_convolutions)

    @property
    def multiple(self) -> int:
        return math.prod(stride for _, stride in self.low)

    @property
    def chroma_scale(self) -> int:
        return int(self.multiple // 2 ** self.colorization.count(0))

    @property
    def global_width(self) -> int:
        return self.global_layers[-1] if self.has_global else 0

    @property
    def global_stride(self) -> int:
        return math.prod(stride for _, stride in self.global_convolutions)


IIZUKA2016 = Dimensions(
    low=((64, 2), (128, 1), (128, 2), (256, 1), (256, 2), (512, 1)),
    mid=(512, 256),
    global_convolutions=((512, 2), (512, 1), (512, 2), (512, 1)),
    global_layers=(1024, 512, 256),
    fusion=256,
    colorization=(128, 0, 64, 64, 0, 32),
    classifier=256,
    classes=205,
    training_size=224,
    signed_input=False,
)

IIZUKA2016_BASELINE = Dimensions(
    low=IIZUKA2016.low,
    mid=IIZUKA2016.mid,
    global_convolutions=(),
    global_layers=(),
    fusion=256,
    colorization=IIZUKA2016.colorization,
    classifier=0,
    classes=0,
    training_size=224,
    signed_input=False,
)

LEE2016 = Dimensions(
    low=((64, 2), (128, 1), (128, 2), (256, 1)),
    mid=(256, 128),
    global_convolutions=((256, 2), (256, 1), (256, 2), (256, 1)),
    global_layers=(512, 256, 128),
    fusion=256,
    colorization=(128, 64, 0, 32),
    classifier=256,
    classes=205,
    training_size=128,
    signed_input=True,
)


class JointNetwork(ColorNetwork):
    """The network of the module's docstring, for the given dimensions."""

    dimensions: Dimensions

    def __init__(self, dimensions: Dimensions) -> None:
        super().__init__(dimensions, sigmoid_coding(dimensions.color_space))
        d = dimensions

        def stack(inputs: int, layers: tuple[tuple[int, int], ...]) -> tuple[nn.Sequential, int]:
            blocks = []
            for outputs, stride in layers:
                blocks.append(conv_block(inputs, outputs, stride))
                inputs = outputs
            return nn.Sequential(*blocks), inputs

        self.low, low_outputs = stack(1, d.low)
        self.mid, mid_outputs = stack(low_outputs, tuple((n, 1) for n in d.mid))
        self.fusion: nn.Module
        if d.has_global:
            self.global_convolutions, outputs = stack(low_outputs, d.global_convolutions)
            side = d.training_size // (d.multiple * d.global_stride)
            sizes = (outputs * side * side, *d.global_layers)
            self.global_layers = nn.Sequential(*(linear_block(i, o) for i, o in pairwise(sizes)))
            self.fusion = Fusion(sizes[-1], mid_outputs, d.fusion)
        else:
            self.fusion = conv_block(mid_outputs, d.fusion)
        if d.has_global and d.classes:
            logits = nn.Linear(d.classifier, d.classes)
            initialise(logits, gain=1.0)
            self.classifier = nn.Sequential(linear_block(d.global_layers[-2], d.classifier), logits)

        self.colorization = output_stack(d.fusion, d.colorization, self.coding.channels)

    def paint(self, lightness: Tensor, global_features: Tensor | None = None) -> Tensor:
        return self._colorize(self._low_level(lightness), global_features)

    def describe(self, lightness: Tensor) -> tuple[Tensor, Tensor | None]:
        return self._describe(self._low_level(lightness))

    def forward(self, lightness: Tensor) -> Prediction:
        low = self._low_level(lightness)
        if not self.dimensions.has_global:
            return Prediction(self._colorize(low, None))
        global_features, logits = self._describe(low)
        return Prediction(self._colorize(low, global_features), global_features, logits)

    def _low_level(self, lightness: Tensor) -> Tensor:
        """L* 0..100, brought to the range that the first layer was trained on, to features."""
        signed = self.dimensions.signed_input
        low: Tensor = self.low(lightness / 50.0 - 1.0 if signed else lightness / 100.0)
        return low

    def _describe(self, low: Tensor) -> tuple[Tensor, Tensor | None]:
        """Low-level features of the training-size copy -> global features, class logits."""
        x = torch.flatten(self.global_convolutions(low), 1)
        *hidden, last = self.global_layers
        for layer in hidden:
            x = layer(x)  # ends as (N, 512), the second to last, which the classifier reads
        logits = self.classifier(x) if self.dimensions.classes else None
        return last(x), logits

    def _colorize(self, low: Tensor, global_features: Tensor | None) -> Tensor:
        """Low-level features (N, C, H/8, W/8) and global vector -> output (N, K, H/2, W/2)."""
        mid = self.mid(low)
        fused = self.fusion(mid) if global_features is None else self.fusion(mid, global_features)
        output: Tensor = self.colorization(fused)
        return output
