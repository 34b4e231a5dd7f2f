"""A picture of noise, which no step of the way may change unseen."""

from __future__ import annotations

import numpy as np

PIXELS = np.random.default_rng(0).integers(0, 256, (40, 60), dtype=np.uint8)
