"""Measures of clips: how steady the colours are, and whether luma came through."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from trtcolor.color import lab_from_rgb

LEVELS = 256
DISTANCES = (1, 2, 4)
"""Of frames in a pair, all of one weight (Liu et al. 2021)."""

STILL = 1.0
"""L* by which a pixel of two neighbouring frames may differ that stands still."""

LUMA: dict[str, tuple[float, float, float]] = {
    "bt601": (0.299, 0.587, 0.114),
    "bt709": (0.2126, 0.7152, 0.0722),
}

Matrix = Literal["bt601", "bt709"]


def color_distribution_consistency(
    frames: Iterable[NDArray[np.uint8]], *, distances: Sequence[int] = DISTANCES
) -> float | None:
    """CDC of the frames of one shot: 0 for colours that do not change, at most ln 2.

    The Jensen-Shannon divergence between the normalised 256-bin histograms of two frames, mean over
    R, G and B; mean over all pairs of frames at one distance; mean over distances. In nats, as the
    authors' code computes it (with base 2 it would be larger by 1 / ln 2).

    Args:
        frames: uint8 RGB (H, W, 3) each, in order, of any one size; taken one at a time.
        distances: between the frames of a pair.

    Returns:
        None for a shot too short to have a pair. A distance that the shot is too short for is left
        out of the mean.

    Raises:
        ValueError: a distance below 1, or none.

    Source: Liu et al. 2021, "Temporally Consistent Video Colorization with Deep Feature Propagation
    and Self-regularization Learning" (TCVC), section 4.1, "Color Distribution Consistency index".
    """
    consistency = ColorDistributionConsistency(distances=distances)
    for frame in frames:
        consistency.update(frame)
    return consistency.result()


class ColorDistributionConsistency:
    """CDC of a clip of several shots, from a stream of frames; it holds histograms, not frames.

    Args:
        distances: between the frames of a pair; of these only so many histograms are kept as the
            largest.

    Raises:
        ValueError: a distance below 1, or none.
    """

    def __init__(self, *, distances: Sequence[int] = DISTANCES) -> None:
        if not distances or min(distances) < 1:
            raise ValueError(
                f"distances are {tuple(distances)}; at least one, each from 1, was needed; pass 1"
            )
        self._distances = tuple(distances)
        self._recent: deque[NDArray[np.float64]] = deque(maxlen=max(distances))
        self._shots: list[_Shot] = []

    def update(self, rgb: NDArray[np.uint8], cut: bool = False) -> None:
        """Take the next frame, uint8 RGB (H, W, 3); ``cut``: it is the first of another shot."""
        if cut or not self._shots:
            self._recent.clear()
            self._shots.append(_Shot(self._distances))
        histograms = _histograms(rgb)
        self._shots[-1].frames += 1
        for index, distance in enumerate(self._distances):
            if len(self._recent) >= distance:
                self._shots[-1].add(index, _divergence(self._recent[-distance], histograms))
        self._recent.append(histograms)

    def shots(self) -> tuple[tuple[int, float | None], ...]:
        """Number of frames and CDC of each shot, in order; None for one without a pair."""
        return tuple((shot.frames, shot.result()) for shot in self._shots)

    def result(self) -> float | None:
        """Mean over the shots that have a pair, weighted by their frames; None without any."""
        found = [(frames, value) for frames, value in self.shots() if value is not None]
        if not found:
            return None
        return sum(frames * value for frames, value in found) / sum(frames for frames, _ in found)


class _Shot:
    """Sums of one shot's divergences, by distance."""

    def __init__(self, distances: tuple[int, ...]) -> None:
        self.frames = 0
        self._sums = [0.0] * len(distances)
        self._pairs = [0] * len(distances)

    def add(self, index: int, divergence: float) -> None:
        self._sums[index] += divergence
        self._pairs[index] += 1

    def result(self) -> float | None:
        means = [
            total / pairs for total, pairs in zip(self._sums, self._pairs, strict=True) if pairs
        ]
        return sum(means) / len(means) if means else None


