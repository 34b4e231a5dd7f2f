"""Pictures of noise, which no step of the way may change unseen."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


def picture(*shape: int, dtype: type = np.uint8, seed: int = 1) -> NDArray[Any]:
    """Codes of the whole range of ``dtype``, the same for the same seed."""
    top = np.iinfo(dtype).max
    return np.random.default_rng(seed).integers(0, top, shape, dtype, endpoint=True)


PIXELS = picture(40, 60, seed=0)
