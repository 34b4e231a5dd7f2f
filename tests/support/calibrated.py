"""Networks as training leaves them, without a training's time, and checkpoints of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch
from narrow import NARROW
from numpy.typing import NDArray
from torch import nn

from trtcolor import color
from trtcolor.resize import resize_plane
from trtcolor_train.bins import AbBins
from trtcolor_train.checkpoint import Checkpoint, save_checkpoint
from trtcolor_train.config import Data, Loss, Network, Training, TrainingConfig
from trtcolor_train.decoder import BinCoding
from trtcolor_train.models import family
from trtcolor_train.models.network import ColorNetwork

STEPS = 12


def calibrated_network(
    name: str,
    photos: list[NDArray[np.uint8]],
    overrides: Mapping[str, Any] | None = None,
    bins: NDArray[np.float32] | None = None,
) -> ColorNetwork:
    """A narrow network after a few steps on real pictures, in evaluation mode.

    Its batch norms' scales and shifts start away from 1 and 0, its statistics are those of the
    pictures, and its colours lie where colours do.

    Args:
        name: the family.
        photos: (H, W, 3) RGB.
        overrides: dimensions that differ from the narrow ones.
        bins: (Q, 2) a*b* in the place of the family's own.
    """
    torch.manual_seed(0)
    network = family(name).build({**NARROW[name], **(overrides or {})})
    coding, d = network.coding, network.dimensions
    if bins is not None:
        assert isinstance(coding, AbBins)
        coding.set_centres(bins)
    for module in network.modules():
        if isinstance(module, nn.BatchNorm1d | nn.BatchNorm2d):
            nn.init.uniform_(module.weight, 0.5, 1.5)
            nn.init.normal_(module.bias, 0, 0.3)
    size = (d.training_size, d.training_size)
    planes = [color.lab_from_rgb(photo).transpose(2, 0, 1) for photo in photos]
    lab = torch.from_numpy(
        np.stack([[resize_plane(np.ascontiguousarray(p), size) for p in lab] for lab in planes])
    )
    lab = torch.cat([lab, lab.flip(3)])
    target = coding.target(lab, d.chroma_scale)
    settings = Loss("cross_entropy" if isinstance(coding, BinCoding) else "mse")
    optimizer = torch.optim.Adam(network.parameters(), lr=3e-3)
    for _ in range(STEPS):
        loss = coding.loss(network(lab[:, :1]).output, target, settings)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return network.eval()


def saved(network: ColorNetwork, name: str, path: Path, *, rebalance: bool = False) -> Path:
    """Write a network as a checkpoint of its family, trained with a rebalanced loss or not."""
    d = network.dimensions
    loss = Loss(rebalance=rebalance)
    config = TrainingConfig(name, Network(name), Data("", ""), Training(steps=STEPS), loss)
    classes = tuple(f"class {i}" for i in range(d.classes))
    save_checkpoint(
        path,
        Checkpoint(
            config, asdict(d), STEPS, network.state_dict(), {}, classes, torch.get_rng_state(), {}
        ),
    )
    return path
