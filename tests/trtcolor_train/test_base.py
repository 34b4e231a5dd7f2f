"""This project's own network: shapes, cost, and where its gradients go."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from narrow import NARROW, narrow_network
from torch.utils.flop_counter import FlopCounterMode

from trtcolor.errors import ConfigError
from trtcolor_train.models import family
from trtcolor_train.models.base import BaseNetwork, Residual
from trtcolor_train.models.network import Prediction


@pytest.fixture(scope="module")
def network() -> BaseNetwork:
    network = family("trtcolor-base").build({"classes": 100})
    assert isinstance(network, BaseNetwork)
    return network.eval()


def gflop(name: str) -> float:
    """Of the local graph at 1024x1024."""
    with torch.device("meta"):
        network = family(name).build().eval()
        features = torch.zeros(1, network.dimensions.global_width)
        with FlopCounterMode(display=False) as counter:
            network.paint(torch.zeros(1, 1, 1024, 1024), features)
    return counter.get_total_flops() / 1e9


@torch.no_grad()
def test_the_layers_have_the_shapes_of_the_docstring(network: BaseNetwork) -> None:
    lightness = torch.rand(2, 1, 128, 128) * 100
    maps = network._maps(lightness)
    assert [tuple(x.shape[1:]) for x in maps] == [
        (40, 64, 64),
        (64, 32, 32),
        (128, 16, 16),
        (256, 8, 8),
        (384, 4, 4),
    ]
    output, features, logits = network(lightness)
    assert output.shape == (2, 309, 64, 64)
    assert features.shape == (2, 256)
    assert logits.shape == (2, 100)
    assert network.decode(output, lightness).shape == (2, 2, 64, 64)


@torch.no_grad()
def test_dropout_leaves_out_channels_in_training_and_nothing_afterwards() -> None:
    network = family("trtcolor-base").build({"classes": 3, "dropout": 50})
    assert isinstance(network, BaseNetwork)
    lightness = torch.rand(8, 1, 128, 128) * 100
    coarse = network._maps(lightness)[-1]
    dropped = (coarse == 0).flatten(2).all(dim=2).float().mean().item()
    assert dropped > 0.4
    network.eval()
    assert torch.equal(network._maps(lightness)[-1], network._maps(lightness)[-1])
    assert (network._maps(lightness)[-1] == 0).flatten(2).all(dim=2).float().mean() < 0.1
    with pytest.raises(ConfigError, match="0 to 99 percent were needed"):
        family("trtcolor-base").build({"dropout": 100})


@torch.no_grad()
def test_any_multiple_of_32_is_taken(network: BaseNetwork) -> None:
    lightness = torch.rand(1, 1, 32, 96) * 100
    features, _ = network.describe(torch.rand(1, 1, 128, 128) * 100)
    assert network.dimensions.multiple == 32
    assert network.paint(lightness, features).shape == (1, 309, 16, 48)


def test_a_megapixel_costs_a_third_of_iizuka2016_and_the_weights_fit_15_mb(
    network: BaseNetwork,
) -> None:
    assert gflop("trtcolor-base") == pytest.approx(100, abs=0.5)
    assert gflop("iizuka2016") == pytest.approx(307, abs=0.5)
    assert sum(p.numel() for p in network.parameters()) * 2 < 14.8e6  # as float16


def test_the_global_vector_reaches_every_sample() -> None:
    network = narrow_network("trtcolor-base").eval()
    lightness = torch.rand(1, 1, 64, 64) * 100
    features = torch.rand(1, network.dimensions.global_width)
    with torch.no_grad():
        change = network.paint(lightness, features) - network.paint(lightness, features + 1)
    assert (change.abs().amax(dim=1) > 0).all()


def test_both_losses_reach_the_encoder_and_only_colours_the_decoder() -> None:
    network = narrow_network("trtcolor-base")

    def touched(loss: Callable[[Prediction], torch.Tensor | None]) -> set[str]:
        network.zero_grad(set_to_none=True)
        value = loss(network(torch.rand(4, 1, 32, 32) * 100))
        assert value is not None
        value.sum().backward()
        return {name.split(".")[0] for name, p in network.named_parameters() if p.grad is not None}

    scenes, colours = touched(lambda p: p.class_logits), touched(lambda p: p.output)
    assert scenes == {"encoder", "hidden", "classifier"}
    assert colours == {"encoder", "hidden", "vector", "fusion", "decoder", "output"}


def test_a_residual_layer_passes_what_its_convolution_leaves() -> None:
    layer = Residual(3).eval()
    torch.nn.init.zeros_(layer.block.layer.weight)  # type: ignore[arg-type]
    x = torch.rand(1, 3, 5, 5)
    assert torch.equal(layer(x), x)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"decoder": [0, 0, 0]}, "fewer stages were needed"),
        ({"encoder": [[0, 1], [8, 1], [8, 1]]}, "positive widths were needed"),
        ({"training_size": 20}, "a multiple of 8 was needed"),
    ],
)
def test_dimensions_that_cannot_be_are_refused(changes: dict[str, object], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        family("trtcolor-base").build(NARROW["trtcolor-base"] | changes)
