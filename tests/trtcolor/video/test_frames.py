"""A frame of luma is what its signal says, or refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from trtcolor.video.frames import LumaFrame, Signal, usual_matrix


def test_untagged_frames_are_of_bt709_from_720_rows() -> None:
    assert usual_matrix((720, 9)) == "bt709"
    assert usual_matrix((719, 1280)) == "bt601"


@pytest.mark.parametrize(
    ("name", "wrong"),
    [
        ("depth", 7),
        ("depth", 17),
        ("range", "video"),
        ("matrix", "bt470"),
        ("subsampling", 411),
        ("siting", "right"),
    ],
)
def test_a_signal_that_cannot_be_is_refused(name: str, wrong: Any) -> None:
    with pytest.raises(ValueError, match=f"{name} is"):
        Signal(**{name: wrong})


@pytest.mark.parametrize(("subsampling", "size"), [(420, (3, 4)), (422, (5, 4)), (444, (5, 7))])
def test_chroma_planes_of_odd_sizes_are_rounded_up(subsampling: Any, size: tuple[int, int]) -> None:
    assert Signal(subsampling=subsampling).chroma_size((5, 7)) == size


@pytest.mark.parametrize("depth", range(8, 17))
def test_samples_are_of_the_depth(depth: int) -> None:
    signal = Signal(depth=depth)
    plane = np.zeros((3, 5), np.uint8 if depth == 8 else np.uint16)
    assert LumaFrame(plane, signal).size == (3, 5)
    other = plane.astype(np.uint16 if depth == 8 else np.uint8)
    with pytest.raises(TypeError, match=f"{plane.dtype} was needed"):
        LumaFrame(other, signal)


@pytest.mark.parametrize("shape", [(0, 4), (4, 0), (4,), (4, 4, 1)])
def test_a_plane_of_another_shape_is_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="was needed"):
        LumaFrame(np.zeros(shape, np.uint8), Signal())


def test_what_is_no_array_is_refused() -> None:
    with pytest.raises(TypeError, match="luma of list"):
        LumaFrame([[1]], Signal())  # type: ignore[arg-type]
