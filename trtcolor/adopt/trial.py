"""A network tried out: which grid its colours have, and whether the wrapped graph says the same."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from trtcolor.adopt.network import Network
from trtcolor.adopt.reference import Reference
from trtcolor.adopt.spec import NetworkSpec
from trtcolor.adopt.wrap import INPUT, OUTPUT
from trtcolor.backends.base import Runner
from trtcolor.errors import ExportError
from trtcolor.geometry import MERGE_SCALES, Size, padded_size

Float = NDArray[np.float32]


@dataclass(frozen=True)
class Grid:
    """Where the samples of the chroma lie.

    Attributes:
        scale: pixels per sample of what the wrapped graph gives, one of `MERGE_SCALES`.
        resizes: whether the network itself gives another grid.
        multiple: of which the sides of the graph's input are multiples.
    """

    scale: int
    resizes: bool
    multiple: int

    def sizes(self, fixed: Size) -> list[Size]:
        """Sizes (height, width) to try: the least, narrow ones, and one larger than a fixed one."""
        height, width = fixed
        tried = [(1, 1), (1, 3 * self.multiple), (97, 64), (3 * height // 2, 5 * width // 4)]
        return [padded_size(size, self.multiple) for size in tried if min(size)]


def measure_grid(network: Network, spec: NetworkSpec, reference: Reference) -> Grid:
    """Run the network at a few sizes and see what comes out.

    Raises:
        ExportError: it fails, or gives a grid of which nothing is known.
    """
    if spec.size.fixed != (0, 0):
        reference.output(trial_picture(spec.size.fixed))
        scale = spec.size.chroma_scale or 1
        return Grid(scale, resizes=True, multiple=scale)
    multiple = spec.size.multiple
    found: set[float] = set()
    for size in ((multiple, multiple), (3 * multiple, 5 * multiple), (65, 97)):
        height, width = padded_size(size, multiple)
        h, w = reference.output(trial_picture((height, width))).shape[1:]
        found |= {height / h, width / w}
        if len(found) > 1 or min(found) < 1 or height % h:
            raise ExportError(
                f"{network.path} gives colours of {h}x{w} for {height}x{width} pixels; one sample "
                "for each square of as many pixels at every size was needed; state size.multiple "
                "(sides that it can halve as often as it does) or size.fixed in the spec"
            )
    own = int(found.pop())
    scale = spec.size.chroma_scale or max(s for s in MERGE_SCALES if s <= own)
    return Grid(scale, resizes=scale != own, multiple=math.lcm(multiple, scale))


def compare(
    runner: Runner,
    reference: Reference,
    grid: Grid,
    fixed: Size,
    *,
    tolerance: float,
    batch: int | None,
) -> float:
    """Hold the wrapped graph against the network run by hand.

    Args:
        runner: of the graph.
        reference: of the network.
        grid: that was wrapped for.
        fixed: the network's only size, (0, 0) for any.
        tolerance: of a difference, as a part of the largest |a*b*|.
        batch: of the graph; None: pairs of pictures are tried as well.

    Returns:
        The largest difference of a* or b*.

    Raises:
        BackendError: the graph fails.
        ExportError: it gives another shape, numbers that are not finite, or too different ones.
    """
    largest = 0.0
    for number, size in enumerate(grid.sizes(fixed)):
        count = 2 if batch is None and number >= 2 else 1
        pictures = np.stack([trial_picture(size, seed) for seed in range(count)])
        (found,) = runner.run("local", {INPUT: pictures[:, None]}, [OUTPUT])
        shape = (size[0] // grid.scale, size[1] // grid.scale)
        expected = np.stack([reference.chroma(picture, shape) for picture in pictures])
        same = found.shape == expected.shape and bool(np.isfinite(found).all())
        difference = float(np.abs(found - expected).max()) if same else math.inf
        if not difference <= tolerance * max(1.0, float(np.abs(expected).max())):
            raise ExportError(
                f"the wrapped graph gives other colours than the network run by hand for {count} "
                f"of {size[0]}x{size[1]} (off by {difference:g}); the same were needed; check that "
                "the network gives the same twice, or report this as a fault of trtcolor"
            )
        largest = max(largest, difference)
    return largest


def trial_picture(size: Size, seed: int = 0) -> Float:
    """(H, W) float32 L* of all kinds: black, white, ramps and texture."""
    rng = np.random.default_rng(seed)
    rows, columns = (np.linspace(-20, 80, side, dtype=np.float32) for side in size)
    texture = rng.normal(0, 10, size).astype(np.float32)
    picture: Float = (rows[:, None] + columns[None, ::-1] * (1 - seed) + texture).clip(0, 100)
    return picture
