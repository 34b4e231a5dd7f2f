"""Batch norm folded into the convolution or linear layer before it.

First the arithmetic, in float64 on plain tensors; then the walk over a network's modules (004, 3.4:
"the batch normalization mean and standard deviation can be folded into the weights and the bias").
"""

from __future__ import annotations

import copy
from typing import TypeVar

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from trtcolor_train.models.blocks import ChannelAffine

Network = TypeVar("Network", bound=nn.Module)


def fold_arrays(
    weight: Tensor,
    bias: Tensor | None,
    mean: Tensor,
    variance: Tensor,
    scale: Tensor,
    shift: Tensor,
    epsilon: float,
) -> tuple[Tensor, Tensor]:
    """Weight and bias of the one layer that equals layer, then batch norm with fixed statistics.

    scale (W x + b - mean) / sqrt(variance + epsilon) + shift = W' x + b'

    Args:
        weight: (outputs, ...), of a convolution or a linear layer.
        bias: (outputs,), or None for zero.
        mean, variance: (outputs,), running statistics.
        scale, shift: (outputs,), the norm's learned gamma and beta.
        epsilon: added to the variance.

    Returns:
        W' (outputs, ...) and b' (outputs,), of the dtype of ``weight``; computed in float64.
    """
    factor = scale.double() / torch.sqrt(variance.double() + epsilon)
    folded = weight.double() * factor.reshape(-1, *[1] * (weight.ndim - 1))
    offset = torch.zeros_like(factor) if bias is None else bias.double()
    return folded.to(weight.dtype), ((offset - mean.double()) * factor + shift.double()).to(
        weight.dtype
    )


@torch.no_grad()
def fold(network: Network) -> Network:
    """The same network without batch norm, in evaluation mode; the original is left alone.

    A norm behind a ``layer`` in one module (`Block`, `Fusion`) goes into that layer; a norm that
    stands by itself, behind a ReLU, becomes a `ChannelAffine`.
    """
    folded = copy.deepcopy(network).eval()
    for module in list(folded.modules()):
        norm = getattr(module, "norm", None)
        layer = getattr(module, "layer", None)
        if isinstance(norm, _BatchNorm) and isinstance(layer, nn.Conv2d | nn.Linear):
            weight, bias = fold_arrays(layer.weight, layer.bias, *_statistics(norm), norm.eps)
            layer.weight, layer.bias = nn.Parameter(weight), nn.Parameter(bias)
            setattr(module, "norm", None)  # noqa: B010 (torch types modules as tensors)
    for module in list(folded.modules()):
        for name, child in list(module.named_children()):
            if isinstance(child, _BatchNorm):
                one = torch.ones_like(child.weight)
                scale, shift = fold_arrays(one, None, *_statistics(child), child.eps)
                setattr(module, name, ChannelAffine(scale, shift))
    return folded


def _statistics(norm: _BatchNorm) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    assert norm.running_mean is not None
    assert norm.running_var is not None
    return norm.running_mean, norm.running_var, norm.weight, norm.bias
