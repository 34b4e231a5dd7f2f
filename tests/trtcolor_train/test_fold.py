"""Folding: the arithmetic, then whole networks with statistics away from their initial values."""

from __future__ import annotations

import pytest
import torch
from narrow import narrow_network
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm

from trtcolor_train.fold import fold, fold_arrays
from trtcolor_train.models import FAMILIES
from trtcolor_train.models.blocks import ChannelAffine
from trtcolor_train.models.network import ColorNetwork


def trained_looking(name: str) -> ColorNetwork:
    """A network whose batch norms have statistics and scales far from 0 and 1."""
    torch.manual_seed(3)
    network = narrow_network(name).eval()
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
    network = trained_looking(name).double()
    side = network.dimensions.training_size
    lightness = torch.rand(2, 1, side, side, dtype=torch.float64) * 100
    for found, true in zip(fold(network)(lightness), network(lightness), strict=True):
        if true is not None:
            assert (found - true).abs().max() <= 1e-12 * true.abs().max()
            assert true.std() > 0


@pytest.mark.parametrize("name", FAMILIES)
def test_no_batch_norm_is_left_and_the_original_is_not_touched(name: str) -> None:
    network = trained_looking(name)
    before = {key: value.clone() for key, value in network.state_dict().items()}
    folded = fold(network)
    assert not any(isinstance(module, _BatchNorm) for module in folded.modules())
    assert not folded.training
    for key, value in network.state_dict().items():
        assert torch.equal(value, before[key])


@torch.no_grad()
def test_a_norm_behind_a_relu_folds_to_a_multiply_add_that_is_right_at_the_border() -> None:
    """Folded forward into the zero-padded convolution after it, it would be wrong there."""
    torch.manual_seed(0)
    network = nn.Sequential(nn.ReLU(), nn.BatchNorm2d(3), nn.Conv2d(3, 2, 3, padding=1)).eval()
    norm = network[1]
    assert isinstance(norm, nn.BatchNorm2d)
    nn.init.normal_(norm.bias, 5.0)
    x = torch.randn(1, 3, 4, 4)
    folded = fold(network)
    assert isinstance(folded[1], ChannelAffine)
    torch.testing.assert_close(folded(x), network(x))


@torch.no_grad()
def test_a_norm_of_vectors_by_itself_folds_too() -> None:
    network = nn.Sequential(nn.ReLU(), nn.BatchNorm1d(3)).eval()
    norm = network[1]
    assert isinstance(norm, nn.BatchNorm1d)
    nn.init.normal_(norm.bias, 5.0)
    x = torch.randn(2, 3)
    torch.testing.assert_close(fold(network)(x), network(x))


def test_folding_a_fresh_network_gives_the_structure_that_folded_weights_load_into() -> None:
    network = trained_looking("iizuka2016")
    again = fold(narrow_network("iizuka2016"))
    again.load_state_dict(fold(network).state_dict())
    lightness = torch.rand(1, 1, network.dimensions.training_size, 64) * 100
    with torch.no_grad():
        torch.testing.assert_close(again(lightness).output, fold(network)(lightness).output)
