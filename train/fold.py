"""Batch norm folded into the convolution or linear layer before it.

First the arithmetic, in float64 on plain tensors; then the walk over a network's modules (004, 3.4:
"the batch normalization mean and standard deviation can be folded into the weights and the bias").
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from trtcolor_train.models.iizuka import JointNetwork


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
def fold(network: JointNetwork) -> JointNetwork:
    """The same network without batch norm, in evaluation mode; the original is left alone.

    Every module that has a ``layer`` and a ``norm`` after it is folded; everything else is copied.
    """
    folded = type(network)(network.dimensions, batch_norm=False)
    state = {name: value for name, value in network.state_dict().items() if ".norm." not in name}
    for name, module in network.named_modules():
        norm = getattr(module, "norm", None)
        if not isinstance(norm, _BatchNorm):
            continue
        layer = module.layer
        assert isinstance(layer, nn.Conv2d | nn.Linear)
        assert norm.running_mean is not None
        assert norm.running_var is not None
        state[f"{name}.layer.weight"], state[f"{name}.layer.bias"] = fold_arrays(
            layer.weight,
            layer.bias,
            norm.running_mean,
            norm.running_var,
            norm.weight,
            norm.bias,
            norm.eps,
        )
    folded.load_state_dict(state)
    return folded.eval()
