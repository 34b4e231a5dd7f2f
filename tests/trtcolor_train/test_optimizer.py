"""The papers' optimisers by hand, the course of the learning rate, and what is restored."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from checkpoints import CONFIG, after_one_step
from torch import Tensor, nn
from trainings import write_narrow_config

from trtcolor.errors import CheckpointError
from trtcolor_train.checkpoint import (
    Checkpoint,
    load_checkpoint,
    load_weights,
    save_checkpoint,
)
from trtcolor_train.config import Optimizer, read_config
from trtcolor_train.loop import train
from trtcolor_train.models import family
from trtcolor_train.optimizer import learning_rate, make_optimizer, restore_optimizer

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


# Going on from a checkpoint.


OPTIMIZERS: dict[str, Callable[..., torch.optim.Optimizer]] = {
    "adam": torch.optim.Adam,
    "adadelta": torch.optim.Adadelta,
    "nesterov": lambda parameters, lr: torch.optim.SGD(
        parameters, lr=lr, momentum=0.9, nesterov=True
    ),
}


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A whole checkpoint with Adam's state, not to be changed."""
    path = tmp_path_factory.mktemp("written") / "c.safetensors"
    save_checkpoint(path, after_one_step(torch.optim.Adam))
    return path


def channels_last_network(checkpoint: Checkpoint) -> torch.nn.Module:
    network = family("lee2016").build(CONFIG.network.dimensions)
    load_weights(network, checkpoint, source="c")
    return network.to(memory_format=torch.channels_last)  # type: ignore[call-overload,no-any-return]


def step(network: torch.nn.Module, optimizer: torch.optim.Optimizer, seed: int) -> None:
    lightness = torch.rand(2, 1, 32, 32, generator=torch.Generator().manual_seed(seed)) * 100
    optimizer.zero_grad()
    network(lightness).output.mean().backward()
    optimizer.step()


@pytest.mark.parametrize("kind", OPTIMIZERS)
def test_a_restored_optimizer_steps_and_lies_in_memory_as_the_unbroken_one(
    written: Path, tmp_path: Path, kind: str
) -> None:
    whole = channels_last_network(load_checkpoint(written))
    unbroken = OPTIMIZERS[kind](whole.parameters(), lr=0.01)
    step(whole, unbroken, 0)
    path = tmp_path / "c"
    state = {"model": whole.state_dict(), "optimizer": unbroken.state_dict()}
    save_checkpoint(path, replace(load_checkpoint(written), **state))
    step(whole, unbroken, 1)

    checkpoint = load_checkpoint(path)
    network = channels_last_network(checkpoint)
    optimizer = OPTIMIZERS[kind](network.parameters(), lr=0.01)
    restore_optimizer(optimizer, checkpoint, source="c")
    step(network, optimizer, 1)
    for parameter, same in zip(whole.parameters(), network.parameters(), strict=True):
        assert torch.equal(parameter, same)
        assert unbroken.state[parameter].keys() == optimizer.state[same].keys()
        for name, value in unbroken.state[parameter].items():
            restored = optimizer.state[same][name]
            assert torch.equal(restored, value)
            assert restored.stride() == value.stride()


def test_a_restored_optimizer_keeps_the_settings_of_its_own(written: Path) -> None:
    checkpoint = load_checkpoint(written)
    checkpoint.optimizer["param_groups"][0] |= {"lr": "x", "betas": None, "eps": []}
    network = channels_last_network(checkpoint)
    optimizer = torch.optim.Adam(network.parameters(), lr=0.02)
    restore_optimizer(optimizer, checkpoint, source="c")
    step(network, optimizer, 0)
    assert optimizer.param_groups[0]["lr"] == 0.02
    assert optimizer.param_groups[0]["betas"] == (0.9, 0.999)


def every(entry: str, value: object) -> Callable[[dict[str, Any]], None]:
    """A change of that entry of every parameter's state; None takes it out."""

    def change(optimizer: dict[str, Any]) -> None:
        for state in optimizer["state"].values():
            state[entry] = value
            if value is None:
                del state[entry]

    return change


@pytest.mark.parametrize(
    "change",
    [
        lambda optimizer: optimizer.clear(),
        lambda optimizer: optimizer.update(param_groups=[]),
        lambda optimizer: optimizer["param_groups"][0].update(params=[0]),
        lambda optimizer: optimizer["param_groups"][0].pop("params"),
        lambda optimizer: optimizer["state"].update({999: optimizer["state"][0]}),
        lambda optimizer: optimizer["state"][0].update(exp_avg=torch.zeros(1, 2, 3)),
        lambda optimizer: optimizer["state"][0].pop("exp_avg"),
        every("exp_avg", None),
        every("exp_avg", 1.0),
        every("momentum_buffer", 1.0),
        every("step", "x"),
        every("step", torch.tensor(-1.0)),
        every("step", torch.tensor(float("nan"))),
        every("step", torch.ones(3)),
        every("step", torch.tensor(1j)),
    ],
)
def test_a_state_that_no_step_could_go_on_from_is_refused_and_changes_nothing(
    written: Path, change: Callable[[dict[str, Any]], object]
) -> None:
    checkpoint = load_checkpoint(written)
    change(checkpoint.optimizer)
    optimizer = torch.optim.Adam(channels_last_network(checkpoint).parameters())
    with pytest.raises(CheckpointError, match="c holds no state of this training's Adam"):
        restore_optimizer(optimizer, checkpoint, source="c")
    assert not optimizer.state


def test_the_state_of_another_optimizer_is_refused(written: Path) -> None:
    checkpoint = load_checkpoint(written)
    optimizer = torch.optim.Adadelta(channels_last_network(checkpoint).parameters())
    with pytest.raises(CheckpointError, match="Adadelta"):
        restore_optimizer(optimizer, checkpoint, source="c")
