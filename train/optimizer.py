"""The papers' optimisers, the course of the learning rate, and going on from a checkpoint."""

from __future__ import annotations

import copy
import math
from collections import defaultdict
from reprlib import repr as shortened
from typing import Any

import torch
from torch import Tensor, nn

from trtcolor.errors import CheckpointError
from trtcolor_train.checkpoint import Checkpoint
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


def restore_optimizer(
    optimizer: torch.optim.Optimizer, checkpoint: Checkpoint, *, source: str
) -> None:
    """Put a checkpoint's state of the optimiser into one over the same parameters.

    Its settings (rate, betas) stay the optimiser's own: they are the configuration's, which a
    resumed training shares with its checkpoint. What is kept of a parameter comes to lie in memory
    as the parameter does, so that each step takes the path of an unbroken training.

    Raises:
        CheckpointError: a state of another optimiser or of other parameters; the optimiser has not
            changed.
    """
    saved = checkpoint.optimizer
    own_groups = optimizer.state_dict()["param_groups"]
    parameters = [p for group in optimizer.param_groups for p in group["params"]]
    try:
        groups = [group["params"] for group in saved["param_groups"]]
        if groups != [group["params"] for group in own_groups]:
            raise ValueError("its groups of parameters are others")
        form = _state_of_one(optimizer)
        for index, state in saved["state"].items():
            _check_state(state, form, parameters[index], f"optimizer.{index}")
        optimizer.load_state_dict({"state": saved["state"], "param_groups": own_groups})
    except (TypeError, ValueError, LookupError, RuntimeError) as error:
        raise CheckpointError(
            f"{source} holds no state of this training's {type(optimizer).__name__} ({error}); one "
            "over the same parameters was needed; take an earlier checkpoint or start from its "
            "weights with --init"
        ) from None
    for parameter, state in optimizer.state.items():
        for name, value in state.items():
            if isinstance(value, Tensor) and value.shape == parameter.shape:
                # Loaded values are contiguous, the network's are channels last.
                state[name] = torch.empty_like(parameter, dtype=value.dtype).copy_(value)


def _state_of_one(optimizer: torch.optim.Optimizer) -> dict[str, Any]:
    """What the optimiser keeps of a parameter of shape (2, 3), found by a step on one of zeros."""
    parameter = torch.nn.Parameter(torch.zeros(2, 3))
    parameter.grad = torch.zeros(2, 3)
    probe = copy.copy(optimizer)
    probe.param_groups = [{**optimizer.param_groups[0], "params": [parameter]}]
    probe.state = defaultdict(dict)
    probe.step()
    return dict(probe.state[parameter])


def _check_state(
    state: dict[str, Any], form: dict[str, Any], parameter: Tensor, where: str
) -> None:
    """Raise ValueError about the first entry that a step could not go on from."""
    if state.keys() != form.keys():
        raise ValueError(f"{where} has {sorted(state)} and not {sorted(form)}")
    for name, model in form.items():
        value = state[name]
        if not isinstance(model, Tensor):
            fits = isinstance(value, int | float) and value >= 0
        elif not isinstance(value, Tensor) or not value.is_floating_point():
            fits = False
        elif model.ndim == 0:  # a count of steps
            fits = value.ndim == 0 and bool(value >= 0)
        else:
            fits = value.shape == parameter.shape
        if not fits:
            came = tuple(value.shape) if isinstance(value, Tensor) else shortened(value)
            raise ValueError(f"{where}.{name} is {came} for weights {tuple(parameter.shape)}")
