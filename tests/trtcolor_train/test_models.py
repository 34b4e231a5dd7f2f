"""The networks against the papers' tables and equations."""

from __future__ import annotations

import pytest
import torch
from narrow import narrow_network
from torch import nn
from torch.nn import functional as F

from trtcolor.errors import ConfigError
from trtcolor_train.config import Loss
from trtcolor_train.decoder import BinCoding
from trtcolor_train.models import FAMILIES, family
from trtcolor_train.models.blocks import Block
from trtcolor_train.models.iizuka import Fusion, JointNetwork
from trtcolor_train.models.network import ColorNetwork


def shapes_of_layers(network: ColorNetwork, side: int) -> dict[str, list[tuple[int, ...]]]:
    """Output shape (without N) of every block, upsample and output layer, by part."""
    assert isinstance(network, JointNetwork)
    found: dict[str, list[tuple[int, ...]]] = {}
    for name, module in network.named_modules():
        part, _, _ = name.partition(".")
        if isinstance(module, Block | Fusion | nn.Upsample) or name in OUTPUTS(network):
            found.setdefault(part, [])
            module.register_forward_hook(
                lambda _m, _i, output, part=part: found[part].append(tuple(output.shape[1:]))
            )
    network.eval()(torch.rand(1, 1, side, side) * 100)
    return found


def OUTPUTS(network: JointNetwork) -> set[str]:
    last = len(network.colorization) - 1
    return {f"colorization.{last}", "classifier.1"}


def test_iizuka2016_has_the_layers_of_table_1() -> None:
    shapes = shapes_of_layers(family("iizuka2016").build(), 224)
    assert shapes["low"] == [
        (64, 112, 112),
        (128, 112, 112),
        (128, 56, 56),
        (256, 56, 56),
        (256, 28, 28),
        (512, 28, 28),
    ]
    assert shapes["global_convolutions"] == [
        (512, 14, 14),
        (512, 14, 14),
        (512, 7, 7),
        (512, 7, 7),
    ]
    assert shapes["global_layers"] == [(1024,), (512,), (256,)]
    assert shapes["mid"] == [(512, 28, 28), (256, 28, 28)]
    assert shapes["fusion"] == [(256, 28, 28)]
    assert shapes["colorization"] == [
        (128, 28, 28),
        (128, 56, 56),
        (64, 56, 56),
        (64, 56, 56),
        (64, 112, 112),
        (32, 112, 112),
        (2, 112, 112),
    ]
    assert shapes["classifier"] == [(256,), (205,)]


def test_lee2016_has_the_layers_of_tables_i_to_v() -> None:
    shapes = shapes_of_layers(family("lee2016").build(), 128)
    assert shapes["low"] == [(64, 64, 64), (128, 64, 64), (128, 32, 32), (256, 32, 32)]
    assert shapes["mid"] == [(256, 32, 32), (128, 32, 32)]
    assert shapes["global_convolutions"] == [
        (256, 16, 16),
        (256, 16, 16),
        (256, 8, 8),
        (256, 8, 8),
    ]
    assert shapes["global_layers"] == [(512,), (256,), (128,)]
    assert shapes["fusion"] == [(256, 32, 32)]
    assert shapes["colorization"] == [
        (128, 32, 32),
        (64, 32, 32),
        (64, 64, 64),
        (32, 64, 64),
        (2, 64, 64),
    ]
    assert shapes["classifier"] == [(256,), (205,)]


def test_the_baseline_has_a_convolution_for_the_fusion_and_no_global_network() -> None:
    network = family("iizuka2016-baseline").build().eval()
    prediction = network(torch.rand(1, 1, 64, 40) * 100)
    assert prediction.output.shape == (1, 2, 32, 20)
    assert prediction.global_features is None
    assert prediction.class_logits is None
    assert isinstance(network.fusion, Block)
    assert network.fusion.layer.weight.shape == (256, 256, 3, 3)


