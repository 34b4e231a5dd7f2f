"""The encoders that ImageNet weights fit: VGG16's convolutions and the first layers of ResNet-18.

The weights come as torchvision's state dicts; names and shapes are checked, then all are copied.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from trtcolor.errors import ConfigError
from trtcolor_train.models.blocks import Block, conv_block

# Of R'G'B' in 0..1, as torchvision's weights want them.
IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_DEVIATION = (0.229, 0.224, 0.225)


class Vgg16(nn.Module):
    """VGG16's convolutions, with batch norm before each ReLU, for grey pictures.

    Args:
        stages: outputs of the 3x3 convolutions, stage by stage; max pooling /2 between stages.
    """

    mean: Tensor
    deviation: Tensor

    def __init__(self, stages: tuple[tuple[int, ...], ...]) -> None:
        super().__init__()
        for name, values in (("mean", IMAGENET_MEAN), ("deviation", IMAGENET_DEVIATION)):
            tensor = torch.tensor(values).reshape(1, 3, 1, 1)
            self.register_buffer(name, tensor, persistent=False)
        inputs = 3
        built = []
        for stage in stages:
            sizes = pairwise((inputs, *stage))
            # Biases stay although the norm makes them redundant: ImageNet's weights have them.
            built.append(nn.Sequential(*(conv_block(i, o, bias=True) for i, o in sizes)))
            inputs = stage[-1]
        self.stages = nn.ModuleList(built)

    def forward(self, x: Tensor) -> list[Tensor]:
        """(N, 1, H, W) sRGB code 0..1 -> the last map of each stage: H x W, H/2 x W/2 and so on."""
        x = (x - self.mean) / self.deviation  # one channel less three means: three channels
        maps: list[Tensor] = []
        for stage in self.stages:
            x = stage(F.max_pool2d(x, 2) if maps else x)
            maps.append(x)
        return maps

    def load(self, weights: Mapping[str, Tensor], source: str) -> None:
        """Take the convolutions of torchvision's ``vgg16``.

        The batch norms, which that network has not, are left as they are.

        Raises:
            ConfigError: as `load_tensors`.
        """
        targets: dict[str, Tensor] = {}
        index = 0
        for stage in self.stages:
            assert isinstance(stage, nn.Sequential)
            for block in stage:
                targets |= _block_tensors(block, f"features.{index}")
                index += 2  # the convolution and its ReLU
            index += 1  # the pooling
        load_tensors(targets, weights, source)


class BasicBlock(nn.Module):
    """y = ReLU(x + F(x)) with two 3x3 convolutions in F, ResNet-18's block.

    Where the size changes, x goes through a 1x1 convolution with batch norm first.
    """

    def __init__(self, inputs: int, outputs: int, stride: int = 1) -> None:
        super().__init__()
        self.conv1 = conv_block(inputs, outputs, stride)
        self.conv2 = conv_block(outputs, outputs, relu=False)
        self.downsample = (
            conv_block(inputs, outputs, stride, kernel=1, relu=False) if stride != 1 else None
        )

    def forward(self, x: Tensor) -> Tensor:
        shortcut = x if self.downsample is None else self.downsample(x)
        return torch.relu(shortcut + self.conv2(self.conv1(x)))

    def tensors(self, name: str) -> dict[str, Tensor]:
        """The block's tensors by torchvision's names."""
        found = _block_tensors(self.conv1, f"{name}.conv1", f"{name}.bn1")
        found |= _block_tensors(self.conv2, f"{name}.conv2", f"{name}.bn2")
        if self.downsample is not None:
            found |= _block_tensors(self.downsample, f"{name}.downsample.0", f"{name}.downsample.1")
        return found


class ResNet18(nn.Module):
    """ResNet-18's conv1 (one input channel), bn1, ReLU, max pool, layer1 and layer2.

    Args:
        width: outputs of conv1 and of layer1.
        outputs: outputs of layer2.
    """

    def __init__(self, width: int, outputs: int) -> None:
        super().__init__()
        self.conv1 = conv_block(1, width, 2, kernel=7)
        self.maxpool = nn.MaxPool2d(3, 2, padding=1)
        self.layer1 = nn.Sequential(BasicBlock(width, width), BasicBlock(width, width))
        self.layer2 = nn.Sequential(BasicBlock(width, outputs, 2), BasicBlock(outputs, outputs))

    def forward(self, x: Tensor) -> Tensor:
        """(N, 1, H, W) -> (N, outputs, H/8, W/8)."""
        x = self.maxpool(self.conv1(x))
        x = self.layer2(self.layer1(x))
        return x

    def load(self, weights: Mapping[str, Tensor], source: str) -> None:
        """Take torchvision's ``resnet18`` up to layer2.

        conv1 has three input channels there; for a grey picture in all three, their sum is the
        weight of the one here. The level and contrast of the input, normalised by ImageNet's mean
        and deviation there, are the business of bn1, whose statistics training adapts.

        Raises:
            ConfigError: as `load_tensors`.
        """
        targets = _block_tensors(self.conv1, "conv1", "bn1")
        for name, layer in (("layer1", self.layer1), ("layer2", self.layer2)):
            for i, block in enumerate(layer):
                assert isinstance(block, BasicBlock)
                targets |= block.tensors(f"{name}.{i}")
        conv1 = self.conv1.layer.weight.detach()
        colour = conv1.repeat(1, 3, 1, 1)
        load_tensors(targets | {"conv1.weight": colour}, weights, source)
        conv1.copy_(colour.sum(dim=1, keepdim=True))


@torch.no_grad()
def load_tensors(targets: Mapping[str, Tensor], weights: Mapping[str, Tensor], source: str) -> None:
    """Copy entries of a state dict into tensors of the same names, all of them or none.

    Args:
        targets: what is to be filled, by name.
        weights: a state dict; its other entries are ignored.
        source: what to call it in an error.

    Raises:
        ConfigError: an entry is missing, of another shape or not of floating-point numbers; the
            first such is named, and no target has changed.
    """
    for name, target in targets.items():
        value = weights.get(name)
        if not isinstance(value, Tensor):
            raise ConfigError(
                f"{source} has no tensor {name!r}; the state dict of the encoder as torchvision "
                "names it was needed; give that file or leave network.encoder out"
            )
        if value.shape != target.shape or not value.is_floating_point():
            raise ConfigError(
                f"{source} has {name!r} as {_described(value)}; {_described(target)} was needed; "
                "give weights of the network's own encoder or leave network.encoder out"
            )
    for name, target in targets.items():
        target.copy_(weights[name])


def _block_tensors(block: nn.Module, layer: str, norm: str | None = None) -> dict[str, Tensor]:
    """A block's tensors: its layer's by the name ``layer``, its norm's by ``norm``, if given."""
    assert isinstance(block, Block)
    tensors: dict[str, Tensor] = {f"{layer}.{n}": t for n, t in block.layer.named_parameters()}
    if norm is not None:
        assert isinstance(block.norm, nn.BatchNorm2d)
        for name in ("weight", "bias", "running_mean", "running_var"):
            tensors[f"{norm}.{name}"] = getattr(block.norm, name)
    return tensors


def _described(value: Tensor) -> str:
    return f"{str(value.dtype).removeprefix('torch.')} {tuple(value.shape)}"
