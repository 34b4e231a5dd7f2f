"""What a network takes and gives, in its owner's words: `NetworkSpec`, read from a TOML file.

A coded number always stands for a quantity by (quantity - offset) / scale, in inputs and in outputs
alike: ``offset = 50, scale = 100`` is an L* given as (L* - 50) / 100, and ``scale = 110`` an a*b*
of which the network gives a*b* / 110.
"""

from __future__ import annotations

import math
import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from trtcolor.errors import ConfigError
from trtcolor.sections import section
from trtcolor.spec import LARGEST_SIDE

Order = Literal["rgb", "bgr"]
Three = tuple[float, float, float]
SPECS = Path(__file__).parent / "specs"
CHROMA_SCALES = (0, 1, 2, 4)

_LAB_ENTRIES = {"kind", "name", "offset", "scale"}
_RGB_ENTRIES = {"kind", "name", "range", "mean", "std", "order"}


@dataclass(frozen=True)
class _Coding:
    """How numbers are coded. Entries of the other kind are refused.

    Attributes:
        offset, scale: of L* or a*b*.
        range: what black and white are coded as, [0, 1], [-1, 1] or [0, 255].
        mean, std: of R, G and B, in this order, in the numbers of ``range``: what is coded is
            (number - mean) / std.
        order: of the network's channels.
    """

    offset: float = 0.0
    scale: float = 1.0
    range: tuple[float, float] = (0.0, 1.0)
    mean: Three = (0.0, 0.0, 0.0)
    std: Three = (1.0, 1.0, 1.0)
    order: Order = "rgb"

    def gain_and_bias(self) -> tuple[list[float], list[float]]:
        """Of each channel in the network's order: coded = gain x sRGB code (0..1) + bias."""
        black, white = self.range
        gains = [(white - black) / std for std in self.std]
        biases = [(black - mean) / std for mean, std in zip(self.mean, self.std, strict=True)]
        step = 1 if self.order == "rgb" else -1
        return gains[::step], biases[::step]


@dataclass(frozen=True, kw_only=True)
class Input(_Coding):
    """What the network sees.

    Attributes:
        kind: ``lightness`` (N, 1, H, W), a coded L*; or ``grey-rgb`` (N, 3, H, W), the coded grey
            of that L*, three times.
        name: of the graph's input; empty: it has one, those of ``constants`` aside.
    """

    kind: Literal["lightness", "grey-rgb"]
    name: str = ""


@dataclass(frozen=True, kw_only=True)
class Output(_Coding):
    """What the network says.

    Attributes:
        kind: ``ab`` (N, 2, h, w), a coded a*b*; or ``rgb`` (N, 3, h, w), a coded colour, whose
            a*b* are taken and whose luminance is dropped.
        name: of the graph's output; empty: it has one.
    """

    kind: Literal["ab", "rgb"]
    name: str = ""


@dataclass(frozen=True)
class Size:
    """Which sizes the network takes.

    Attributes:
        fixed: [height, width] of the only one; [0, 0]: any.
        multiple: of which height and width are multiples, where any.
        training_size: side of the pictures it was trained on; 0: ``fixed``, or 256.
        render_size: shorter side that pictures are reduced to for it by default; 0: ``fixed``, or
            the training size.
        chroma_scale: pixels per sample of the chroma that comes out; 0: as the network gives it,
            4 at most, and 1 for a fixed size.
    """

    fixed: tuple[int, int] = (0, 0)
    multiple: int = 1
    training_size: int = 0
    render_size: int = 0
    chroma_scale: int = 0


@dataclass(frozen=True)
class NetworkSpec:
    """One whole SPEC.toml.

    Attributes:
        licence: of the weights.
        input, output, size: see there.
        description: whose network this is and how its ONNX file is made.
        constants: a number by the name of each further input, with which that is filled.
    """

    licence: str
    input: Input
    output: Output
    size: Size = Size()
    description: str = ""
    constants: dict[str, Any] = field(default_factory=dict)


