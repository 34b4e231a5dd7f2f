"""How much context a tile needs: the reach of a network's local path, measured by perturbation."""

from __future__ import annotations

import copy
import math

import torch

from trtcolor_train.decoder import BinCoding
from trtcolor_train.fold import fold
from trtcolor_train.models.network import ColorNetwork

LONGEST_STRIP = 4096  # pixels; a network that reaches further is called not tileable
DARK, BRIGHT = 80.0, 100.0  # L*, both positive however a network normalises its input


@torch.no_grad()
def measure_halo(network: ColorNetwork) -> int | None:
    """Pixels of context on each side beyond which nothing changes a tile's chroma.

    Half of a long strip is made brighter, from a multiple of ``dimensions.multiple`` on, as tiles
    begin there; the halo is how far the change spreads into the other half, on either side and
    along either axis. It is measured in float64 with positive weights of like size in the place of
    the network's: then nothing cancels, no ReLU blocks and nothing is lost to rounding, so that
    the measured reach is that of any weights.

    Args:
        network: with or without batch norm; left alone.

    Returns:
        The halo, rounded up to a multiple of ``dimensions.multiple``; None if the change spreads
        over more than half of `LONGEST_STRIP`.
    """
    positive = fold(copy.deepcopy(network).double())
    random = torch.Generator().manual_seed(0)
    for parameter in positive.parameters():
        inputs = math.prod(parameter.shape[1:])  # of one output
        parameter.uniform_(0.5, 1.5, generator=random).div_(inputs)
    step = network.dimensions.multiple
    length = 16 * step
    while length <= LONGEST_STRIP:
        reach = max(
            _reach(positive, length, axis, side) for axis in (2, 3) for side in ("before", "after")
        )
        if reach < length // 2:
            return max(-(-reach // step) * step, step)
        length *= 2
    return None


def _reach(network: ColorNetwork, length: int, axis: int, brighter: str) -> int:
    """How far, in pixels, a change in one half of a strip along ``axis`` spreads into the other."""
    d = network.dimensions
    shape = [1, 1, d.multiple, d.multiple]
    shape[axis] = length
    middle = length // (2 * d.multiple) * d.multiple
    plain = torch.full(shape, DARK, dtype=torch.float64)
    changed = plain.clone()
    half = slice(None, middle) if brighter == "before" else slice(middle, None)
    changed.movedim(axis, 0)[half] = BRIGHT
    features = torch.ones(1, d.global_width, dtype=torch.float64) if d.global_width else None
    outputs = []
    for lightness in (plain, changed):
        output = network.paint(lightness, features)
        if isinstance(network.coding, BinCoding):
            output = network.coding.smoothed(output)
        outputs.append(output.movedim(axis, 0).flatten(1))
    differs = (outputs[0] != outputs[1]).any(dim=1).nonzero()[:, 0] * d.chroma_scale
    if not len(differs):
        return 0
    if brighter == "before":
        return max(int(differs[-1]) + d.chroma_scale - middle, 0)
    return max(middle - int(differs[0]), 0)
