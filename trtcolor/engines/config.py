"""What is asked of an engine: the same for every bundle and every machine."""

from __future__ import annotations

import re
from dataclasses import dataclass

from trtcolor.backends.available import CUDA, PACKAGES, PRECISIONS, TENSORRT, Precision
from trtcolor.backends.frame_plans import FramePlans
from trtcolor.engines.profile import ShapeProfile

BUILDERS = {backend: package.module for backend, package in PACKAGES.items() if backend not in CUDA}
"""The module that builds a backend's engines, by the backend's name."""
LARGEST_WORKSPACE = 1 << 50
"""In bytes: what no GPU has."""
_TARGET = re.compile(r"sm[1-9][0-9]{1,2}")
_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, kw_only=True)
class EngineConfig:
    """What an engine is built for.

    Attributes:
        backend: one of `BUILDERS`.
        precision: one of `PRECISIONS`.
        profiles: the frame sizes that the dynamic graph takes, one at least.
        targets: compute capabilities as ``"sm89"``, ascending; empty: built for the machine at
            hand.
        workspace: bytes of device memory that the builder may use; None: all there are.
        calibration: SHA-256 over the pictures that int8 was calibrated on and judged by; None for
            the others.
        frames: what its plans before and behind the network do, which take and give frames in GPU
            memory; None: it has none.
        frame_profiles: the sizes of these frames; one at least where there are such plans.

    Raises:
        ValueError: an entry is none of these.
    """

    backend: str
    precision: Precision
    profiles: tuple[ShapeProfile, ...]
    targets: tuple[str, ...] = ()
    workspace: int | None = None
    calibration: str | None = None
    frames: FramePlans | None = None
    frame_profiles: tuple[ShapeProfile, ...] = ()

    def __post_init__(self) -> None:
        if self.backend not in BUILDERS:
            raise ValueError(
                f"backend is {self.backend!r}; one of {', '.join(BUILDERS)} was needed; name one"
            )
        if self.precision not in PRECISIONS:
            raise ValueError(
                f"precision is {self.precision!r}; one of {', '.join(PRECISIONS)} was needed; "
                "name one"
            )
        if not self.profiles:
            raise ValueError("profiles are none; one at least was needed; give one")
        if not all(_TARGET.fullmatch(target) for target in self.targets):
            raise ValueError(
                f"targets are {', '.join(map(repr, self.targets))}; compute capabilities such as "
                "sm89 were needed; name these"
            )
        if self.targets != tuple(sorted(set(self.targets), key=_number)):
            raise ValueError(
                f"targets are {', '.join(self.targets)}; each once and in ascending order was "
                "needed; sort them"
            )
        if self.workspace is not None and not 0 < self.workspace <= LARGEST_WORKSPACE:
            raise ValueError(
                f"workspace is {self.workspace}; bytes from 1 to {LARGEST_WORKSPACE} were needed; "
                "give another"
            )
        if (self.calibration is not None) != (self.precision == "int8"):
            raise ValueError(
                f"precision {self.precision} came with the calibration {self.calibration!r}; int8 "
                "and no other is calibrated; give both or neither"
            )
        if self.calibration is not None:
            check_sha256("calibration", self.calibration)
        self._check_frames()

    def _check_frames(self) -> None:
        if self.frames is not None and self.backend not in TENSORRT:
            raise ValueError(
                f"plans for frames were asked of backend {self.backend}, which runs on the CPU; "
                f"one of {', '.join(TENSORRT)} was needed; leave them out, or name one of these"
            )
        if (self.frames is None) == bool(self.frame_profiles):
            given = ", ".join(map(str, self.frame_profiles)) or "no profiles"
            raise ValueError(
                f"plans for frames ({self.frames}) came with {given} of frames; both or neither "
                "were needed; give the other too"
            )


def check_sha256(what: str, value: str) -> None:
    """Raise ValueError unless `value` is a SHA-256 in lower-case hexadecimal."""
    if not _SHA256.fullmatch(value):
        raise ValueError(
            f"{what} is {value[:80]!r}; a SHA-256 in hexadecimal was needed; give the whole of it"
        )


def _number(target: str) -> int:
    return int(target.removeprefix("sm"))