def shipped_specs() -> list[str]:
    """Names of the specs that come with trtcolor."""
    return sorted(path.stem for path in SPECS.glob("*.toml"))


def read_spec(spec: str | os.PathLike[str]) -> NetworkSpec:
    """Read a spec.

    Args:
        spec: a TOML file, or the name of one that comes with trtcolor.

    Raises:
        ConfigError: no such file or name, no TOML, or an entry unknown, missing or impossible.
    """
    path = Path(spec)
    if os.fspath(spec) in shipped_specs():
        path = SPECS / f"{spec}.toml"
    try:
        entries = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ConfigError(
            f"{spec} is no readable TOML ({error}); a spec of the network was needed; write one, "
            f"or name one of {', '.join(shipped_specs())}"
        ) from None
    return spec_from_dict(entries, source=str(spec))


def spec_from_dict(entries: Mapping[str, Any], *, source: str) -> NetworkSpec:
    """Build a spec from plain data.

    Raises:
        ConfigError: an entry is unknown, missing or impossible.
    """
    spec = section(NetworkSpec, entries, source)
    _check_coding(spec.input, entries["input"], f"{source}: input")
    _check_coding(spec.output, entries["output"], f"{source}: output")
    _check_size(spec.size, f"{source}: size")
    if not spec.licence:
        raise _wrong(f"{source}: licence", spec.licence, "the licence of the weights")
    for name, value in spec.constants.items():
        number = isinstance(value, int | float) and not isinstance(value, bool)
        if not number or not math.isfinite(value):
            raise _wrong(f"{source}: constants: {name}", value, "a number")
    if spec.input.name and spec.input.name in spec.constants:
        raise _wrong(f"{source}: constants", spec.input.name, "another input than the picture's")
    return spec


def _check_coding(coding: Input | Output, given: Mapping[str, Any], where: str) -> None:
    known = _LAB_ENTRIES if coding.kind in ("lightness", "ab") else _RGB_ENTRIES
    unknown = sorted(set(given) - known)
    if unknown:
        raise ConfigError(
            f"{where} has the entries {', '.join(unknown)}, which the kind {coding.kind!r} knows "
            f"not; only {', '.join(sorted(known))} were needed; mend the file"
        )
    numbers = (coding.offset, coding.scale, *coding.range, *coding.mean, *coding.std)
    if not all(math.isfinite(number) for number in numbers):
        raise _wrong(where, dict(given), "finite numbers")
    if coding.scale == 0:
        raise _wrong(f"{where}: scale", coding.scale, "a number other than 0")
    if 0 in coding.std:
        raise _wrong(f"{where}: std", list(coding.std), "numbers other than 0")
    if coding.range[0] == coding.range[1]:
        raise _wrong(f"{where}: range", list(coding.range), "two different numbers")


def _check_size(size: Size, where: str) -> None:
    if size.chroma_scale not in CHROMA_SCALES:
        raise _wrong(f"{where}: chroma_scale", size.chroma_scale, "0, 1, 2 or 4")
    fixed = size.fixed != (0, 0)
    sides = {"multiple": (size.multiple, 1), "fixed": (min(size.fixed), int(fixed))}
    sides |= {"fixed ": (max(size.fixed), int(fixed))}
    sides |= {"training_size": (size.training_size, 0), "render_size": (size.render_size, 0)}
    for name, (side, least) in sides.items():
        if not least <= side <= LARGEST_SIDE:
            raise _wrong(f"{where}: {name.strip()}", side, f"{least} to {LARGEST_SIDE}")
    if fixed and size.multiple != 1:
        raise _wrong(
            f"{where}: multiple", size.multiple, "either fixed or multiple and not both of them"
        )


def _wrong(where: str, value: Any, needed: str) -> ConfigError:
    return ConfigError(f"{where} is {value!r}; {needed} was needed; mend the file")
