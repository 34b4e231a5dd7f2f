"""Scene cuts, found on luminance while the frames go by.

Frames are reduced to some hundred cells of L*, so that grain and small motion average out, and two
of them are compared by the energy of their difference after each one's mean is taken off: 0 for the
same picture however bright, about 1 for two that have nothing in common. A cut lies where each of
the few frames before differs so from each of the few behind. One rule, and

- a flash or a damaged frame is none, for the frames behind it resemble those before;
- a pan or a fade is none, for its neighbouring frames resemble each other;
- shaking and fast action must be exceeded: the difference has to stand out from those between
  neighbours before and behind.

Dissolves, which are fades of two pictures, are not found, and neither is a cut between two plain
surfaces that differ in brightness only; a shot of fewer than REACH frames counts to the one before.

The rule is this project's own; its form, a threshold against the recent past, is that of adaptive
detectors, as PySceneDetect's. It finds the three cuts of a black-and-white newsreel of 360 frames
and the six of a cartoon's 1440, and no other.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from trtcolor import color
from trtcolor.resize import resize_plane

CELLS = (18, 24)
"""Rows and columns to which the lightness is reduced."""

REACH = 3
"""Frames looked at on either side of a cut; a flash may last one less."""

LEAST = 0.35
"""Difference below which nothing is a cut."""

OUTSTANDING = 3.0
"""How many times as large as the differences around it that of a cut is at least."""

RECENT = 12
"""Differences between neighbours of the shot so far whose median is looked at."""

NOISE = 4.0
"""Variance, in L* squared, added to every picture's own: two empty ones are alike."""

Frame = NDArray[np.uint8]
Cells = NDArray[np.float32]


def with_cuts(frames: Iterable[Frame]) -> Iterator[tuple[Frame, bool]]:
    """Each frame with whether it is the first of a shot; the clip's first frame is.

    At most REACH frames are held back.

    Args:
        frames: uint8 RGB (H, W, 3), in order.
    """
    waiting: deque[Frame] = deque()
    detector = CutDetector()
    for frame in frames:
        waiting.append(frame)
        cut = detector.update(color.lightness_from_rgb(frame))
        if cut is not None:
            yield waiting.popleft(), cut
    for cut in detector.finish():
        yield waiting.popleft(), cut


class CutDetector:
    """Says of each frame whether it begins a shot, some frames after it has come.

    Args:
        before, recent: `past` of another one, to go on from there.
    """

    def __init__(self, before: Iterable[Cells] = (), recent: Iterable[float] = ()) -> None:
        self._before: deque[Cells] = deque(before, maxlen=REACH)  # those judged last
        self._ahead: deque[Cells] = deque()  # the frame to be judged next, and those behind it
        self._recent: deque[float] = deque(recent, maxlen=RECENT)

    @property
    def past(self) -> tuple[tuple[Cells, ...], tuple[float, ...]]:
        """What judging the next frame depends on of those that were judged."""
        return tuple(self._before), tuple(self._recent)

    def update(self, lightness: NDArray[np.float32]) -> bool | None:
        """Take the next frame's L*, float32 (H, W).

        Returns:
            Whether the frame REACH - 1 updates ago begins a shot; None before there is one.
        """
        cells = resize_plane(lightness, CELLS)
        self._ahead.append(cells - cells.mean())
        return self._judge() if len(self._ahead) == REACH else None

    def finish(self) -> Iterator[bool]:
        """The same of the frames that are left, at the clip's end."""
        while self._ahead:
            yield self._judge()

    def _judge(self) -> bool:
        first = not self._before
        cut = first
        if not first:
            neighbours = _difference(self._before[-1], self._ahead[0])
            # They decide nearly every frame; only if they differ is more compared.
            cut = neighbours > LEAST and self._stands_out()
            if cut:
                self._recent.clear()
            else:
                self._recent.append(neighbours)
        self._before.append(self._ahead.popleft())
        return cut

    def _stands_out(self) -> bool:
        steps = [_difference(one, other) for one, other in pairwise(self._ahead)]
        usual = max(
            float(np.median(self._recent)) if self._recent else 0.0,
            float(np.mean(steps)) if steps else 0.0,
        )
        least = max(LEAST, OUTSTANDING * usual)
        return all(
            _difference(before, behind) > least for before in self._before for behind in self._ahead
        )


def _difference(one: Cells, other: Cells) -> float:
    """Energy of the difference over the energies of both, of cells without their means: 0 to 2.

    1 - (2 cov + c) / (var1 + var2 + c): what SSIM's term of contrast and structure says.
    """
    apart = one - other
    energy = float(np.vdot(apart, apart)) / one.size
    own = float(np.vdot(one, one) + np.vdot(other, other)) / one.size
    return energy / (own + NOISE)
