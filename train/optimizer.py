"""The papers' optimisers and the course of the learning rate."""

from __future__ import annotations

import math

import torch
from torch import nn

from trtcolor_train.config import Optimizer


def make_optimizer(network: nn.Module, settings: Optimizer) -> torch.optim.Optimizer:
    """Adadelta, Adam, Nesterov's momentum or AdamW over a network's parameters."""
    parameters = [p for p in network.parameters() if p.requires_grad]
    rate, decay = settings.learning_rate, settings.weight_decay
    if settings.name == "adadelta":
        return torch.optim.Adadelta(parameters, lr=rate, rho=settings.decay, weight_decay=decay)
    if settings.name == "adam":
        return torch.optim.Adam(parameters, lr=rate, betas=settings.betas, weight_decay=decay)
    if settings.name == "nesterov":
        return torch.optim.SGD(
            parameters, lr=rate, momentum=settings.momentum, nesterov=True, weight_decay=decay
        )
    # Weight decay shrinks matrices; shifts and scales of batch norm are left alone.
    groups = [
        {"params": [p for p in parameters if p.ndim > 1], "weight_decay": decay},
        {"params": [p for p in parameters if p.ndim <= 1], "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(groups, lr=rate, betas=settings.betas)


def learning_rate(settings: Optimizer, step: int, steps: int) -> float:
    """Linear warm-up, then constant or a half cosine that ends at 0 after the last step."""
    if step < settings.warmup_steps:
        return settings.learning_rate * (step + 1) / settings.warmup_steps
    if settings.schedule == "constant":
        return settings.learning_rate
    progress = (step - settings.warmup_steps) / max(steps - settings.warmup_steps, 1)
    return settings.learning_rate * 0.5 * (1 + math.cos(math.pi * progress))
