"""Folding: the arithmetic, then whole networks with statistics away from their initial values."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from trtcolor_train.fold import fold, fold_arrays
from trtcolor_train.models import FAMILIES, family
from trtcolor_train.models.iizuka import JointNetwork

SMALL = {
    "lee2016": {"classes": 7},
    "iizuka2016": {
        "classes": 7,
        "training_size": 64,
        "low": [[8, 2], [8, 1], [16, 2], [16, 1], [16, 2], [24, 1]],
        "mid": [16, 8],
        "global_convolutions": [[16, 2], [16, 1], [16, 2], [16, 1]],
        "global_layers": [32, 16, 8],
    },
    "iizuka2016-baseline": {},
}


def trained_looking(name: str) -> JointNetwork:
    """A network whose batch norms have statistics and scales far from 0 and 1."""
    torch.manual_seed(3)
    network = family(name).build(SMALL[name]).eval()
    for module in network.modules():
        if isinstance(module, nn.BatchNorm1d | nn.BatchNorm2d):
            assert module.running_mean is not None
            assert module.running_var is not None
            module.running_mean.normal_(0, 0.5)
            module.running_var.uniform_(0.2, 3)
            nn.init.uniform_(module.weight, 0.5, 1.5)
            nn.init.normal_(module.bias, 0, 0.3)
    return network


def test_one_channel_folds_as_by_hand() -> None:
    one = torch.ones(1)
    weight, bias = fold_arrays(
        2 * one[None], 3 * one, mean=one, variance=4 * one, scale=6 * one, shift=5 * one, epsilon=0
    )
    assert weight.item() == 2 * 6 / 2
    assert bias.item() == (3 - 1) * 6 / 2 + 5


@pytest.mark.parametrize("name", FAMILIES)
@torch.no_grad()
def test_a_folded_network_gives_the_same_outputs(name: str) -> None:
    network = trained_looking(name)
    side = network.dimensions.training_size
    lightness = torch.rand(2, 1, side, side) * 100
    for found, true in zip(fold(network)(lightness), network(lightness), strict=True):
        if true is not None:
            assert (found - true).abs().max() <= 1e-5 * true.abs().max()


@pytest.mark.parametrize("name", FAMILIES)
def test_no_batch_norm_is_left_and_the_original_is_not_touched(name: str) -> None:
    network = trained_looking(name)
    before = {key: value.clone() for key, value in network.state_dict().items()}
    kinds = {type(module) for module in fold(network).modules()}
    assert not kinds & {nn.BatchNorm1d, nn.BatchNorm2d}
    for key, value in network.state_dict().items():
        assert torch.equal(value, before[key])
