"""What colouring the next frame of a film depends on, to go on in another process."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Float = NDArray[np.float32]
Stored = Mapping[str, NDArray[Any]]


@dataclass(frozen=True, eq=False)
class FilmState:
    """As it was right after a frame was judged, coloured and filtered, whatever was read ahead.

    The arrays are never written to, so that one costs no copies. From the state after a frame the
    following frames get the very chroma that they would have got without the break.

    Attributes:
        size: (height, width) of the frame.
        cells: (n, rows, columns) float32, the latest frames as the detector of cuts sees them.
        differences: (m,) float64, between those of the shot.
        shot_frame: the frame's number in its shot; -1: features are not shared.
        target, features: (G,) float32, what the global features move toward, and where they are.
        lightness, chroma: (h, w) and (2, h, w) float32, what the filter along time holds on to.
    """

    size: tuple[int, int]
    cells: tuple[Float, ...]
    differences: tuple[float, ...]
    shot_frame: int = -1
    target: Float | None = None
    features: Float | None = None
    lightness: Float | None = None
    chroma: Float | None = None

    def arrays(self) -> dict[str, NDArray[Any]]:
        """By name, as ``np.savez`` keeps them; what is None is left out."""
        known: dict[str, NDArray[Any]] = {
            "size": np.array(self.size, np.int64),
            "cells": np.stack(self.cells),
            "differences": np.array(self.differences, np.float64),
            "shot_frame": np.array(self.shot_frame, np.int64),
        }
        optional = {name: getattr(self, name) for name in _OPTIONAL}
        return known | {name: array for name, array in optional.items() if array is not None}

    @classmethod
    def from_arrays(cls, stored: Stored) -> FilmState:
        """The same again.

        Raises:
            KeyError: one that is never None is missing.
        """
        height, width = stored["size"].tolist()
        return cls(
            (height, width),
            tuple(stored["cells"]),
            tuple(stored["differences"].tolist()),
            int(stored["shot_frame"]),
            *(stored.get(name) for name in _OPTIONAL),
        )


_OPTIONAL = ("target", "features", "lightness", "chroma")
