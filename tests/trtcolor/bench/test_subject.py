"""The steps of a frame's way are timed apart, with a clock that is told the time."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from trtcolor.bench.candidates import KNOWN, open_candidate
from trtcolor.bench.picture import grey_frames
from trtcolor.bench.subject import Subject
from trtcolor.colorizer import Colorizer

MakeBundle = Callable[..., Path]


class Ticks:
    """A clock that goes on by 1, 2, 3, ... seconds from reading to reading, four to a round."""

    def __init__(self, *steps: float) -> None:
        self.now, self.readings, self.steps = 0.0, 0, steps

    def __call__(self) -> float:
        self.now += self.steps[self.readings % len(self.steps)]
        self.readings += 1
        return self.now


def test_steps_are_timed_apart(make_bundle: MakeBundle) -> None:
    clock = Ticks(1, 2, 3, 4)  # before prepare, prepare, predict, merge
    opened = open_candidate(KNOWN[0], make_bundle(global_size=32), threads=1, render="full")
    subject = Subject(*opened, grey_frames((20, 30), 1)[0], clock=clock)
    assert [subject.run() for _ in range(2)] == [(2, 3, 4, 9)] * 2
    assert (subject.graph, subject.network) == ("local", (24, 32))


def test_the_device_has_finished_before_each_reading_of_the_clock(make_bundle: MakeBundle) -> None:
    events: list[str] = []

    def clock() -> float:
        events.append("clock")
        return 0.0

    opened = open_candidate(KNOWN[0], make_bundle(), threads=1, render="full")
    wait = lambda: events.append("wait")  # noqa: E731
    Subject(*opened, grey_frames((8, 8), 1)[0], clock=clock, synchronize=wait).run()
    assert events == ["wait", "clock"] * 4


@pytest.mark.parametrize("size", [(32, 32), (20, 30)], ids=["joint", "global and local"])
def test_a_batch_gives_each_frame_its_own_colours(
    size: tuple[int, int], make_bundle: MakeBundle, monkeypatch: pytest.MonkeyPatch
) -> None:
    bundle, merged = make_bundle(global_size=32), []
    frames, _ = grey_frames(size, 3)
    colorizer, runner = open_candidate(KNOWN[0], bundle, threads=1, render="full")
    merge = colorizer.merge
    monkeypatch.setattr(colorizer, "merge", lambda *given: merged.append(merge(*given)))
    Subject(colorizer, runner, frames).run()
    with Colorizer(bundle, render="full") as alone:
        for frame, together in zip(frames, merged, strict=True):
            expected = alone.colorize(frame).astype(int)
            assert np.abs(together.astype(int) - expected).max() <= 1
