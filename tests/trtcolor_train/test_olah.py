"""The networks of 003, and ResNet-18's weights as torchvision has them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.nn import functional as F

from trtcolor.errors import ConfigError
from trtcolor_train.models import family
from trtcolor_train.models.blocks import Block
from trtcolor_train.models.encoders import BasicBlock
from trtcolor_train.models.network import ColorNetwork
from trtcolor_train.models.olah import (
    OLAH2022_CNN,
    OLAH2022_REGRESSION,
    OLAH2022_UNET,
    CnnNetwork,
    ConvolutionPair,
    RegressionNetwork,
    UnetNetwork,
)


def regression() -> RegressionNetwork:
    torch.manual_seed(0)
    narrow = replace(OLAH2022_REGRESSION, encoder=(8, 16), decoder=(16, 0, 8, 8, 0, 4, 0))
    return RegressionNetwork(narrow)


def cnn() -> CnnNetwork:
    torch.manual_seed(0)
    encoder = ((4, 2), (8, 2), (16, 2), (32, 1))
    return CnnNetwork(replace(OLAH2022_CNN, encoder=encoder, decoder=(16, 8), bins=12))


def unet() -> UnetNetwork:
    torch.manual_seed(0)
    encoder = ((4, 1), (8, 2), (16, 2), (32, 2), (32, 1))
    return UnetNetwork(replace(OLAH2022_UNET, encoder=encoder, decoder=(16, 8, 4), bins=12))


BUILDERS = (regression, cnn, unet)


def resnet18(width: int = 64, outputs: int = 128) -> dict[str, Tensor]:
    """A state dict of torchvision's ``resnet18``; ``width``, ``outputs``: of layer1 and layer2."""
    torch.manual_seed(1)
    weights: dict[str, Tensor] = {}

    def add(conv: str, norm: str, o: int, i: int, kernel: int) -> None:
        weights[f"{conv}.weight"] = torch.randn(o, i, kernel, kernel) / (i * kernel**2) ** 0.5
        weights[f"{norm}.weight"] = torch.rand(o) + 0.5
        weights[f"{norm}.bias"] = torch.randn(o) * 0.1
        weights[f"{norm}.running_mean"] = torch.randn(o) * 0.1
        weights[f"{norm}.running_var"] = torch.rand(o) + 0.5
        weights[f"{norm}.num_batches_tracked"] = torch.tensor(7)

    add("conv1", "bn1", width, 3, 7)
    inputs = width
    for layer, size in enumerate((width, outputs, 256, 512), start=1):
        for block in range(2):
            name = f"layer{layer}.{block}"
            add(f"{name}.conv1", f"{name}.bn1", size, inputs, 3)
            add(f"{name}.conv2", f"{name}.bn2", size, size, 3)
            if layer > 1 and block == 0:
                add(f"{name}.downsample.0", f"{name}.downsample.1", size, inputs, 1)
            inputs = size
    weights |= {"fc.weight": torch.zeros(1000, 512), "fc.bias": torch.zeros(1000)}
    return weights


def shapes(network: ColorNetwork, *kinds: type[nn.Module]) -> list[tuple[int, ...]]:
    """Output shapes (without N) of these kinds of modules at 64x64, in the order of the pass."""
    found: list[tuple[int, ...]] = []
    for module in network.modules():
        if isinstance(module, kinds):
            module.register_forward_hook(lambda _m, _i, y: found.append(tuple(y.shape[1:])))
    with torch.no_grad():
        output = network.eval()(torch.rand(1, 1, 64, 64) * 100).output
    return [*found, tuple(output.shape[1:])]


def test_the_regression_is_resnet18_up_to_layer2_and_five_convolutions() -> None:
    network = RegressionNetwork(OLAH2022_REGRESSION)
    assert shapes(network.eval(), Block, nn.MaxPool2d) == [
        (64, 32, 32),  # conv1
        (64, 16, 16),  # max pool
        *[(64, 16, 16)] * 4,  # layer1
        *[(128, 8, 8)] * 5,  # layer2, one of them the 1x1 convolution of the shortcut
        (128, 8, 8),
        *[(64, 16, 16)] * 2,
        (32, 32, 32),
        (2, 64, 64),
    ]
    convolutions = [module for module in network.decoder if not isinstance(module, nn.Upsample)]
    assert len(convolutions) == 5
    assert isinstance(network.decoder[-1], nn.Conv2d)


def test_the_cnn_has_six_blocks_and_scores_at_half_size() -> None:
    assert shapes(CnnNetwork(OLAH2022_CNN), ConvolutionPair) == [
        (64, 32, 32),
        (128, 16, 16),
        (256, 8, 8),
        (512, 8, 8),
        (256, 16, 16),
        (128, 32, 32),
        (309, 32, 32),
    ]


def test_the_unet_has_eight_blocks_and_scores_at_full_size() -> None:
    assert shapes(UnetNetwork(OLAH2022_UNET), ConvolutionPair) == [
        (64, 64, 64),
        (128, 32, 32),
        (256, 16, 16),
        (512, 8, 8),
        (512, 8, 8),
        (256, 16, 16),
        (128, 32, 32),
        (64, 64, 64),
        (309, 64, 64),
    ]
    # Blocks 3, 2 and 1 are added to blocks 6, 7 and 8 (003, 3.4).
    assert OLAH2022_UNET.skip_sources == (2, 1, 0)


