"""Real pictures: some that int8's ranges are measured on, and others that precisions are judged on.

No picture is in both parts. Only lightness is looked at, so that black-and-white ones do as well.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from trtcolor import color
from trtcolor.dataset import MIN_LIGHTNESS_DEVIATION, Sample, decode, open_pictures
from trtcolor.demo import photographs
from trtcolor.errors import DataError
from trtcolor.images import read_picture
from trtcolor.resize import resize_plane

CALIBRATION, GATE = 64, 32
"""Pictures taken of a user's data."""
LARGEST_SHORTER_SIDE = 1024
"""Pixels; larger pictures are reduced to this as they are read."""

Plane = NDArray[np.float32]


@dataclass(frozen=True)
class Pictures:
    """Pictures to calibrate on and others to judge by.

    Attributes:
        calibration, gate: (H, W) float32 L* planes, each of its own size.
        calibration_sha256, gate_sha256: over the files and which parts of them were taken, in
            hexadecimal.
        source: what they are, for people.
    """

    calibration: tuple[Plane, ...]
    gate: tuple[Plane, ...]
    calibration_sha256: str
    gate_sha256: str
    source: str


def find_pictures(source: str | os.PathLike[str] | None = None) -> Pictures:
    """Pictures of the user's, or the photographs inside scikit-image.

    Args:
        source: a folder or shards (`trtcolor.dataset.open_pictures`), of which up to 96 are taken
            that lie evenly apart, every third of them for the gate; None: the photographs, of each
            of which one half is for calibration and the other for the gate.

    Raises:
        DataError: nothing there, fewer than two pictures that can be read and show something, or
            scikit-image is not installed.
    """
    if source is None:
        return _of_photographs()
    samples = _spread(open_pictures(source).samples, CALIBRATION + GATE)
    taken = [*_read(samples)]
    if len(taken) < 2:
        raise DataError(
            f"{len(taken)} of the pictures looked at in {os.fspath(source)!r} can be read and are "
            "not of one tone; two at least were needed, one to calibrate on and one to judge by; "
            "point at other data"
        )
    gate = taken[1::3]
    return _parted([t for i, t in enumerate(taken) if i % 3 != 1], gate, os.fspath(source))


def pictures_of(calibration: str, gate: str, *, limits: tuple[int, int]) -> Pictures:
    """Pictures of two sets of data.

    Args:
        calibration, gate: as for `trtcolor.dataset.open_pictures`.
        limits: how many of each, those that come first.

    Raises:
        DataError: nothing there that can be read.
    """
    parts = []
    for source, limit in zip((calibration, gate), limits, strict=True):
        taken = [*_read(open_pictures(source).samples[:limit])]
        if not taken:
            raise DataError(
                f"none of the first {limit} pictures in {source!r} can be read and is not of one "
                "tone; one at least was needed; point at other data"
            )
        parts.append(taken)
    return _parted(parts[0], parts[1], f"{calibration}; {gate}")


def _spread(samples: Sequence[Sample], count: int) -> list[Sample]:
    """So many at most, evenly apart: those of one class often lie together."""
    places = np.linspace(0, len(samples) - 1, min(count, len(samples))).round().astype(int)
    return [samples[place] for place in places]


def _read(samples: Iterable[Sample]) -> Iterable[tuple[Plane, bytes]]:
    """Lightness and digest of what can be read and is not of one tone."""
    for sample in samples:
        try:
            encoded = sample.read()
            plane = color.lightness_from_rgb(decode(sample))
        except (OSError, DataError):
            continue
        if plane.std() >= MIN_LIGHTNESS_DEVIATION:
            yield _reduced(plane), hashlib.sha256(encoded).digest()


def _reduced(plane: Plane) -> Plane:
    shorter = min(plane.shape)
    if shorter <= LARGEST_SHORTER_SIDE:
        return plane
    height, width = (round(side * LARGEST_SHORTER_SIDE / shorter) for side in plane.shape)
    return resize_plane(plane, (height, width))


def _of_photographs() -> Pictures:
    files = photographs()
    if not files:
        raise DataError(
            "no photographs to judge a precision on; those inside scikit-image or pictures of your "
            'own were needed; run: pip install "trtcolor[engines]", or name a folder of pictures'
        )
    parts: tuple[list[tuple[Plane, bytes]], list[tuple[Plane, bytes]]] = ([], [])
    for number, file in enumerate(files):
        lightness = color.lightness_from_rgb(read_picture(file).rgb8)
        digest = hashlib.sha256(file.read_bytes()).digest()
        middle = lightness.shape[1] // 2
        for side, half in enumerate((lightness[:, :middle], lightness[:, middle:])):
            part = parts[(number + side) % 2]
            rows = len(half) * 3 // 5
            for name, crop in (("all", half), ("top", half[:rows]), ("bottom", half[-rows:])):
                part.append((np.ascontiguousarray(crop), digest + f"{side}{name}".encode()))
    return _parted(parts[0], parts[1], "photographs in scikit-image")


def _parted(
    calibration: Sequence[tuple[Plane, bytes]], gate: Sequence[tuple[Plane, bytes]], source: str
) -> Pictures:
    planes, digests = [], []
    for part in (calibration, gate):
        planes.append(tuple(plane for plane, _ in part))
        digests.append(hashlib.sha256(b"\n".join(digest for _, digest in part)).hexdigest())
    return Pictures(planes[0], planes[1], digests[0], digests[1], source)
