"""A checkpoint of a small network, as one real step of an optimiser leaves it."""

from __future__ import annotations

from dataclasses import asdict

import torch
from narrow import NARROW

from trtcolor_train.checkpoint import Checkpoint
from trtcolor_train.config import Data, Network, Training, TrainingConfig
from trtcolor_train.models import family

CONFIG = TrainingConfig(
    "small",
    Network("lee2016", NARROW["lee2016"]),
    Data("train-*.tar", "val-*.tar"),
    Training(steps=5),
)


def after_one_step(optimizer_class: type[torch.optim.Optimizer]) -> Checkpoint:
    """With the state that the optimiser has then."""
    network = family("lee2016").build(CONFIG.network.dimensions)
    optimizer = optimizer_class(network.parameters(), lr=0.1)
    network(torch.rand(2, 1, 32, 32) * 100).output.mean().backward()
    optimizer.step()
    return Checkpoint(
        CONFIG,
        asdict(network.dimensions),
        1,
        network.state_dict(),
        optimizer.state_dict(),
        ("a", "b", "c"),
        torch.get_rng_state(),
        {"train": {"kept": 3}},
    )