@pytest.fixture(scope="module")
def networks() -> tuple[ColorNetwork, ...]:
    return tuple(build().eval() for build in BUILDERS)


@settings(max_examples=10, deadline=None)
@given(rows=st.integers(1, 6), columns=st.integers(1, 6), count=st.integers(1, 2))
def test_any_multiple_of_8_is_taken(
    networks: tuple[ColorNetwork, ...], rows: int, columns: int, count: int
) -> None:
    lightness = torch.rand(count, 1, 8 * rows, 8 * columns) * 100
    for network, channels, scale in zip(networks, (2, 12, 12), (1, 2, 1), strict=True):
        output = network(lightness).output
        size = (8 * rows // scale, 8 * columns // scale)
        assert output.shape == (count, channels, *size)
        assert network.decode(output, lightness).shape == (count, 2, *size)


@pytest.mark.parametrize("build", BUILDERS)
def test_the_first_convolution_sees_lightness_over_100(build: Callable[[], ColorNetwork]) -> None:
    network = build().eval()
    seen: list[Tensor] = []
    first = next(module for module in network.modules() if isinstance(module, nn.Conv2d))
    first.register_forward_pre_hook(lambda _m, inputs: seen.append(inputs[0]))
    network.paint(torch.tensor([0.0, 50.0, 100.0])[:, None, None, None].expand(3, 1, 8, 16))
    assert torch.equal(seen[0][:, 0, 0, 0], torch.tensor([0.0, 0.5, 1.0]))


def test_with_resnet18s_weights_the_encoder_is_resnet18() -> None:
    """On grey in all three channels, with the file's own statistics."""
    network = regression().eval()
    weights = resnet18(8, 16)
    network.load_encoder(weights, source="resnet18.pth")
    grey = torch.rand(2, 1, 48, 80)

    def layer(x: Tensor, conv: str, norm: str, stride: int = 1) -> Tensor:
        kernel = weights[f"{conv}.weight"]
        x = F.conv2d(x, kernel, stride=stride, padding=kernel.shape[-1] // 2)
        mean, variance = weights[f"{norm}.running_mean"], weights[f"{norm}.running_var"]
        return F.batch_norm(x, mean, variance, weights[f"{norm}.weight"], weights[f"{norm}.bias"])

    x = F.max_pool2d(layer(grey.repeat(1, 3, 1, 1), "conv1", "bn1", 2).relu(), 3, 2, 1)
    for name, stride in (("1.0", 1), ("1.1", 1), ("2.0", 2), ("2.1", 1)):
        block = f"layer{name}"
        y = layer(x, f"{block}.conv1", f"{block}.bn1", stride).relu()
        y = layer(y, f"{block}.conv2", f"{block}.bn2")
        if stride == 2:
            x = layer(x, f"{block}.downsample.0", f"{block}.downsample.1", 2)
        x = (x + y).relu()
    torch.testing.assert_close(network.encoder(grey), x, rtol=1e-4, atol=1e-4)
    assert all(parameter.requires_grad for parameter in network.parameters())


def test_a_file_without_counters_and_later_layers_fits_the_papers_network() -> None:
    weights = {
        name: tensor
        for name, tensor in resnet18().items()
        if not name.startswith(("layer3", "layer4", "fc")) and "num_batches" not in name
    }
    network = RegressionNetwork(OLAH2022_REGRESSION)
    network.load_encoder(weights, source="resnet18.pth")
    conv1 = network.encoder.conv1.layer.weight
    torch.testing.assert_close(conv1[:, 0], weights["conv1.weight"].sum(dim=1))


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("conv1.weight", None, "resnet.pth has no tensor 'conv1.weight'"),
        ("layer2.0.downsample.1.running_var", None, "'layer2.0.downsample.1.running_var'"),
        ("bn1.bias", [0.0] * 8, "no tensor 'bn1.bias'"),
        (
            "conv1.weight",
            torch.zeros(8, 1, 7, 7),
            r"'conv1.weight' as float32 \(8, 1, 7, 7\); float32 \(8, 3, 7, 7\) was needed",
        ),
        ("layer2.1.conv2.weight", torch.zeros(16, 8, 3, 3), r"float32 \(16, 16, 3, 3\)"),
        ("layer1.0.bn1.weight", torch.zeros(8, dtype=torch.int8), "'layer1.0.bn1.weight' as int8"),
    ],
)
def test_other_weights_are_refused_and_change_nothing(name: str, value: Any, said: str) -> None:
    network = regression()
    before = {key: tensor.clone() for key, tensor in network.state_dict().items()}
    weights = resnet18(8, 16)
    if value is None:
        del weights[name]
    else:
        weights[name] = value
    with pytest.raises(ConfigError, match=said):
        network.load_encoder(weights, source="resnet.pth")
    for key, tensor in network.state_dict().items():
        assert torch.equal(tensor, before[key])


