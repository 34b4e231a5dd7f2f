"""One array in many places of memory: strides, byte orders and alignments that NumPy knows."""

import numpy as np

POISON = 77
VIEWS = {
    "contiguous": lambda a: a.copy(),
    "fortran": np.asfortranarray,
    "flipped": lambda a: np.flip(np.flip(a).copy()),
    "stepped": lambda a: np.repeat(a, 3, axis=1)[:, 1::3],
    "cropped": lambda a: np.pad(a, 2)[tuple(slice(2, 2 + side) for side in a.shape)],
    "read-only": lambda a: np.frombuffer(a.tobytes(), a.dtype).reshape(a.shape),
    "big-endian": lambda a: a.astype(a.dtype.newbyteorder(">")),
    "misaligned": lambda a: np.frombuffer(b"x" + a.tobytes(), a.dtype, offset=1).reshape(a.shape),
}
WRITEABLE = ["contiguous", "fortran", "flipped", "stepped", "cropped"]


def poisoned(name, like):
    """An output of the shape and dtype of `like`, in the view `name`, full of POISON."""
    return VIEWS[name](np.full(like.shape, POISON, like.dtype))
