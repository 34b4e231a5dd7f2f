"""A film broken off anywhere and gone on with has the chroma of an unbroken one."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from clips import grainy, scene

from trtcolor.colorizer import Colorizer
from trtcolor.video.frames import ColouredFrame, LumaFrame, Signal
from trtcolor.video.state import FilmState
from trtcolor.video.stream import color_frames


def film() -> list[LumaFrame]:
    """Three shots, one shorter than the detector looks, under grain; one of another size."""
    shots = [(1, 11, 72), (2, 2, 72), (3, 9, 72), (4, 4, 40)]
    lumas = [
        grainy(scene(seed, height=height), 100 * seed + index)[:, :, 1]
        for seed, count, height in shots
        for index in range(count)
    ]
    return [LumaFrame(np.ascontiguousarray(luma), Signal()) for luma in lumas]


def coloured(
    colorizer: Colorizer, frames: list[LumaFrame], steady: float, state: FilmState | None = None
) -> list[ColouredFrame]:
    with closing(color_frames(colorizer, frames, steady=steady, state=state)) as stream:
        return list(stream)


@pytest.fixture
def colorizer(make_bundle: Callable[..., Path]) -> Iterator[Colorizer]:
    with Colorizer(make_bundle(global_size=16, render_size=32), threads=1) as colorizer:
        yield colorizer


@pytest.mark.parametrize("steady", [0.0, 0.8])
def test_what_follows_a_stored_state_is_as_if_nothing_had_been_broken_off(
    steady: float, colorizer: Colorizer
) -> None:
    frames = film()
    whole = coloured(colorizer, frames, steady)
    assert sum(frame.cut for frame in whole) > 1
    for number in range(1, len(frames)):
        file = io.BytesIO()
        state = whole[number - 1].state
        assert state is not None
        np.savez(file, **state.arrays())
        with np.load(io.BytesIO(file.getvalue()), allow_pickle=False) as stored:
            state = FilmState.from_arrays(dict(stored))
        for one, other in zip(
            coloured(colorizer, frames[number:], steady, state), whole[number:], strict=True
        ):
            assert np.array_equal(one.chroma, other.chroma), number
            assert one.cut == other.cut


def test_a_state_takes_part_in_what_follows(colorizer: Colorizer) -> None:
    frames = film()
    whole = coloured(colorizer, frames, 0.8)
    alone = coloured(colorizer, frames[6:], 0.8)
    assert not np.array_equal(alone[0].chroma, whole[6].chroma)
