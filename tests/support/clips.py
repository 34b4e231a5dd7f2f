"""Synthetic scenes for clips, and clips written to a file."""

from collections.abc import Iterable
from pathlib import Path

import av
import numpy as np
from PIL import Image


def scene(seed, height=72, width=96, detail=5):
    """A smooth colour picture of its own, uint8 (H, W, 3)."""
    small = np.random.default_rng(seed).integers(20, 236, (detail, detail + 2, 3), np.uint8)
    return np.asarray(Image.fromarray(small).resize((width, height), Image.Resampling.BICUBIC))


def grainy(frame, seed, strength=6.0):
    """The frame with film grain, the same in all three channels."""
    grain = np.random.default_rng(seed).normal(0, strength, (*frame.shape[:2], 1))
    return (frame + grain).clip(0, 255).astype(np.uint8)


def write_clip(path: Path, frames: Iterable[np.ndarray], grey: bool = False) -> Path:
    """Write uint8 RGB frames as lossless FFV1 in Matroska; ``grey``: their luma only."""
    with av.open(str(path), "w") as container:
        stream = None
        for frame in frames:
            if stream is None:
                stream = container.add_stream("ffv1", rate=24)
                stream.height, stream.width = frame.shape[:2]
                stream.pix_fmt = "gray" if grey else "bgr0"
            container.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
        container.mux(stream.encode(None))
    return path
