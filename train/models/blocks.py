"""Layers shared by the networks: convolution or linear layer -> batch norm -> ReLU."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class Block(nn.Module):
    """A convolution or linear layer, then batch norm, then ReLU; the last two may be missing.

    Folding (fold.py) moves the norm into the layer's weight and bias.

    Args:
        layer: the convolution or linear layer; its weight is initialised here.
        norm: the batch norm after it, or None.
        relu: whether ReLU comes last.
    """

    def __init__(
        self, layer: nn.Conv2d | nn.Linear, norm: nn.Module | None, *, relu: bool = True
    ) -> None:
        super().__init__()
        self.layer = layer
        self.norm = norm
        self.relu = relu
        initialise(layer)

    def forward(self, x: Tensor) -> Tensor:
        x = self.layer(x)
        if self.norm is not None:
            x = self.norm(x)
        return torch.relu(x) if self.relu else x


class ChannelAffine(nn.Module):
    """y = scale x + shift in each channel: what is left of a batch norm with no layer before it.

    It cannot be folded into a zero-padded convolution after it: the padding is 0 behind the norm,
    which a shift before it would not reproduce at the border.
    """

    def __init__(self, scale: Tensor, shift: Tensor) -> None:
        super().__init__()
        self.scale = nn.Parameter(scale)
        self.shift = nn.Parameter(shift)

    def forward(self, x: Tensor) -> Tensor:
        shape = (-1, *[1] * (x.ndim - 2))
        return x * self.scale.reshape(shape) + self.shift.reshape(shape)


def conv_block(
    inputs: int,
    outputs: int,
    stride: int = 1,
    *,
    kernel: int = 3,
    batch_norm: bool = True,
    relu: bool = True,
    bias: bool | None = None,
) -> Block:
    """Convolution padded to keep the size: (N, inputs, H, W) -> (N, outputs, H/stride, W/stride).

    Args:
        bias: whether the convolution has one of its own; None: only without batch norm, whose
            shift makes it redundant.
    """
    layer = nn.Conv2d(
        inputs,
        outputs,
        kernel,
        stride,
        padding=kernel // 2,
        bias=not batch_norm if bias is None else bias,
    )
    return Block(layer, nn.BatchNorm2d(outputs) if batch_norm else None, relu=relu)


def linear_block(inputs: int, outputs: int, *, batch_norm: bool = True) -> Block:
    """Fully connected layer: (N, inputs) -> (N, outputs)."""
    layer = nn.Linear(inputs, outputs, bias=not batch_norm)
    return Block(layer, nn.BatchNorm1d(outputs) if batch_norm else None)


class Fusion(nn.Module):
    """y = ReLU(b + W [global; mid]) at every (u, v) (004, Eq. 5).

    W (outputs, G + M) is kept whole as in the paper and applied in two halves,
    W_mid x mid + (W_global x global + b), which is the same sum without a concatenated map.
    """

    norm: nn.Module | None

    def __init__(self, global_: int, mid: int, outputs: int) -> None:
        super().__init__()
        self.layer = nn.Linear(global_ + mid, outputs, bias=False)
        self.norm = nn.BatchNorm2d(outputs)
        self.global_inputs = global_
        initialise(self.layer)

    def forward(self, mid: Tensor, global_features: Tensor) -> Tensor:
        weight = self.layer.weight
        shift = F.linear(global_features, weight[:, : self.global_inputs], self.layer.bias)
        x = F.conv2d(mid, weight[:, self.global_inputs :, None, None]) + shift[:, :, None, None]
        if self.norm is not None:
            x = self.norm(x)
        return torch.relu(x)


def initialise(layer: nn.Conv2d | nn.Linear, *, gain: float = math.sqrt(2)) -> None:
    """Normal weights of deviation gain / sqrt(inputs of a node), zero biases (000, III)."""
    fan_in = layer.weight[0].numel()
    nn.init.normal_(layer.weight, std=gain / math.sqrt(fan_in))
    if layer.bias is not None:
        nn.init.zeros_(layer.bias)


def upsample() -> nn.Upsample:
    """Nearest neighbour, x2 along both axes (004, 3.2.4)."""
    return nn.Upsample(scale_factor=2, mode="nearest")


def output_stack(inputs: int, widths: Sequence[int], outputs: int) -> nn.Sequential:
    """The end of a network: 3x3 convolutions and upsamples, then a plain convolution.

    Args:
        inputs: channels that come in.
        widths: outputs of the convolutions, each with batch norm and ReLU; 0 stands for an
            upsample x2.
        outputs: of the last convolution, which has neither norm nor ReLU.
    """
    layers: list[nn.Module] = []
    for width in widths:
        layers.append(conv_block(inputs, width) if width else upsample())
        inputs = width or inputs
    output = nn.Conv2d(inputs, outputs, 3, padding=1)
    initialise(output, gain=1.0)
    return nn.Sequential(*layers, output)