@pytest.mark.parametrize("build", [cnn, unet])
def test_the_classifiers_have_no_imagenet_encoder(build: Callable[[], ColorNetwork]) -> None:
    with pytest.raises(ConfigError, match="family has none"):
        build().load_encoder(resnet18(8, 16), source="resnet.pth")


def test_the_norm_of_a_block_comes_after_its_last_relu() -> None:
    """003, Figure 1: two convolutions, each with its ReLU, then one batch norm."""
    torch.manual_seed(0)
    block = ConvolutionPair(3, 5, 2)
    x, skip = torch.randn(4, 3, 8, 12), torch.randn(4, 5, 8, 12)
    first, second = block.first.layer, block.second.layer
    for added in (None, skip):
        y = F.conv2d(x, first.weight, first.bias, padding=1)
        y = (y if added is None else y + added).relu()
        y = F.conv2d(y, second.weight, second.bias, stride=2, padding=1).relu()
        expected = (y - y.mean((0, 2, 3), keepdim=True)) / torch.sqrt(
            y.var((0, 2, 3), correction=0, keepdim=True) + 1e-5
        )
        torch.testing.assert_close(block.train()(x, added), expected, rtol=1e-4, atol=1e-4)


def test_a_basic_block_adds_its_input_before_the_last_relu() -> None:
    torch.manual_seed(0)
    block = BasicBlock(4, 4).eval()
    x = torch.randn(1, 4, 8, 8)
    nn.init.zeros_(block.conv2.layer.weight)
    torch.testing.assert_close(block(x), x.relu())


@pytest.mark.parametrize("level", range(3))
def test_every_skip_of_the_unet_counts(level: int) -> None:
    network = unet().eval()
    lightness = torch.rand(1, 1, 24, 40) * 100
    before = network.paint(lightness)
    network.decoder[level].register_forward_pre_hook(lambda _m, inputs: (inputs[0], 0 * inputs[1]))
    assert not torch.allclose(network.paint(lightness), before)


def test_the_skips_are_the_outputs_of_blocks_3_2_and_1() -> None:
    network = unet().eval()
    outputs: list[Tensor] = []
    skips: list[Tensor] = []
    for block in network.encoder:
        block.register_forward_hook(lambda _m, _i, output: outputs.append(output))
    for block in network.decoder:
        block.register_forward_pre_hook(lambda _m, inputs: skips.append(inputs[1]))
    network.paint(torch.rand(1, 1, 24, 40) * 100)
    for skip, output in zip(skips, (outputs[2], outputs[1], outputs[0]), strict=True):
        assert torch.equal(skip, output)


@pytest.mark.parametrize("build", BUILDERS)
def test_the_gradient_reaches_every_parameter(build: Callable[[], ColorNetwork]) -> None:
    network = build().double().train()
    output = network(torch.rand(2, 1, 32, 48, dtype=torch.float64) * 100).output
    (output * torch.randn_like(output)).sum().backward()
    for name, parameter in network.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.abs().max() > 1e-9, name


@pytest.mark.parametrize(
    ("name", "overrides", "said"),
    [
        ("olah2022-regression", {"training_size": 60}, "multiple of 8"),
        ("olah2022-regression", {"encoder": [64]}, "a list of 2 entries"),
        ("olah2022-regression", {"encoder": [64, 0]}, "widths of layer1 and layer2"),
        ("olah2022-regression", {"decoder": [8, 0, 0, 0, 0]}, "at most three upsamples"),
        ("olah2022-regression", {"decoder": [8, -8]}, "an integer from 0"),
        ("olah2022-cnn", {"encoder": [[8, 2], [8, 3]], "training_size": 60}, "stride of 1 or 2"),
        ("olah2022-cnn", {"encoder": []}, "stride of 1 or 2"),
        ("olah2022-cnn", {"encoder": [8, 2]}, r"encoder\[0\] is 8; a list"),
        ("olah2022-cnn", {"decoder": [8, 8, 8, 8]}, "at most as many"),
        ("olah2022-cnn", {"decoder": [0, 8]}, "positive widths"),
        ("olah2022-cnn", {"bins": 3}, "3 bins"),
        ("olah2022-unet", {"decoder": [256, 128, 32]}, r"\(256, 128, 64\) was needed"),
        ("olah2022-unet", {"encoder": [[64, 2], [8, 2], [8, 2]]}, "first block of stride 1"),
    ],
)
def test_impossible_dimensions_are_refused(
    name: str, overrides: dict[str, object], said: str
) -> None:
    with pytest.raises(ConfigError, match=said):
        family(name).build(overrides)


def test_fewer_blocks_up_give_coarser_scores() -> None:
    network = family("olah2022-unet").build(
        {"encoder": [[4, 2], [8, 2], [8, 1]], "decoder": [4], "bins": 12}
    )
    assert (network.dimensions.multiple, network.dimensions.chroma_scale) == (4, 2)
    assert network.eval()(torch.rand(1, 1, 12, 20)).output.shape == (1, 12, 6, 10)
