"""Turning and mirroring a picture as a container asks players to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Turn:
    """A quarter turn or mirroring of a picture.

    Attributes:
        transpose: rows become columns, first of all.
        mirror_columns, mirror_rows: left and right, then top and bottom, change places.
    """

    transpose: bool
    mirror_columns: bool
    mirror_rows: bool

    def of(self, plane: NDArray[Any]) -> NDArray[Any]:
        """A view of an (H, W) plane as it is to be shown."""
        turned = plane.T if self.transpose else plane
        if self.mirror_columns:
            turned = turned[:, ::-1]
        return turned[::-1] if self.mirror_rows else turned


def turn_from_matrix(matrix: Sequence[int]) -> Turn | None:
    """What a display matrix of FFmpeg (nine numbers, row by row) does to the picture.

    It sends the sample in column p and row q to x = a p + c q and y = b p + d q, with a, b its
    first two numbers and c, d its fourth and fifth.

    Returns:
        None: it turns by an angle that is no multiple of 90 degrees.
    """
    a, b, c, d = np.sign([matrix[0], matrix[1], matrix[3], matrix[4]]).tolist()
    if a and d and not (b or c):
        return Turn(transpose=False, mirror_columns=a < 0, mirror_rows=d < 0)
    if b and c and not (a or d):
        return Turn(transpose=True, mirror_columns=c < 0, mirror_rows=b < 0)
    return None
