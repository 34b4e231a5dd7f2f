"""Which picture sizes an engine takes, and which it is fastest at: `ShapeProfile`.

Sizes are (batch, height, width) here and in tensors; in text the width comes first, as everywhere
on the command line.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields

from trtcolor.backends._profiles import InputRange
from trtcolor.geometry import padded_size
from trtcolor.spec import LARGEST_SIDE, ModelSpec, SizeRule

Shape = tuple[int, int, int]

LARGEST_BATCH = 1024
DEFAULT_SIDE = 2048
"""Up to which the default profile goes along each axis, in pixels."""
DEFAULT_OPTIMUM = 512
"""Side in pixels that the default profile is best at where the model sees frames at full size."""
DYNAMIC = -1
FRAMES = "frames"
"""The one input that has its channels last."""
_FRAME_AXES, _PLANE_AXES = {0: 0, 1: 1, 2: 2}, {0: 0, 2: 1, 3: 2}
"""Where a tensor has the entries of a `Shape`."""

_ENTRY = re.compile(r"(?:([0-9]{1,6})[xX])?([0-9]{1,6})[xX]([0-9]{1,6})|([0-9]{1,6})")


@dataclass(frozen=True)
class ShapeProfile:
    """A range of sizes; portrait and landscape alike where height and width go equally far.

    Attributes:
        minimum, optimum, maximum: (batch, height, width); sides in pixels, 1..16384, of the
            lightness that the local graph takes, after padding; batch 1..1024.

    Raises:
        ValueError: a number out of its range, or minimum <= optimum <= maximum not true of an axis.
    """

    minimum: Shape
    optimum: Shape
    maximum: Shape

    def __post_init__(self) -> None:
        for entry in fields(self):
            shape = tuple(getattr(self, entry.name))
            object.__setattr__(self, entry.name, shape)
            whole = all(isinstance(n, int) and not isinstance(n, bool) for n in shape)
            limits = (LARGEST_BATCH, LARGEST_SIDE, LARGEST_SIDE)
            if len(shape) != 3 or not whole or not all(map(_between, shape, limits)):
                raise ValueError(
                    f"a profile's {entry.name} is {shape!r}; a batch from 1 to {LARGEST_BATCH} and "
                    f"sides from 1 to {LARGEST_SIDE} were needed; give other sizes"
                )
        for axis, numbers in zip(
            ("batch", "height", "width"),
            zip(self.minimum, self.optimum, self.maximum, strict=True),
            strict=True,
        ):
            if list(numbers) != sorted(numbers):
                raise ValueError(
                    f"profile {self} has the {axis} {', then '.join(map(str, numbers))}; "
                    "MIN <= OPT <= MAX was needed along each axis; give other sizes"
                )

    @classmethod
    def parse(cls, text: str) -> ShapeProfile:
        """The profile of a command line.

        Args:
            text: ``MIN:OPT:MAX``, each WxH or N for a square, the width first, with the batch
                before it where it is not 1: ``64:640x480:4x2048x2048``. One entry alone is a fixed
                size: all three.

        Raises:
            ValueError: the text has another form, or as from the constructor.
        """
        entries = text.split(":")
        matches = [_ENTRY.fullmatch(entry.strip()) for entry in entries]
        shapes: list[Shape] = []
        for match in matches:
            if match is not None:
                batch, width, height, side = match.groups()
                shapes.append((int(batch or 1), int(height or side), int(width or side)))
        if len(shapes) != len(entries) or len(shapes) not in (1, 3):
            raise ValueError(
                f"profile {text!r} is none; MIN:OPT:MAX was needed, each WIDTHxHEIGHT, N (a square)"
                " or BATCHxWIDTHxHEIGHT, as in 64:640x480:2048"
            )
        return cls(shapes[0], shapes[len(shapes) // 2], shapes[-1])

    def __str__(self) -> str:
        """``MIN:OPT:MAX`` as `parse` takes it."""
        return ":".join(shape_text(shape) for shape in (self.minimum, self.optimum, self.maximum))

    def admits(self, shape: Shape) -> bool:
        """Whether (batch, height, width) lies within."""
        return all(
            low <= n <= high for low, n, high in zip(self.minimum, shape, self.maximum, strict=True)
        )

    def check(self, rule: SizeRule) -> None:
        """Refuse sizes that the network never sees: frames are padded to the rule's multiple.

        Raises:
            ValueError: a side is no multiple of it; the profile with the padded sizes is named.
        """
        shapes = (self.minimum, self.optimum, self.maximum)
        padded = [(batch, *padded_size((h, w), rule.multiple)) for batch, h, w in shapes]
        if padded != list(shapes):
            raise ValueError(
                f"profile {self} has sides that are no multiples of {rule.multiple}; frames are "
                f"padded to these before the network sees them; give {ShapeProfile(*padded)}"
            )


GraphProfile = ShapeProfile | Mapping[str, ShapeProfile]
"""A profile of a graph: the same sizes for all of its inputs, or some for each, by name."""


def default_profiles(spec: ModelSpec) -> tuple[ShapeProfile, ...]:
    """One dynamic profile for single pictures up to 2048 along each axis, best at a square.

    The smallest is what a frame of 1x1 is padded to. The optimum is the size that frames are
    reduced to by default (``render="auto"``), or 512 for a network that sees them at full size.
    """
    rule = spec.size
    optimum = padded_size((rule.render_size or DEFAULT_OPTIMUM,) * 2, rule.multiple)
    largest = padded_size((DEFAULT_SIDE,) * 2, rule.multiple)
    largest = max(largest, optimum)
    return (ShapeProfile((1, rule.multiple, rule.multiple), (1, *optimum), (1, *largest)),)


def input_ranges(
    inputs: Mapping[str, tuple[int, ...]], profiles: Iterable[GraphProfile]
) -> tuple[dict[str, InputRange], ...]:
    """What each profile means for the inputs of one graph.

    Args:
        inputs: shape by name, -1 where dynamic: ``frames`` are (N, H, W, C), all others (N, C, H,
            W) planes and (N, G) vectors. What is fixed in the graph stays so: the global graph
            keeps its size and takes only the batch.
        profiles: one or more, each for all inputs alike or one for each that is dynamic, by name.

    Returns:
        One entry a profile that differs for this graph from those before it; a graph without a
        dynamic axis has one.

    Raises:
        ValueError: an axis other than batch, height or width is dynamic.
    """
    ranges: list[dict[str, InputRange]] = []
    for profile in profiles:
        meant = {name: _input_range(name, shape, profile) for name, shape in inputs.items()}
        if meant not in ranges:
            ranges.append(meant)
    return tuple(ranges)


def _input_range(name: str, shape: tuple[int, ...], profile: GraphProfile) -> InputRange:
    if DYNAMIC not in shape:
        return shape, shape, shape
    sizes = profile if isinstance(profile, ShapeProfile) else profile[name]
    axes = {0: 0} if len(shape) != 4 else _FRAME_AXES if name == FRAMES else _PLANE_AXES
    if any(side == DYNAMIC and axis not in axes for axis, side in enumerate(shape)):
        raise ValueError(
            f"input {name!r} has the shape {shape}, -1 where dynamic; only batch, height and width "
            "may be dynamic; export the model again"
        )

    def filled(given: Shape) -> tuple[int, ...]:
        return tuple(given[axes[i]] if n == DYNAMIC else n for i, n in enumerate(shape))

    return filled(sizes.minimum), filled(sizes.optimum), filled(sizes.maximum)


def _between(number: int, limit: int) -> bool:
    return 1 <= number <= limit


def shape_text(shape: Shape) -> str:
    """(batch, height, width) as ``WxH``, with the batch before it where it is not 1."""
    batch, height, width = shape
    return f"{width}x{height}" if batch == 1 else f"{batch}x{width}x{height}"
