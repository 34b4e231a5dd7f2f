"""The residual encoder networks against 001, and VGG16's weights as torchvision has them."""

from __future__ import annotations

import math
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
from trtcolor_train.models.hwang import (
    HWANG2016_CLASSIFICATION,
    HWANG2016_REGRESSION,
    ClassificationNetwork,
    RegressionNetwork,
)
from trtcolor_train.models.network import ColorNetwork

NARROW = ((4, 4), (8, 8), (16, 16, 16), (32, 32, 32), (32, 32, 32))  # VGG16 / 16
# (outputs, inputs) of vgg16's ``features`` by index; ReLU and pooling are numbered too.
CONVOLUTIONS = {
    **{0: (64, 3), 2: (64, 64), 5: (128, 64), 7: (128, 128), 10: (256, 128), 12: (256, 256)},
    **{14: (256, 256), 17: (512, 256), 19: (512, 512), 21: (512, 512), 24: (512, 512)},
    **{26: (512, 512), 28: (512, 512)},
}
POOLINGS = (4, 9, 16, 23)


def regression() -> RegressionNetwork:
    torch.manual_seed(0)
    return RegressionNetwork(replace(HWANG2016_REGRESSION, encoder=NARROW))


def classification() -> ClassificationNetwork:
    torch.manual_seed(0)
    narrow = replace(HWANG2016_CLASSIFICATION, encoder=NARROW, head=(8, 8, 8))
    return ClassificationNetwork(narrow)


