"""The halo: what a tile must see to be painted as in the whole, and no more."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from narrow import narrow_network
from torch import Tensor, nn

from trtcolor_train import halo
from trtcolor_train.coding import LinearLab
from trtcolor_train.decoder import BinCoding, Decoder
from trtcolor_train.halo import measure_halo
from trtcolor_train.models import FAMILIES, family
from trtcolor_train.models.blocks import conv_block
from trtcolor_train.models.network import ColorNetwork, Dimensions


def prepared(name: str) -> ColorNetwork:
    """A narrow network in which every path is open: float64, no negative weight or shift."""
    torch.manual_seed(0)
    network = narrow_network(name).double().eval()
    for parameter in network.parameters():
        parameter.detach().abs_()
    return network


@torch.no_grad()
def painted(
    network: ColorNetwork, lightness: Tensor, axis: int, first: int, last: int, context: int
) -> Tensor:
    """The output for pixels first..last of the strip, from a crop with context on either side."""
    start, stop = max(first - context, 0), min(last + context, lightness.shape[axis])
    crop = lightness.narrow(axis, start, stop - start)
    width = network.dimensions.global_width
    features = torch.ones(1, width, dtype=lightness.dtype) if width else None
    output = network.paint(crop, features)
    if isinstance(network.coding, BinCoding):
        output = network.coding.smoothed(output)
    scale = network.dimensions.chroma_scale
    return output.narrow(axis, (first - start) // scale, (last - first) // scale)


def worst_tile(network: ColorNetwork, context: int, axis: int) -> float:
    """How far tiles of a long strip are from the whole, relative to its largest output."""
    step = network.dimensions.multiple
    side = 3 * step
    tiles = 2 * (context // side + 1) + 3
    shape = [1, 1, 2 * step, 2 * step]
    shape[axis] = tiles * side
    lightness = torch.rand(shape, dtype=torch.float64) * 20 + 80
    whole = painted(network, lightness, axis, 0, shape[axis], 0)
    differences = []
    for first in range(0, shape[axis], side):
        tile = painted(network, lightness, axis, first, first + side, context)
        true = whole.narrow(axis, first // network.dimensions.chroma_scale, tile.shape[axis])
        differences.append((tile - true).abs().max() / whole.abs().max())
    return float(max(differences))


@pytest.mark.parametrize("axis", [2, 3])
@pytest.mark.parametrize("name", FAMILIES)
def test_tiles_with_the_halo_around_them_are_painted_as_in_the_whole(name: str, axis: int) -> None:
    network = prepared(name)
    context = measure_halo(network)
    assert context is not None
    assert worst_tile(network, context, axis) <= 1e-14


@pytest.mark.parametrize("name", FAMILIES)
def test_one_multiple_less_is_not_enough(name: str) -> None:
    network = prepared(name)
    context = measure_halo(network)
    assert context is not None
    assert worst_tile(network, context - network.dimensions.multiple, 3) > 1e-13


def test_the_halo_of_iizuka2016_is_the_reach_of_its_layers() -> None:
    """004, Table 1: each 3x3 convolution reaches one sample of its input further.

    Low level at steps of 1, 2, 2, 4, 4, 8 pixels, mid level 8 and 8, fusion none, colourisation 8,
    4, 4, 2 and the output 2: 57 pixels.
    """
    steps = [1, 2, 2, 4, 4, 8, 8, 8, 8, 4, 4, 2, 2]
    assert sum(steps) == 57
    assert measure_halo(narrow_network("iizuka2016")) == 64


def test_smoothing_widens_the_halo_by_three_deviations() -> None:
    network = narrow_network("olah2022-cnn")
    assert isinstance(network.coding, BinCoding)
    plain = measure_halo(network)
    network.coding.decoder = Decoder(smoothing=4.0)
    smoothed = measure_halo(network)
    assert plain is not None
    assert smoothed is not None
    # 12 samples are 24 pixels, 3 multiples; the sum of both is rounded up once.
    assert 16 <= smoothed - plain <= 24


@pytest.mark.parametrize("value", [0.0, 1.0, -3.0, 1e-12])
def test_the_halo_is_that_of_the_layers_and_not_of_the_weights(value: float) -> None:
    network = narrow_network("olah2022-unet")
    expected = measure_halo(network)
    for parameter in network.parameters():
        nn.init.constant_(parameter, value)
    assert measure_halo(network) == expected
    assert all((parameter == value).all() for parameter in network.parameters())


class Plain(Dimensions):
    multiple = 2
    chroma_scale = 1


class Pointwise(ColorNetwork):
    """Each pixel by itself."""

    def __init__(self) -> None:
        super().__init__(Plain(training_size=32), LinearLab())
        self.layer = conv_block(1, 2, kernel=1)

    def paint(self, lightness: Tensor, global_features: Tensor | None = None) -> Tensor:
        output: Tensor = self.layer(lightness / 100.0)
        return output


class Wide(Pointwise):
    """Each pixel and one 11 pixels to its left."""

    def paint(self, lightness: Tensor, global_features: Tensor | None = None) -> Tensor:
        shifted = nn.functional.pad(lightness, (11, 0, 0, 0))[..., : lightness.shape[3]]
        return super().paint(lightness + shifted)


class Pooled(Pointwise):
    """Each pixel and the mean of all."""

    def paint(self, lightness: Tensor, global_features: Tensor | None = None) -> Tensor:
        output = super().paint(lightness)
        return output + output.mean(dim=(2, 3), keepdim=True)


@pytest.mark.parametrize(("build", "expected"), [(Pointwise, 2), (Wide, 12), (Pooled, None)])
def test_what_looks_at_nothing_at_one_side_only_and_at_everything(
    build: Callable[[], ColorNetwork], expected: int | None
) -> None:
    assert measure_halo(build()) == expected


def test_what_reaches_further_than_half_the_longest_strip_is_not_tileable(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(halo, "LONGEST_STRIP", 128)
    assert measure_halo(family("lee2016").build()) == 32
    assert measure_halo(family("iizuka2016-baseline").build()) is None