def _histograms(rgb: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Share of pixels at each level, (3, 256)."""
    planes = np.moveaxis(rgb, -1, 0)
    counts = [np.bincount(plane.ravel(), minlength=LEVELS) for plane in planes]
    return np.asarray(np.stack(counts) / planes[0].size)


def _divergence(p: NDArray[np.float64], q: NDArray[np.float64]) -> float:
    """Jensen-Shannon divergence of (K, 256) distributions in nats, mean over K.

    0.5 sum(p ln(p/m) + q ln(q/m)) of m = (p + q) / 2, where 0 ln 0 is 0.
    """
    m = (p + q) / 2
    total = 0.0
    for part in (p, q):
        present = part > 0
        total += float((part[present] * np.log(part[present] / m[present])).sum())
    return max(total / 2 / len(p), 0.0)


class ChromaFlicker:
    """How much the colours of a clip change where its lightness does not, from a stream of frames.

    The distance of a*b* between a pixel and the same of the frame before, mean over all pixels of
    all neighbouring frames of a shot whose L* differ by at most ``still``. In the units of a*b*;
    0 for colours that hold still where the picture does. The measure is this project's own.

    Args:
        still: in L*, at least 0.

    Raises:
        ValueError: a negative ``still``.
    """

    def __init__(self, *, still: float = STILL) -> None:
        if not still >= 0:
            raise ValueError(f"still is {still}; an L* of at least 0 was needed; pass {STILL:g}")
        self._still = still
        self._before: NDArray[np.float32] | None = None
        self._sum = 0.0
        self._pixels = self._compared = 0

    def update(self, rgb: NDArray[np.uint8], cut: bool = False) -> None:
        """Take the next frame, uint8 RGB (H, W, 3); ``cut``: it is the first of another shot."""
        lab = lab_from_rgb(rgb)
        before, self._before = self._before, lab
        if before is None or cut:
            return
        if lab.shape != before.shape:
            raise ValueError(
                f"a frame of shape {rgb.shape} came behind one of {before.shape} in a shot; one "
                "size was needed; pass cut=True where it changes"
            )
        moved = np.abs(lab - before)
        still = moved[..., 0] <= self._still
        self._sum += float(np.hypot(moved[..., 1], moved[..., 2])[still].sum(dtype=np.float64))
        self._pixels += int(still.sum())
        self._compared += still.size

    def result(self) -> float | None:
        """None without a pixel that stood still."""
        return self._sum / self._pixels if self._pixels else None

    @property
    def share(self) -> float | None:
        """Of the pixels compared, those that stood still; None without any compared."""
        return self._pixels / self._compared if self._compared else None


def luma_error(
    rgb: NDArray[np.uint8], grey_source: NDArray[np.uint8], *, matrix: Matrix = "bt601"
) -> tuple[float, float]:
    """Mean and largest |dY'| between a coloured frame and the grey one it was made from.

    Args:
        rgb: uint8 RGB (H, W, 3).
        grey_source: uint8 (H, W), Y' in full range, or RGB (H, W, 3) whose Y' is taken.
        matrix: "bt601" or "bt709": Y' from R'G'B'.

    Returns:
        In codes of 0..255.

    Raises:
        ValueError: another matrix, or shapes that do not fit.

    Source: ITU-R BT.601 and BT.709: Y' = Kr R' + Kg G' + Kb B'.
    """
    if matrix not in LUMA:
        raise ValueError(f"matrix is {matrix!r}; one of {', '.join(LUMA)} was needed; pass one")
    if rgb.shape[:2] != grey_source.shape[:2]:
        raise ValueError(
            f"a frame of shape {rgb.shape} came for a source of {grey_source.shape}; one height "
            "and width was needed; resize one of them"
        )
    source = _luma(grey_source, matrix) if grey_source.ndim == 3 else grey_source
    moved = np.abs(_luma(rgb, matrix) - source)
    return float(moved.mean(dtype=np.float64)), float(moved.max())


def _luma(rgb: NDArray[np.uint8], matrix: Matrix) -> NDArray[np.float32]:
    """Y' in 0..255, (H, W)."""
    parts = (np.float32(weight) * rgb[..., i] for i, weight in enumerate(LUMA[matrix]))
    return np.asarray(sum(parts))