def vgg16(divisor: int = 1) -> dict[str, Tensor]:
    """A state dict of torchvision's ``vgg16``, all widths but the three colours divided."""
    torch.manual_seed(1)
    weights: dict[str, Tensor] = {}
    for index, (outputs, inputs) in CONVOLUTIONS.items():
        shape = (outputs // divisor, inputs if inputs == 3 else inputs // divisor, 3, 3)
        deviation = math.sqrt(2 / math.prod(shape[1:]))
        weights[f"features.{index}.weight"] = torch.randn(shape) * deviation
        weights[f"features.{index}.bias"] = torch.randn(shape[0]) * 0.1
    for index, (outputs, inputs) in {0: (4096, 25088), 3: (4096, 4096), 6: (1000, 4096)}.items():
        weights[f"classifier.{index}.weight"] = torch.zeros(1).expand(outputs, inputs)
        weights[f"classifier.{index}.bias"] = torch.zeros(1).expand(outputs)
    return weights


def shapes_of_convolutions(network: nn.Module, side: int) -> dict[str, list[tuple[int, ...]]]:
    """Output shape (without N) of every convolution, by part, in the order of the pass."""
    found: dict[str, list[tuple[int, ...]]] = {}
    for name, module in network.named_modules():
        if isinstance(module, nn.Conv2d):
            shapes = found.setdefault(name.partition(".")[0], [])
            module.register_forward_hook(
                lambda _m, _i, output, shapes=shapes: shapes.append(tuple(output.shape[1:]))
            )
    with torch.no_grad():
        network.eval()(torch.rand(1, 1, side, side) * 100)
    return found


VGG16_AT_224 = [
    *[(64, 224, 224)] * 2,
    *[(128, 112, 112)] * 2,
    *[(256, 56, 56)] * 3,
    *[(512, 28, 28)] * 3,
    *[(512, 14, 14)] * 3,
]


def test_the_regression_takes_vgg16s_file_and_has_the_papers_sizes() -> None:
    network = RegressionNetwork(HWANG2016_REGRESSION)
    weights = vgg16()
    network.load_encoder(weights, source="vgg16.pth")
    loaded = [block.layer for stage in network.encoder.stages for block in stage]
    for layer, index in zip(loaded, CONVOLUTIONS, strict=True):
        assert torch.equal(layer.weight, weights[f"features.{index}.weight"])
        assert torch.equal(layer.bias, weights[f"features.{index}.bias"])
        assert layer.weight.requires_grad
    assert shapes_of_convolutions(network, 224) == {
        "encoder": VGG16_AT_224,
        "decoder": [(256, 28, 28), (128, 56, 56), (64, 112, 112)],
        "full_size": [(64, 224, 224)],
        "output": [(2, 224, 224)],
    }


def test_the_classification_has_the_papers_sizes() -> None:
    network = ClassificationNetwork(HWANG2016_CLASSIFICATION)
    assert shapes_of_convolutions(network, 224) == {
        "encoder": VGG16_AT_224,
        "decoder": [(256, 28, 28), (128, 56, 56), (64, 112, 112)],
        "head": [(128, 112, 112)] * 3,
        "u_scores": [(50, 112, 112)],
        "v_scores": [(50, 112, 112)],
    }
    first = network.head[0]
    assert isinstance(first, Block)
    assert first.layer.weight.shape == (128, 256 + 128 + 64, 3, 3)


@pytest.fixture(scope="module")
def networks() -> tuple[RegressionNetwork, ClassificationNetwork]:
    return regression().eval(), classification().eval()


@settings(max_examples=10, deadline=None)
@given(rows=st.integers(1, 5), columns=st.integers(1, 5), count=st.integers(1, 2))
def test_any_multiple_of_16_is_taken(
    networks: tuple[ColorNetwork, ColorNetwork], rows: int, columns: int, count: int
) -> None:
    lightness = torch.rand(count, 1, 16 * rows, 16 * columns) * 100
    for network, channels, scale in zip(networks, (2, 100), (1, 2), strict=True):
        output = network(lightness).output
        size = (16 * rows // scale, 16 * columns // scale)
        assert output.shape == (count, channels, *size)
        assert network.decode(output, lightness).shape == (count, 2, *size)


def test_black_and_white_give_finite_colours() -> None:
    lightness = torch.cat([torch.zeros(1, 1, 32, 48), torch.full((1, 1, 32, 48), 100.0)])
    for network in (regression().eval(), classification().eval()):
        assert network.decode(network.paint(lightness), lightness).isfinite().all()


def test_the_encoder_sees_the_grey_code_normalised_by_imagenet() -> None:
    network = regression().eval()
    seen: list[Tensor] = []
    first = network.encoder.stages[0]
    first.register_forward_pre_hook(lambda _m, inputs: seen.append(inputs[0]))
    levels = torch.tensor([0.0, 53.389, 100.0])  # the middle one is the sRGB code 0.5
    network.paint(levels[:, None, None, None].expand(3, 1, 16, 16))
    for code, image in zip((0.0, 0.5, 1.0), seen[0], strict=True):
        for plane, mean, deviation in zip(
            image, (0.485, 0.456, 0.406), (0.229, 0.224, 0.225), strict=True
        ):
            expected = torch.full((16, 16), (code - mean) / deviation)
            torch.testing.assert_close(plane, expected, atol=1e-3, rtol=0)


def test_with_vgg16s_weights_the_encoder_is_vgg16() -> None:
    """Its batch norms are the identity at first, but for epsilon."""
    network = regression().eval()
    weights = vgg16(divisor=16)
    network.load_encoder(weights, source="narrow.pth")
    grey = torch.rand(2, 1, 48, 80)
    deviation = torch.tensor((0.229, 0.224, 0.225)).reshape(1, 3, 1, 1)
    x = (grey.repeat(1, 3, 1, 1) - torch.tensor((0.485, 0.456, 0.406))[:, None, None]) / deviation
    expected = []
    for index in range(30):
        if index in CONVOLUTIONS:
            kernel, bias = weights[f"features.{index}.weight"], weights[f"features.{index}.bias"]
            x = F.conv2d(x, kernel, bias, padding=1).relu()
        elif index in POOLINGS:
            expected.append(x)
            x = F.max_pool2d(x, 2, 2)
    maps = network.encoder(grey)
    assert len(maps) == 5
    for found, wanted in zip(maps, (*expected, x), strict=True):
        torch.testing.assert_close(found, wanted, rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("features.28.bias", None, "vgg.pth has no tensor 'features.28.bias'"),
        ("features.0.weight", None, "vgg.pth has no tensor 'features.0.weight'"),
        ("features.5.weight", "text", "no tensor 'features.5.weight'"),
        (
            "features.5.weight",
            torch.zeros(8, 8, 3, 3),
            r"'features.5.weight' as float32 \(8, 8, 3, 3\); float32 \(8, 4, 3, 3\) was needed",
        ),
        (
            "features.7.bias",
            torch.zeros(8, dtype=torch.int64),
            r"'features.7.bias' as int64 \(8,\)",
        ),
    ],
)
def test_other_weights_are_refused_and_change_nothing(name: str, value: Any, said: str) -> None:
    network = classification()
    before = {key: tensor.clone() for key, tensor in network.state_dict().items()}
    weights = vgg16(divisor=16)
    if value is None:
        del weights[name]
    else:
        weights[name] = value
    with pytest.raises(ConfigError, match=said):
        network.load_encoder(weights, source="vgg.pth")
    for key, tensor in network.state_dict().items():
        assert torch.equal(tensor, before[key])


def test_half_precision_weights_are_widened() -> None:
    network = regression()
    weights = {name: tensor.half() for name, tensor in vgg16(divisor=16).items()}
    network.load_encoder(weights, source="half.pth")
    kernel = network.encoder.stages[4][2].layer.weight
    assert kernel.dtype == torch.float32
    assert torch.equal(kernel, weights["features.28.weight"].float())


def test_each_step_sums_the_enlarged_map_and_the_encoders() -> None:
    network = regression().eval()
    maps = [torch.randn(1, n[-1], 32 // 2**i, 48 // 2**i) for i, n in enumerate(NARROW)]
    x = maps[4]
    for step, skip, found in zip(
        network.decoder, (maps[3], maps[2], maps[1]), network.create(maps), strict=True
    ):
        x = step(x.repeat_interleave(2, dim=2).repeat_interleave(2, dim=3) + skip)
        torch.testing.assert_close(found, x)


@pytest.mark.parametrize("zeroed", range(5))
def test_every_map_of_the_encoder_counts_but_the_classifications_first(zeroed: int) -> None:
    for network in (regression().eval(), classification().eval()):
        lightness = torch.rand(1, 1, 32, 48) * 100
        before = network.paint(lightness)
        network.encoder.register_forward_hook(
            lambda _m, _i, maps: [y * (i != zeroed) for i, y in enumerate(maps)]
        )
        unread = isinstance(network, ClassificationNetwork) and zeroed == 0
        assert torch.equal(network.paint(lightness), before) == unread


def test_the_concatenation_holds_every_map_of_the_decoder_at_half_size() -> None:
    network = classification().eval()
    seen: list[Tensor] = []
    network.head.register_forward_pre_hook(lambda _m, inputs: seen.append(inputs[0]))
    lightness = torch.rand(1, 1, 32, 48) * 100
    network.paint(lightness)
    parts = seen[0].split([16, 8, 4], dim=1)
    created = network.create(network.summarise(lightness))
    for part, small, factor in zip(parts, created, (4, 2, 1), strict=True):
        large = small.repeat_interleave(factor, dim=2).repeat_interleave(factor, dim=3)
        assert torch.equal(part, large)


@pytest.mark.parametrize("build", [regression, classification])
def test_the_gradient_reaches_everything_but_biases_before_a_norm(
    build: Callable[[], ColorNetwork],
) -> None:
    network = build().double().train()
    output = network(torch.rand(2, 1, 32, 48, dtype=torch.float64) * 100).output
    (output * torch.randn_like(output)).sum().backward()
    redundant = {
        f"{name}.layer.bias"
        for name, module in network.named_modules()
        if isinstance(module, Block) and module.norm is not None and module.layer.bias is not None
    }
    assert len(redundant) == len(CONVOLUTIONS)  # the encoder's; the decoder has none
    for name, parameter in network.named_parameters():
        assert parameter.grad is not None, name
        assert (parameter.grad.abs().max() > 1e-9) == (name not in redundant), name


def test_norms_stand_before_every_relu_but_those_of_the_last_layers() -> None:
    for network, plain in (
        (regression(), {"full_size"}),
        (classification(), {"head.0", "head.1", "head.2"}),
    ):
        blocks = {n: m for n, m in network.named_modules() if isinstance(m, Block)}
        assert all(block.relu for block in blocks.values())
        assert {name for name, block in blocks.items() if block.norm is None} == plain
        assert len(blocks) == 13 + 3 + len(plain)


def test_xavier_initialises_all_that_is_not_the_encoders() -> None:
    network = classification()
    for name, module in network.named_modules():
        if not isinstance(module, nn.Conv2d):
            continue
        outputs, inputs, *kernel = module.weight.shape
        bound = math.sqrt(6 / ((outputs + inputs) * math.prod(kernel)))
        largest = module.weight.abs().max()
        assert (largest <= bound) == (not name.startswith("encoder")), name
        assert largest > 0.9 * bound, name


@pytest.mark.parametrize(
    ("name", "overrides", "said"),
    [
        ("hwang2016-regression", {"training_size": 200}, "multiple of 16"),
        ("hwang2016-regression", {"encoder": [[4], [4]]}, "three or more stages"),
        ("hwang2016-regression", {"encoder": [[4], [], [4], [4]]}, "three or more stages"),
        ("hwang2016-regression", {"encoder": [[4], [8, 0], [8]]}, "at least one output"),
        ("hwang2016-regression", {"encoder": [[4], [8], [16]]}, "8 and 16 outputs; the same"),
        ("hwang2016-regression", {"encoder": 7}, "encoder is 7; a list"),
        ("hwang2016-regression", {"bins": 50}, "unknown dimensions bins"),
        ("hwang2016-classification", {"head": []}, "at least one convolution"),
        ("hwang2016-classification", {"head": [8, 0]}, "at least one convolution"),
        ("hwang2016-classification", {"bins": 0}, "0 bins"),
    ],
)
def test_impossible_dimensions_are_refused(
    name: str, overrides: dict[str, object], said: str
) -> None:
    with pytest.raises(ConfigError, match=said):
        family(name).build(overrides)


def test_a_shallower_encoder_has_fewer_steps() -> None:
    network = family("hwang2016-classification").build(
        {"encoder": [[4], [8], [8]], "head": [8], "bins": 5, "training_size": 36}
    )
    assert network.dimensions.multiple == 4
    assert network.eval()(torch.rand(1, 1, 12, 20)).output.shape == (1, 10, 6, 10)
