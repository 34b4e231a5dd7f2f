"""What trtcolor.color refuses, in one sentence.

Every test runs on every variant of the kernels that this processor has.
"""

import numpy as np
import pytest

from trtcolor import color
from trtcolor.resize import resize_plane, resize_weights

pytestmark = pytest.mark.usefixtures("every_variant")


RGB = np.zeros((4, 6, 3), np.uint8)
LAB = np.zeros((4, 6, 3), np.float32)
PLANE = np.zeros((4, 6), np.float32)
CHROMA = np.zeros((2, 2, 3), np.float32)
READ_ONLY = np.broadcast_to(np.float32(0), LAB.shape)
SELF_OVERLAPPING = np.lib.stride_tricks.as_strided(np.zeros(99, np.float32), LAB.shape, (4, 4, 4))
REFUSED = {
    "float64 RGB": (TypeError, lambda: color.lab_from_rgb(RGB / 255)),
    "a list of numbers": (TypeError, lambda: color.lab_from_rgb([[[1, 2, 3]]])),
    "no array at all": (TypeError, lambda: color.lab_from_rgb(None)),
    "uint8 Lab": (TypeError, lambda: color.rgb_from_lab(RGB)),
    "four channels": (ValueError, lambda: color.lab_from_rgb(np.zeros((4, 6, 4), np.uint8))),
    "a plane for a picture": (ValueError, lambda: color.lightness_from_rgb(RGB[..., 0])),
    "a picture for a plane": (ValueError, lambda: color.lightness_from_grey(RGB)),
    "the other layout": (ValueError, lambda: color.lab_from_rgb(RGB, layout="chw")),
    "an unknown layout": (ValueError, lambda: color.lab_from_rgb(RGB, layout="HWC")),
    "an unknown layout of a merge": (
        ValueError,
        lambda: color.merge_lab(PLANE, CHROMA, scale=2, layout="nhwc"),
    ),
    "an unknown gamut": (ValueError, lambda: color.rgb_from_lab(LAB, gamut="clamp")),
    "a word that is no dtype": (TypeError, lambda: color.rgb_from_lab(LAB, dtype="bytes24")),
    "a word that NumPy does not parse": (TypeError, lambda: color.rgb_from_lab(LAB, dtype="(2,")),
    "an array for a word": (ValueError, lambda: color.rgb_from_lab(LAB, gamut=LAB)),
    "an array for threads": (TypeError, lambda: color.lab_from_rgb(RGB, threads=LAB)),
    "an array for a size": (ValueError, lambda: resize_plane(PLANE, LAB)),
    "an array of words": (
        TypeError,
        lambda: color.lab_from_rgb(np.array(["red"], "T" if np.__version__ >= "2" else "U")),
    ),
    "rows of unlike lengths": (ValueError, lambda: color.lightness_from_grey([[1, 2], [3]])),
    "uint16 RGB": (TypeError, lambda: color.luv_from_rgb(RGB.astype(np.uint16))),
    "float64 lightness": (
        TypeError,
        lambda: color.merge_lab(PLANE.astype(np.float64), CHROMA, scale=2),
    ),
    "uint8 chroma": (TypeError, lambda: color.merge_lab(PLANE, CHROMA.astype(np.uint8), scale=2)),
    "an unknown format": (
        ValueError,
        lambda: color.merge_lab(PLANE, CHROMA, scale=2, format="rgba"),
    ),
    "out of another format": (
        TypeError,
        lambda: color.merge_lab(PLANE, CHROMA, scale=2, format="rgb48", out=RGB.copy()),
    ),
    "no threads": (ValueError, lambda: color.lab_from_rgb(RGB, threads=0)),
    "fewer than no threads": (ValueError, lambda: color.rgb_from_luv(LAB, threads=-2)),
    "half a thread": (TypeError, lambda: color.merge_lab(PLANE, CHROMA, scale=2, threads=0.5)),
    "a truth for threads": (TypeError, lambda: color.lightness_from_grey(PLANE, threads=True)),
    "a word for threads": (TypeError, lambda: resize_plane(PLANE, (2, 2), threads="2")),
    "half a thread by default": (TypeError, lambda: color.set_threads(1.5)),
    "no threads by default": (ValueError, lambda: color.set_threads(0)),
    "an unknown dtype": (TypeError, lambda: color.rgb_from_lab(LAB, dtype=np.uint16)),
    "no rows": (ValueError, lambda: color.lab_from_rgb(RGB[:0])),
    "no columns": (ValueError, lambda: color.lightness_from_grey(PLANE[:, :0])),
    "out of another shape": (ValueError, lambda: color.lab_from_rgb(RGB, out=LAB[1:])),
    "out of another dtype": (TypeError, lambda: color.lab_from_rgb(RGB, out=RGB.copy())),
    "out of swapped bytes": (TypeError, lambda: color.lab_from_rgb(RGB, out=LAB.astype(">f4"))),
    "out that is a list": (TypeError, lambda: color.lab_from_rgb(RGB, out=[0])),
    "read-only out": (ValueError, lambda: color.lab_from_rgb(RGB, out=READ_ONLY)),
    "out that overlaps itself": (
        ValueError,
        lambda: color.lab_from_rgb(RGB, out=SELF_OVERLAPPING),
    ),
    "misaligned out": (
        ValueError,
        lambda: color.lab_from_rgb(
            RGB, out=np.zeros(289, np.uint8)[1:].view(np.float32).reshape(LAB.shape)
        ),
    ),
    "out that is the input": (
        ValueError,
        lambda: color.rgb_from_lab(LAB, dtype=np.float32, out=LAB),
    ),
    "out that is the input backwards": (
        ValueError,
        lambda: resize_plane(PLANE, PLANE.shape, out=PLANE[::-1]),
    ),
    "out over the chroma": (
        ValueError,
        lambda: color.merge_lab(
            np.zeros((2, 2), np.float32),
            CHROMA[:, :1, :1],
            scale=2,
            format="rgbf32",
            out=CHROMA.reshape(2, 2, 3),
        ),
    ),
    "out over the grey": (
        ValueError,
        lambda: color.merge_lab(RGB[..., 0], CHROMA, scale=2, out=RGB),
    ),
    "chroma of another scale": (ValueError, lambda: color.merge_lab(PLANE, CHROMA, scale=4)),
    "chroma with three channels": (
        ValueError,
        lambda: color.merge_lab(PLANE, np.zeros((3, 2, 3), np.float32), scale=2),
    ),
    "scale True": (ValueError, lambda: color.merge_lab(PLANE, CHROMA, scale=True)),
    "scale 2.0": (ValueError, lambda: color.merge_lab(PLANE, CHROMA, scale=2.0)),
    "scale 3": (ValueError, lambda: color.merge_lab(PLANE, CHROMA, scale=3)),
    "a picture to resize_plane": (ValueError, lambda: resize_plane(LAB[None], (2, 2))),
    "size 0": (ValueError, lambda: resize_plane(PLANE, (0, 2))),
    "one size": (ValueError, lambda: resize_plane(PLANE, 2)),
    "a fraction of a pixel": (ValueError, lambda: resize_plane(PLANE, (2.5, 2))),
    "a size beyond memory": (ValueError, lambda: resize_plane(PLANE, (2**62, 2**62))),
    "weights to half a sample": (TypeError, lambda: resize_weights(3, 1.5)),
    "weights to size 0": (ValueError, lambda: resize_weights(3, 0)),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refusal_is_one_sentence(case):
    error, call = REFUSED[case]
    with pytest.raises(error) as caught:
        call()
    message = str(caught.value)
    assert len(message) <= 200
    assert "\n" not in message
    assert ". " not in message
    assert "but" in message
    assert "; " in message
