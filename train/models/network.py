"""What every network of `FAMILIES` is to training and export, and nothing more.

A network sees L* and gives an ``output`` in its own colour coding (`trtcolor_train.coding`): a*b*
behind a sigmoid, U and V, scores of colour bins. The loss looks at the output;
`ColorNetwork.decode` makes a*b* of it, in float32, and is part of every exported graph.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from torch import Tensor, nn
from torch.nn import functional as F

from trtcolor.errors import ConfigError
from trtcolor.spec import LARGEST_SIDE
from trtcolor_train.coding import Coding


@dataclass(frozen=True, kw_only=True)
class Dimensions:
    """Everything that distinguishes one network of a kind from another; travels in checkpoints.

    Each kind of network adds its own entries (integers, texts, tuples of these) to these two and
    says in properties what follows from them.

    Attributes:
        training_size: side of the training crops in pixels, and of what a global network takes.
        classes: number of scene classes; 0: no classifier.
    """

    training_size: int
    classes: int = 0

    def __post_init__(self) -> None:
        if not 1 <= self.training_size <= LARGEST_SIDE:
            raise ConfigError(
                f"training size {self.training_size}; 1 to {LARGEST_SIDE} pixels were needed; mend "
                "the configuration"
            )
        if self.training_size % self.multiple:
            raise ConfigError(
                f"training size {self.training_size}; a multiple of {self.multiple} was needed; "
                "mend the configuration"
            )
        if self.classes and not self.global_width:
            raise ConfigError(
                f"{self.classes} classes came for a network without global features, which its "
                "classifier would read; leave classes out or give it a global network"
            )

    @property
    def multiple(self) -> int:
        """Heights and widths that the network takes are multiples of this."""
        raise NotImplementedError

    @property
    def chroma_scale(self) -> int:
        """Pixels of the input per chroma sample along each axis."""
        raise NotImplementedError

    @property
    def global_width(self) -> int:
        """Length of the global feature vector; 0: the network has none."""
        return 0


class Prediction(NamedTuple):
    """What one pass of a network gives.

    Attributes:
        output: (N, K, h, w) float32 in the network's colour coding.
        global_features: (N, G), or None without a global network.
        class_logits: (N, C), or None without a classifier.
    """

    output: Tensor
    global_features: Tensor | None = None
    class_logits: Tensor | None = None


class ColorNetwork(nn.Module):
    """Base of all networks.

    A network without global features writes `paint` alone; one with them also writes `describe`
    and `forward`.

    Args:
        dimensions: kept as ``self.dimensions``.
        coding: how the output states colour; kept as ``self.coding``.
    """

    def __init__(self, dimensions: Dimensions, coding: Coding) -> None:
        super().__init__()
        self.dimensions = dimensions
        self.coding = coding

    def paint(self, lightness: Tensor, global_features: Tensor | None = None) -> Tensor:
        """The local path, for any size.

        Args:
            lightness: (N, 1, H, W), L* in 0..100; H and W multiples of ``dimensions.multiple``.
            global_features: (N, G) for a network that has them.

        Returns:
            (N, K, H/s, W/s) in the network's colour coding, s = ``dimensions.chroma_scale``.
        """
        raise NotImplementedError

    def describe(self, lightness: Tensor) -> tuple[Tensor, Tensor | None]:
        """The global path: (N, 1, S, S) -> global features (N, G), class logits (N, C) or None."""
        raise NotImplementedError

    def forward(self, lightness: Tensor) -> Prediction:
        """The joint pass of training: one picture of training size serves both paths.

        Args:
            lightness: (N, 1, S, S), L* in 0..100, S = ``dimensions.training_size`` (any multiple
                of ``dimensions.multiple`` without a global network).
        """
        return Prediction(self.paint(lightness))

    def decode(self, output: Tensor, lightness: Tensor) -> Tensor:
        """a*b* of an output.

        Args:
            output: (N, K, h, w) from `paint`.
            lightness: (N, 1, H, W), what `paint` was given.

        Returns:
            (N, 2, h, w) float32 a*b* in real units.
        """
        scale = self.dimensions.chroma_scale
        grid = F.avg_pool2d(lightness, scale) if scale > 1 else lightness
        return self.coding.decode(output.float(), grid.float())

    def load_encoder(self, weights: Mapping[str, Tensor], *, source: str) -> None:
        """Put ImageNet weights, as torchvision names them, into the encoder.

        Args:
            weights: a whole state dict; entries of the classifier behind the encoder are ignored.
            source: what to call it in an error.

        Raises:
            ConfigError: the network has no such encoder, or names or shapes do not fit it.
        """
        raise ConfigError(
            f"{source} came as weights of an encoder, but this family has none that ImageNet "
            "weights fit; leave network.encoder out"
        )
