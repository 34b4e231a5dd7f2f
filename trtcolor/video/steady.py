"""Steady colours: what is filtered along time, and where it may not be.

A network that sees frames one by one gives nearly the same picture other colours from frame to
frame. Two things are done about it, inside one shot and never across a cut:

- `SteadyFeatures`: the global features, which tint a whole picture, are computed at every
  `KEY_FRAMES`-th frame of a shot only, and move slowly toward what is found there (on a newsreel
  of 360 frames, with version 1 of the bundled model, CDC fell by 35 % so and by 34 % with a look at
  every frame; those of a shot's first frame alone took 23 % of the colourfulness with it);
- `SteadyChroma`: where the picture stands still, each sample of the network's chroma moves only
  part of the way from what came out last toward what the network says now.

Whether the picture stands still is asked of the lightness on the grid of the chroma, held against
that of the frames that the filtered chroma comes from, weighted likewise: so a slow pan adds up
until it counts as motion. Old film flickers in brightness and has grain: a change of gain and
offset of the whole picture is taken off first, and what most of the picture differs by is, up to
`MOST_GRAIN`, taken for grain.

The filter is this project's own; its form, a recursive filter gated by the difference of frames, is
that of the temporal noise filters of video coders.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

Float = NDArray[np.float32]

DEFAULT_STEADY = 0.5
"""By benchmarks/steady.py: on a newsreel CDC comes within three points of what grey frames have,
and more takes little more off; vividness stays within 1 % of frame by frame's."""

LEAST_STEP = 0.1
"""Share of the way that a still sample moves in a frame at a steadiness s: this to the power s."""

KEY_FRAMES = 8
"""Frames of a shot from one look at the global features to the next."""

LEAST_FEATURE_STEP = 0.01
"""The same as `LEAST_STEP` of the global features."""

STILL = 1.0
"""L* by which a sample without grain differs where it stands half still."""

MOST_GRAIN = 0.75
"""Standard deviation, in L*, up to which differences all over the picture are taken for grain."""

FITTED = 4096
"""Samples of a picture, at most, that its gain and offset are found from."""


def checked_steady(steady: float) -> float:
    """The same value if it is a number in 0..1.

    Raises:
        ValueError: it is something else.
    """
    plain = isinstance(steady, int | float) and not isinstance(steady, bool)
    if not plain or not 0.0 <= steady <= 1.0:  # NaN is not either
        raise ValueError(
            f"steady is {steady!r}; a number from 0 (frame by frame) to 1 was needed; pass one"
        )
    return float(steady)


class SteadyChroma:
    """Filters the chroma of a film along time, frame after frame.

    Args:
        steady: 0, which changes nothing, to 1.
        past: that of another one, to go on from there.

    Raises:
        ValueError: another steadiness.
    """

    def __init__(
        self,
        steady: float = DEFAULT_STEADY,
        past: tuple[Float | None, Float | None] = (None, None),
    ) -> None:
        self._held = 1.0 - LEAST_STEP ** checked_steady(steady)
        self._lightness, self._chroma = past

    @property
    def past(self) -> tuple[Float | None, Float | None]:
        """What the next frame's chroma depends on: (h, w) L* and (2, h, w) a* and b*, or None."""
        return self._lightness, self._chroma

    def update(self, lightness: Float, chroma: Float, *, cut: bool) -> Float:
        """Take the next frame.

        Args:
            lightness: (h, w) float32 L* of the frame on the grid of its chroma.
            chroma: (2, h, w) float32 a* and b*.
            cut: whether it is the first frame of a shot. A frame of another size is one.

        Returns:
            (2, h, w) float32, every sample between what came and what was returned last;
            ``chroma`` itself where nothing is filtered.
        """
        known, before = self._lightness, self._chroma
        if self._held == 0.0:
            return chroma
        if cut or known is None or before is None or before.shape != chroma.shape:
            self._lightness, self._chroma = lightness, chroma
            return chroma
        relit = _relit(known, lightness)
        held = np.float32(self._held) * _stillness(relit, lightness)
        self._lightness = _between(lightness, relit, held)
        self._chroma = _between(chroma, before, held)
        self._chroma.flags.writeable = False  # the next frame's is made from it
        return self._chroma


