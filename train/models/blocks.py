"""Layers shared by the networks: convolution or linear layer -> batch norm -> ReLU."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn


class Block(nn.Module):
    """A convolution or linear layer, its batch norm, ReLU (004, 3.1 and 3.4).

    The layer has a bias of its own only without batch norm, whose shift makes it redundant;
    folding (fold.py) moves the norm into weight and bias.

    Args:
        layer: the convolution or linear layer; its weight is initialised here.
        batch_norm: False after folding.
    """

    def __init__(self, layer: nn.Conv2d | nn.Linear, norm: nn.Module | None) -> None:
        super().__init__()
        self.layer = layer
        self.norm = norm
        initialise(layer)

    def forward(self, x: Tensor) -> Tensor:
        x = self.layer(x)
        if self.norm is not None:
            x = self.norm(x)
        return torch.relu(x)


def conv_block(inputs: int, outputs: int, stride: int = 1, *, batch_norm: bool = True) -> Block:
    """3x3 convolution with padding 1: (N, inputs, H, W) -> (N, outputs, H/stride, W/stride)."""
    layer = nn.Conv2d(inputs, outputs, 3, stride, padding=1, bias=not batch_norm)
    return Block(layer, nn.BatchNorm2d(outputs) if batch_norm else None)


def linear_block(inputs: int, outputs: int, *, batch_norm: bool = True) -> Block:
    """Fully connected layer: (N, inputs) -> (N, outputs)."""
    layer = nn.Linear(inputs, outputs, bias=not batch_norm)
    return Block(layer, nn.BatchNorm1d(outputs) if batch_norm else None)


def initialise(layer: nn.Conv2d | nn.Linear, *, gain: float = math.sqrt(2)) -> None:
    """Normal weights of deviation gain / sqrt(inputs of a node), zero biases (000, III)."""
    fan_in = layer.weight[0].numel()
    nn.init.normal_(layer.weight, std=gain / math.sqrt(fan_in))
    if layer.bias is not None:
        nn.init.zeros_(layer.bias)
