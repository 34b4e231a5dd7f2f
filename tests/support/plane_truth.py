"""U and V of a Y' plane in float64, from the definition, and what the tests of them draw."""

import numpy as np
from colour_truth import coded, true_lab, true_linear
from hypothesis import strategies as st

WEIGHTS = {
    "bt601": np.array([0.299, 0.587, 0.114]),
    "bt709": np.array([0.2126, 0.7152, 0.0722]),
    "bt2020": np.array([0.2627, 0.6780, 0.0593]),
}
HALVED = {420: (2, 2), 422: (1, 2), 444: (1, 1)}


def true_colour(luma, a, b, weights):
    """R'G'B' with this luma and a*b*, by bisection on L*, and where it lies in sRGB."""

    def linear_at(lightness):
        return true_linear(np.stack([lightness, a, b], axis=-1))

    low, high = np.full(luma.shape, -20.0), np.full(luma.shape, 140.0)
    for _ in range(50):
        middle = (low + high) / 2
        above = coded(linear_at(middle).clip(0, 1)) @ weights > luma
        low, high = np.where(above, low, middle), np.where(above, middle, high)
    linear = linear_at(low)
    return coded(linear.clip(0, 1)), ((linear >= 0) & (linear <= 1)).all(axis=-1)


def codes_of(depth, range_):
    """Black, white - black; zero chroma, chroma of 1 - zero chroma."""
    step = 2 ** (depth - 8)
    if range_ == "limited":
        return 16 * step, 219 * step, 128 * step, 224 * step
    return 0, 2**depth - 1, 128 * step, 2**depth - 1


def true_reading(size, halved, samples, scale, cosited):
    """The matrix that reads `samples` network samples of an axis at its chroma samples."""
    centres = np.arange(-(-size // halved)) * halved + (0.5 if cosited else halved / 2)
    position = (centres * (1 / scale if scale else samples / size) - 0.5).clip(0, samples - 1)
    return (1 - abs(position[:, None] - np.arange(samples))).clip(0, 1)


def true_planes(y, chroma, scale, subsampling, depth, matrix, range_, siting):
    """Codes of U and V before rounding, and where the colour lies in sRGB."""
    (height, width), (down, across) = y.shape, HALVED[subsampling]
    black, span, zero, chroma_span = codes_of(depth, range_)
    padded = np.full((height + height % down, width + width % across), np.nan)
    padded[:height, :width] = y
    blocks = padded.reshape(padded.shape[0] // down, down, padded.shape[1] // across, across)
    luma = ((np.nanmean(blocks, axis=(1, 3)) - black) / span).clip(0, 1)
    top, left = siting == "topleft", siting != "center"
    rows = true_reading(height, down, chroma.shape[1], scale, top and down == 2)
    columns = true_reading(width, across, chroma.shape[2], scale, left and across == 2)
    a, b = (rows @ plane.astype(np.float64) @ columns.T for plane in chroma)
    rgb, inside = true_colour(luma, a, b, WEIGHTS[matrix])
    u = (rgb[..., 2] - luma) / (2 - 2 * WEIGHTS[matrix][2])
    v = (rgb[..., 0] - luma) / (2 - 2 * WEIGHTS[matrix][0])
    return zero + chroma_span * u, zero + chroma_span * v, inside


def decoded(y, u, v, depth, matrix, range_):
    """R'G'B' of 4:4:4 codes."""
    black, span, zero, chroma_span = codes_of(depth, range_)
    red, green, blue = WEIGHTS[matrix]
    luma = ((y.astype(np.float64) - black) / span).clip(0, 1)
    r = luma + (2 - 2 * red) * (v.astype(np.float64) - zero) / chroma_span
    b = luma + (2 - 2 * blue) * (u.astype(np.float64) - zero) / chroma_span
    return np.stack([r, (luma - red * r - blue * b) / green, b], axis=-1)


DEPTHS = st.integers(8, 16)
MATRICES = st.sampled_from(sorted(WEIGHTS))
RANGES = st.sampled_from(["limited", "full"])
SITINGS = st.sampled_from(["left", "center", "topleft"])
SUBSAMPLINGS = st.sampled_from([420, 422, 444])
SCALES = st.sampled_from([1, 2, 4, None])
SEEDS = st.integers(0, 2**32 - 1)
SIDES = st.integers(1, 21)


def dtype_of(depth):
    return np.uint8 if depth == 8 else np.uint16


def any_luma(rng, shape, depth):
    return rng.integers(0, 2**depth, shape).astype(dtype_of(depth))


def network_size(rng, height, width, scale):
    return (-(-height // scale), -(-width // scale)) if scale else tuple(rng.integers(1, 22, 2))


def any_chroma(rng, shape, reach):
    return rng.uniform(-reach, reach, (2, *shape)).astype(np.float32)


def colours_of_srgb(seed, shape, depth, matrix, range_):
    """Y' codes and the a*b* of random colours, dark and saturated ones among them."""
    rng = np.random.default_rng(seed)
    rgb = rng.random((*shape, 3))
    rgb[::3] **= 3
    rgb[1::3] = (1.6 * rgb[1::3] - 0.3).clip(0, 1)
    black, span, *_ = codes_of(depth, range_)
    y = np.rint(black + span * (rgb @ WEIGHTS[matrix])).astype(dtype_of(depth))
    return y, np.moveaxis(true_lab(rgb)[..., 1:], -1, 0).astype(np.float32)
