"""The joint global and local network of Iizuka et al. 2016 and its 128x128 replication.

One class, three configurations:

- ``iizuka2016``: 004, Table 1;
- ``iizuka2016-baseline``: the paper's baseline without global features (4.1), a 3x3 convolution in
  the place of the fusion layer;
- ``lee2016``: the 128x128 network of Lee, Liang and Peaks (000 and 002, Tables I to V), with the
  readings of DESIGN.md where the tables contradict themselves.

Data flow (sizes for iizuka2016; lee2016 has one /2 less in low and one upsample less):

    lightness (N, 1, H, W)
      -> low    (N, 512, H/8, W/8) -> mid (N, 256, H/8, W/8) -> fusion -> colorization -> chroma
    lightness scaled to (N, 1, 224, 224)
      -> low -> global convolutions (N, 512, 7, 7) -> FC 1024 -> FC 512 -> FC 256 = global features
                                                                 \\-> FC 256 -> FC C = class logits
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from trtcolor.errors import ConfigError
from trtcolor.spec import LARGEST_SIDE
from trtcolor_train.models.blocks import conv_block, initialise, linear_block

# a*b* are mapped to the sigmoid's 0..1 by (v + 110) / 220; sRGB spans a -86..98, b -108..94.
CHROMA_LIMIT = 110.0


@dataclass(frozen=True)
class Dimensions:
    """Everything that distinguishes one network of this kind from another.

    Attributes:
        low: (outputs, stride) of the low-level convolutions.
        mid: outputs of the mid-level convolutions.
        global_convolutions: (outputs, stride); empty: no global network (the baseline).
        global_layers: outputs of the fully connected layers; the last is the global vector.
        fusion: outputs of the fusion layer.
        colorization: outputs of the convolutions; 0 stands for a nearest-neighbour upsample x2.
        classifier: outputs of the classifier's hidden layer.
        classes: number of scene classes; 0: no classifier.
        training_size: side of the training crops and of the global network's input, in pixels.
        signed_input: L* is given to the first layer as -1..1 (002) instead of 0..1 (004).
    """

    low: tuple[tuple[int, int], ...]
    mid: tuple[int, ...]
    global_convolutions: tuple[tuple[int, int], ...]
    global_layers: tuple[int, ...]
    fusion: int
    colorization: tuple[int, ...]
    classifier: int
    classes: int
    training_size: int
    signed_input: bool

    def __post_init__(self) -> None:
        if not 1 <= self.training_size <= LARGEST_SIDE:
            raise ConfigError(
                f"training size {self.training_size}; 1 to {LARGEST_SIDE} pixels were needed; mend "
                "the configuration"
            )
        if self.training_size % (self.low_stride * self.global_stride):
            raise ConfigError(
                f"training size {self.training_size}; a multiple of the network's total stride "
                f"{self.low_stride * self.global_stride} was needed; mend the configuration"
            )
        if len(self.global_layers) < 2 and self.has_global:
            raise ConfigError(
                f"global_layers {self.global_layers}; at least two were needed, since the "
                "classifier reads the one before the last; mend the configuration"
            )
        if self.low_stride % 2 ** self.colorization.count(0):
            raise ConfigError(
                f"{self.colorization.count(0)} upsamples for a low-level stride of "
                f"{self.low_stride}; at most as many as halvings were needed; mend colorization"
            )

    @property
    def has_global(self) -> bool:
        return bool(self.global_convolutions)

    @property
    def low_stride(self) -> int:
        return math.prod(stride for _, stride in self.low)

    @property
    def global_stride(self) -> int:
        return math.prod(stride for _, stride in self.global_convolutions)

    @property
    def chroma_scale(self) -> int:
        """Pixels of the input per chroma sample along each axis."""
        return int(self.low_stride // 2 ** self.colorization.count(0))


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


class Prediction(NamedTuple):
    """What one pass of a network gives.

    Attributes:
        chroma: (N, 2, h, w) a*b* in real units.
        global_features: (N, G), or None without a global network.
        class_logits: (N, C), or None without a classifier.
    """

    chroma: Tensor
    global_features: Tensor | None
    class_logits: Tensor | None


class Fusion(nn.Module):
    """y = ReLU(b + W [global; mid]) at every (u, v) (004, Eq. 5).

    W (outputs, G + M) is kept whole as in the paper and applied in two halves,
    W_mid x mid + (W_global x global + b), which is the same sum without a concatenated map.
    """

    def __init__(self, global_: int, mid: int, outputs: int, *, batch_norm: bool) -> None:
        super().__init__()
        self.layer = nn.Linear(global_ + mid, outputs, bias=not batch_norm)
        self.norm = nn.BatchNorm2d(outputs) if batch_norm else None
        self.global_inputs = global_
        initialise(self.layer)

    def forward(self, mid: Tensor, global_features: Tensor) -> Tensor:
        weight = self.layer.weight
        shift = F.linear(global_features, weight[:, : self.global_inputs], self.layer.bias)
        x = F.conv2d(mid, weight[:, self.global_inputs :, None, None]) + shift[:, :, None, None]
        if self.norm is not None:
            x = self.norm(x)
        return torch.relu(x)


class JointNetwork(nn.Module):
    """The network of the module's docstring, for the given dimensions.

    Args:
        dimensions: kept as ``self.dimensions``; travels inside the checkpoint.
        batch_norm: False builds the folded form, whose layers have biases instead.
    """

    def __init__(self, dimensions: Dimensions, *, batch_norm: bool = True) -> None:
        super().__init__()
        d = self.dimensions = dimensions

        def stack(inputs: int, layers: tuple[tuple[int, int], ...]) -> tuple[nn.Sequential, int]:
            blocks = []
            for outputs, stride in layers:
                blocks.append(conv_block(inputs, outputs, stride, batch_norm=batch_norm))
                inputs = outputs
            return nn.Sequential(*blocks), inputs

        self.low, low_outputs = stack(1, d.low)
        self.mid, mid_outputs = stack(low_outputs, tuple((n, 1) for n in d.mid))
        self.fusion: nn.Module
        if d.has_global:
            self.global_convolutions, outputs = stack(low_outputs, d.global_convolutions)
            side = d.training_size // (d.low_stride * d.global_stride)
            sizes = (outputs * side * side, *d.global_layers)
            self.global_layers = nn.Sequential(
                *(linear_block(i, o, batch_norm=batch_norm) for i, o in pairwise(sizes))
            )
            self.fusion = Fusion(sizes[-1], mid_outputs, d.fusion, batch_norm=batch_norm)
        else:
            self.fusion = conv_block(mid_outputs, d.fusion, batch_norm=batch_norm)
        if d.has_global and d.classes:
            logits = nn.Linear(d.classifier, d.classes)
            initialise(logits, gain=1.0)
            self.classifier = nn.Sequential(
                linear_block(d.global_layers[-2], d.classifier, batch_norm=batch_norm), logits
            )

        layers: list[nn.Module] = []
        inputs = d.fusion
        for outputs in d.colorization:
            if outputs == 0:
                layers.append(nn.Upsample(scale_factor=2, mode="nearest"))
                continue
            layers.append(conv_block(inputs, outputs, batch_norm=batch_norm))
            inputs = outputs
        output = nn.Conv2d(inputs, 2, 3, padding=1)
        initialise(output, gain=1.0)
        self.colorization = nn.Sequential(*layers, output)

    def normalise(self, lightness: Tensor) -> Tensor:
        """L* 0..100 -> the range that the first layer was trained on."""
        return lightness / 50.0 - 1.0 if self.dimensions.signed_input else lightness / 100.0

    def describe(self, low: Tensor) -> tuple[Tensor, Tensor | None]:
        """Low-level features of the training-size copy -> global features, class logits."""
        x = torch.flatten(self.global_convolutions(low), 1)
        *hidden, last = self.global_layers
        for layer in hidden:
            x = layer(x)  # ends as (N, 512), the second to last, which the classifier reads
        logits = self.classifier(x) if self.dimensions.classes else None
        return last(x), logits

    def colorize(self, low: Tensor, global_features: Tensor | None) -> Tensor:
        """Low-level features (N, C, H/8, W/8) and global vector -> chroma (N, 2, H/2, W/2)."""
        mid = self.mid(low)
        fused = self.fusion(mid) if global_features is None else self.fusion(mid, global_features)
        # The decoding is float32 even where the layers run in a narrower type.
        y = torch.sigmoid(self.colorization(fused).float())
        return (2.0 * y - 1.0) * CHROMA_LIMIT

    def forward(self, lightness: Tensor) -> Prediction:
        """The joint pass of training: one picture of training size serves both paths.

        Args:
            lightness: (N, 1, S, S), L* in 0..100, S = ``dimensions.training_size`` (any
                multiple of the stride without a global network).
        """
        low = self.low(self.normalise(lightness))
        if not self.dimensions.has_global:
            return Prediction(self.colorize(low, None), None, None)
        global_features, logits = self.describe(low)
        return Prediction(self.colorize(low, global_features), global_features, logits)
