"""Coloured frames made by hand, for what writes them."""

from __future__ import annotations

from typing import Any

import numpy as np

from trtcolor.video.frames import ColouredFrame, LumaFrame


def coloured_by_hand(frame: LumaFrame, seed: int = 0) -> ColouredFrame:
    """Random U and V planes, and chroma that has nothing to do with them."""
    rng = np.random.default_rng(seed)
    shape = frame.signal.chroma_size(frame.size)
    u, v = rng.integers(0, 1 << frame.signal.depth, (2, *shape), frame.luma.dtype)
    chroma = rng.normal(0, 20, (2, 3, 4)).astype(np.float32)
    tag: Any = frame.tag
    return ColouredFrame(frame.luma, u, v, frame.signal, frame.time, tag, chroma, False)
