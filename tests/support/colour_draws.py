"""What the tests of the colour kernels draw: sizes, layouts, colours, pictures to merge."""

import numpy as np
from hypothesis import strategies as st

SIDES = st.integers(1, 21)
SEEDS = st.integers(0, 2**32 - 1)
GAMUTS = st.sampled_from(["clip", "reduce"])
LAYOUTS = st.sampled_from(["hwc", "chw"])


def random_lab(rng, *shape, reach=60.0):
    lab = rng.uniform(-reach, reach, (*shape, 3)).astype(np.float32)
    lab[..., 0] = rng.uniform(0, 100, shape)
    return lab


def in_gamut(linear):
    return ((linear >= 0) & (linear <= 1)).all(axis=-1)


def random_merge(seed, height, width, scale):
    rng = np.random.default_rng(seed)
    h, w = (-(-height // scale), -(-width // scale)) if scale else rng.integers(1, 22, 2)
    lightness = rng.uniform(0, 100, (height, width)).astype(np.float32)
    return lightness, rng.uniform(-90, 90, (2, h, w)).astype(np.float32)


def planar(array, layout):
    return array if layout == "hwc" else array.transpose(2, 0, 1)
