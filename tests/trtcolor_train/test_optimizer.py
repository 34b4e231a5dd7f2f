"""The papers' optimisers against their update rules, worked by hand, and the rate's course."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn
from trainings import write_narrow_config

from trtcolor_train.checkpoint import load_checkpoint
from trtcolor_train.config import Optimizer, read_config
from trtcolor_train.loop import train
from trtcolor_train.optimizer import learning_rate, make_optimizer

WEIGHT = torch.tensor([[2.0, -1.0]])
BIAS = torch.tensor([0.5])
GRADIENTS = ((torch.tensor([[0.3, 4.0]]), torch.tensor([-2.0])), (torch.ones(1, 2), torch.ones(1)))


def stepped(settings: Optimizer, steps: int) -> tuple[Tensor, Tensor]:
    """Weight and bias of a layer after steps along `GRADIENTS`."""
    layer = nn.Linear(2, 1)
    with torch.no_grad():
        layer.weight.copy_(WEIGHT)
        layer.bias.copy_(BIAS)
    optimizer = make_optimizer(layer, settings)
    for weight, bias in GRADIENTS[:steps]:
        layer.weight.grad, layer.bias.grad = weight.clone(), bias.clone()
        optimizer.step()
    return layer.weight.detach(), layer.bias.detach()


def adam_direction(gradient: Tensor) -> Tensor:
    """Adam's first step over the rate: with both moments unbiased, g / (|g| + epsilon)."""
    return gradient / (gradient.abs() + 1e-8)


def test_adams_weight_decay_is_a_penalty_inside_the_gradient() -> None:
    weight, bias = stepped(Optimizer("adam", learning_rate=0.1, weight_decay=0.5), 1)
    (g, h), _ = GRADIENTS
    torch.testing.assert_close(weight, WEIGHT - 0.1 * adam_direction(g + 0.5 * WEIGHT))
    torch.testing.assert_close(bias, BIAS - 0.1 * adam_direction(h + 0.5 * BIAS))


def test_adam_takes_its_betas() -> None:
    weight, _ = stepped(Optimizer("adam", learning_rate=0.1, betas=(0.5, 0.75)), 2)
    (g, _), (k, _) = GRADIENTS
    first = (0.25 * g + 0.5 * k) / (1 - 0.5**2)
    second = (0.75 * 0.25 * g**2 + 0.25 * k**2) / (1 - 0.75**2)
    after = WEIGHT - 0.1 * adam_direction(g)
    torch.testing.assert_close(weight, after - 0.1 * first / (second.sqrt() + 1e-8))


def test_adamws_weight_decay_is_apart_and_of_matrices_alone() -> None:
    weight, bias = stepped(Optimizer("adamw", learning_rate=0.1, weight_decay=0.5), 1)
    (g, h), _ = GRADIENTS
    torch.testing.assert_close(weight, WEIGHT * (1 - 0.1 * 0.5) - 0.1 * adam_direction(g))
    torch.testing.assert_close(bias, BIAS - 0.1 * adam_direction(h))


def test_nesterovs_momentum_looks_ahead() -> None:
    weight, _ = stepped(Optimizer("nesterov", learning_rate=0.1, momentum=0.8), 2)
    (g, _), (k, _) = GRADIENTS
    velocity = 0.8 * g + k
    torch.testing.assert_close(weight, WEIGHT - 0.1 * (g + 0.8 * g) - 0.1 * (k + 0.8 * velocity))


def test_nesterovs_weight_decay_is_a_penalty() -> None:
    settings = Optimizer("nesterov", learning_rate=0.1, momentum=0.8, weight_decay=0.5)
    weight, _ = stepped(settings, 1)
    gradient = GRADIENTS[0][0] + 0.5 * WEIGHT
    torch.testing.assert_close(weight, WEIGHT - 0.1 * 1.8 * gradient)


def test_adadelta_takes_its_decay() -> None:
    weight, _ = stepped(Optimizer("adadelta", learning_rate=1.0, decay=0.95), 1)
    g = GRADIENTS[0][0]
    step = math.sqrt(1e-6) / (0.05 * g**2 + 1e-6).sqrt() * g
    torch.testing.assert_close(weight, WEIGHT - step)


def test_the_cosine_schedule_warms_up_and_ends_near_0() -> None:
    settings = Optimizer("adamw", learning_rate=1.0, schedule="cosine", warmup_steps=10)
    rates = [learning_rate(settings, step, 110) for step in range(110)]
    assert rates[:10] == pytest.approx([i / 10 for i in range(1, 11)])
    assert rates[60] == pytest.approx(0.5)
    assert 0 < rates[-1] < 1e-3
    assert rates[9:] == sorted(rates[9:], reverse=True)


def test_the_constant_schedule_warms_up_and_stays() -> None:
    settings = Optimizer("adam", learning_rate=0.3, warmup_steps=3)
    rates = [learning_rate(settings, step, 9) for step in range(9)]
    assert rates == pytest.approx([0.1, 0.2, *[0.3] * 7])


def moved(shards: Path, folder: Path, clip_norm: float) -> float:
    """How far one step of plain descent at rate 1 has carried all weights: the gradient's norm."""
    optimizer = {"name": "nesterov", "momentum": 1e-9, "learning_rate": 1.0, "clip_norm": clip_norm}
    path = write_narrow_config(
        folder,
        "olah2022-regression",
        loss={"alpha": 0},
        optimizer=optimizer,
        training={"steps": 1},
    )
    weights = []
    for warmup in (0, 10**6):  # a whole step, and next to none
        config = read_config(path, [f"optimizer.warmup_steps={warmup}"])
        checkpoint = train(config, folder / f"{clip_norm}-{warmup}", data_root=shards)
        weights.append(load_checkpoint(checkpoint).model)
    after, before = weights
    names = [name for name in after if name.endswith(("weight", "bias"))]
    return math.sqrt(sum(float((after[name] - before[name]).square().sum()) for name in names))


def test_clipping_bounds_the_norm_of_the_whole_gradient(shards: Path, tmp_path: Path) -> None:
    unclipped = moved(shards, tmp_path, 0.0)
    assert unclipped > 0.1
    assert moved(shards, tmp_path, 0.05) == pytest.approx(0.05, rel=1e-3)
    assert moved(shards, tmp_path, 10 * unclipped) == pytest.approx(unclipped, rel=1e-3)