class SteadyFeatures:
    """Says when to look at the global features of a film, and smooths them.

    Args:
        steady: 0, every frame's own, to 1.
        past: that of another one, to go on from there.

    Raises:
        ValueError: another steadiness.
    """

    def __init__(
        self,
        steady: float = DEFAULT_STEADY,
        past: tuple[int, Float | None, Float | None] = (-1, None, None),
    ) -> None:
        self._steady = checked_steady(steady)
        self._frame, self._target, self._now = past  # the frame's number in its shot

    @property
    def past(self) -> tuple[int, Float | None, Float | None]:
        """What the next frame's features depend on: the number of the last frame in its shot, -1
        before the first, and two (G,) vectors or None."""
        return self._frame, self._target, self._now

    def wanted(self, *, cut: bool) -> bool:
        """Whether the next frame's own features are needed; to be asked once a frame, in order."""
        self._frame = 0 if cut or self._frame < 0 else self._frame + 1
        return self._steady == 0.0 or self._frame % KEY_FRAMES == 0

    def update(self, own: Float | None) -> Float:
        """The features to colour the frame with.

        Args:
            own: (G,) float32 of this frame if they were wanted, else None.

        Returns:
            (G,) float32.
        """
        if self._steady == 0.0 and own is not None:
            return own
        if self._frame == 0:
            self._now = None
        if own is not None:
            self._target = own
        assert self._target is not None, "the first frame's features are wanted"
        if self._now is None:
            self._now = self._target
        else:
            # The first frame is no better than the next ones: at first all count alike.
            step = np.float32(max(LEAST_FEATURE_STEP**self._steady, 1.0 / (1 + self._frame)))
            self._now = self._now + step * (self._target - self._now)
        return self._now


def _stillness(before: Float, now: Float) -> Float:
    """How far each sample of a picture stands still, 1 to 0; (h, w) L* in the same light."""
    difference = np.abs(now - before)
    grain = min(1.4826 * float(np.median(_some(difference))), MOST_GRAIN)  # if it is normal
    reach = np.float32(math.hypot(STILL, 2.0 * grain))
    return np.asarray(1 / (1 + np.square(np.square(difference / reach))))


def _relit(before: Float, now: Float) -> Float:
    """``before`` in the light of ``now``: a gain and an offset that most of the picture agrees on.

    Least squares, weighted anew three times so that what moves does not count.
    """
    x, y = (_some(plane).astype(np.float64) for plane in (before, now))
    gain, offset = 1.0, float(np.median(y - x))
    for _ in range(3):
        apart = np.abs(y - gain * x - offset)
        weight = 1 / (1 + np.square(apart / (1.0 + float(np.median(apart)))))
        total = weight.sum()
        mean_x, mean_y = weight @ x / total, weight @ y / total
        spread = weight @ np.square(x - mean_x) / total
        together = weight @ ((x - mean_x) * (y - mean_y)) / total
        # One L* squared in favour of no gain: a plain surface says nothing of it.
        gain = min(max((together + 1.0) / (spread + 1.0), 0.5), 2.0)
        offset = mean_y - gain * mean_x
    return np.asarray(np.float32(gain) * before + np.float32(offset))


def _some(plane: Float) -> Float:
    """Samples from all over the plane, about `FITTED` at most."""
    every = math.isqrt(max(1, plane.size // FITTED))
    return plane[::every, ::every].ravel()


def _between(new: Float, old: Float, held: Float) -> Float:
    """``held`` of the old and the rest of the new, never beyond either."""
    mixed = new + held * (old - new)
    return np.clip(mixed, np.minimum(new, old), np.maximum(new, old))