@pytest.mark.parametrize("name", FAMILIES)
@torch.no_grad()
def test_every_family_gives_finite_chroma_on_its_grid_at_any_multiple(name: str) -> None:
    network = narrow_network(name).eval()
    d = network.dimensions
    height, width = 3 * d.multiple, 7 * d.multiple
    features = torch.rand(2, d.global_width) if d.global_width else None
    for level in (0.0, 100.0):
        lightness = torch.full((2, 1, height, width), level)
        lightness[0, 0, : height // 2] = 100.0 - level
        chroma = network.decode(network.paint(lightness, features), lightness)
        assert chroma.shape == (2, 2, height // d.chroma_scale, width // d.chroma_scale)
        assert chroma.isfinite().all()


@pytest.mark.parametrize("space", ["lab", "yuv", "rgb"])
@torch.no_grad()
def test_a_sigmoid_network_states_colours_within_its_space(space: str) -> None:
    network = family("iizuka2016-baseline").build({"color_space": space}).eval()
    lightness = torch.rand(1, 1, 64, 64) * 100
    output = network(lightness).output
    chroma = network.decode(output, lightness)
    assert output.shape[1] == (3 if space == "rgb" else 2)
    assert chroma.abs().max() <= 110
    assert chroma.std() > 0


@pytest.mark.parametrize("name", FAMILIES)
def test_training_moves_every_family_towards_its_target(name: str) -> None:
    torch.manual_seed(0)
    network = narrow_network(name)
    d = network.dimensions
    lab = torch.rand(4, 3, d.training_size, d.training_size) * 60 - 20
    lab[:, :1] = torch.rand(4, 1, d.training_size, d.training_size) * 60 + 20
    target = network.coding.target(lab, d.chroma_scale)
    settings = Loss("cross_entropy" if isinstance(network.coding, BinCoding) else "mse")
    optimizer = torch.optim.Adam(network.parameters(), lr=3e-3)
    losses = []
    for _ in range(12):
        loss = network.coding.loss(network(lab[:, :1]).output, target, settings)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < 0.95 * losses[0]


def test_fusion_equals_the_papers_product_with_the_concatenated_vector() -> None:
    torch.manual_seed(0)
    fusion = Fusion(3, 5, 7).eval()
    mid, features = torch.randn(2, 5, 4, 6), torch.randn(2, 3)
    joined = torch.cat([features[:, :, None, None].expand(-1, -1, 4, 6), mid], 1)
    expected = F.conv2d(joined, fusion.layer.weight[:, :, None, None])
    assert fusion.norm is not None
    expected = torch.relu(fusion.norm(expected))
    torch.testing.assert_close(fusion(mid, features), expected)


@pytest.mark.parametrize("name", ["iizuka2016", "lee2016"])
def test_the_classification_loss_reaches_only_classifier_global_and_low_level(name: str) -> None:
    """004, 3.3: not the mid-level and colourisation networks, nor the last global layer."""
    network = narrow_network(name)
    side = network.dimensions.training_size
    logits = network(torch.rand(2, 1, side, side) * 100).class_logits
    F.cross_entropy(logits, torch.tensor([1, 3])).backward()
    reached = {
        name for name, p in network.named_parameters() if p.grad is not None and p.grad.any()
    }
    untouched = {name for name, _ in network.named_parameters()} - reached
    assert {name.split(".")[0] for name in reached} == {
        "low",
        "global_convolutions",
        "global_layers",
        "classifier",
    }
    assert {name for name in untouched if name.startswith("global_layers")} == {
        "global_layers.2.layer.weight",
        "global_layers.2.norm.weight",
        "global_layers.2.norm.bias",
    }
    assert {name.split(".")[0] for name in untouched} == {
        "mid",
        "fusion",
        "colorization",
        "global_layers",
    }


@pytest.mark.parametrize(
    ("overrides", "said"),
    [
        ({"width": 3}, "unknown dimensions width"),
        ({"training_size": 100}, "multiple of the network's total stride 16"),
        ({"training_size": 98}, "a multiple of 4"),
        ({"color_space": "hsv"}, "one of lab, yuv, rgb"),
        ({"global_layers": [16]}, "at least two"),
        ({"colorization": [8, 0, 0, 0, 8]}, "upsamples"),
        ({"low": 7}, "low is 7; a list"),
        ({"low": ((64, 0),)}, "cannot be read"),
        ({"training_size": 0}, "training size 0"),
        ({"mid": (-1, 256)}, "an integer from 0"),
        ({"mid": "abc"}, "mid is 'abc'; a list"),
    ],
)
def test_impossible_dimensions_are_refused(overrides: dict[str, object], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        family("lee2016").build(overrides)


def test_an_unknown_family_is_refused_with_the_known_ones() -> None:
    with pytest.raises(ConfigError, match="iizuka2016"):
        family("zhang2016")
