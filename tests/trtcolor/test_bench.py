"""The benchmark times what the Colorizer does, at every size, and says what went wrong."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from trtcolor import demo
from trtcolor.bench import bench, parse_sizes
from trtcolor.colorizer import Colorizer
from trtcolor.errors import BackendError, UnknownModelError

MakeBundle = Callable[..., Path]


class Ticks:
    """A clock that goes on by 1, 2, 3, ... seconds from reading to reading, four to a round."""

    def __init__(self, *steps: float) -> None:
        self.now, self.readings, self.steps = 0.0, 0, steps

    def __call__(self) -> float:
        self.now += self.steps[self.readings % len(self.steps)]
        self.readings += 1
        return self.now


def silent(line: str) -> None:
    pass


@pytest.mark.parametrize(
    ("text", "sizes"),
    [
        ("224", [(224, 224)]),
        ("224,512,640x480", [(224, 224), (512, 512), (480, 640)]),
        (" 1X2 , 16384 ", [(2, 1), (16384, 16384)]),
    ],
)
def test_sizes_are_read_width_first_and_given_height_first(
    text: str, sizes: list[tuple[int, int]]
) -> None:
    assert parse_sizes(text) == sizes


@pytest.mark.parametrize(
    "text",
    ["", ",", "224,", "0", "-5", "10x0", "x", "10x", "1x2x3", "1.5", "²", "16385", "9" * 99, "a"],
)
def test_text_that_is_no_size_is_refused_in_a_sentence(text: str) -> None:
    with pytest.raises(ValueError, match="N or WIDTHxHEIGHT with sides from 1 to 16384"):
        parse_sizes(text)


def test_steps_are_timed_apart_and_warm_ups_left_out(make_bundle: MakeBundle) -> None:
    clock = Ticks(1, 2, 3, 4)  # before prepare, prepare, predict, merge
    model = make_bundle(global_size=32)
    report = bench(model, [(20, 30)], runs=3, warmup=2, say=silent, clock=clock)
    assert clock.readings == 4 * 5
    (row,) = report.rows
    assert {step.name: step.seconds for step in row.steps} == {
        "prepare": (2, 2, 2),
        "predict": (3, 3, 3),
        "merge": (4, 4, 4),
        "total": (9, 9, 9),
    }
    assert row.size == (20, 30)
    assert row.network == (24, 32)
    assert "warning" not in report.table()


def test_sizes_take_turns(make_bundle: MakeBundle, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[tuple[int, ...]] = []
    prepare = Colorizer.prepare

    def spy(self: Colorizer, frame: Any, **options: Any) -> Any:
        seen.append(frame.shape)
        return prepare(self, frame, **options)

    monkeypatch.setattr(Colorizer, "prepare", spy)
    bench(make_bundle(), [(20, 30), (8, 8)], runs=2, warmup=1, say=silent)
    assert seen == [(20, 30), (8, 8)] * 3


def test_a_size_that_fails_says_why_and_the_others_go_on(
    make_bundle: MakeBundle, monkeypatch: pytest.MonkeyPatch
) -> None:
    predict = Colorizer.predict

    def failing(self: Colorizer, prepared: Any) -> Any:
        if prepared.plan.frame == (20, 30):
            raise BackendError("out of\n memory")
        return predict(self, prepared)

    monkeypatch.setattr(Colorizer, "predict", failing)
    lines: list[str] = []
    report = bench(make_bundle(), [(20, 30), (8, 8)], runs=2, warmup=0, say=lines.append)
    failed, good = report.rows
    assert failed.error == "out of memory"
    assert failed.steps == ()
    assert good.error is None
    assert len(good.steps[-1].seconds) == 2
    assert "30x20  failed: out of memory" in report.table()
    assert "30x20 failed: out of memory" in lines


def test_a_busy_machine_is_warned_of(make_bundle: MakeBundle) -> None:
    clock = Ticks(1, 1, 1, 1, 1, 1, 9, 1)  # every other run takes four times as long
    report = bench(make_bundle(), [(8, 12)], runs=6, warmup=0, say=silent, clock=clock)
    assert "warning: the timings of 12x8 spread widely" in report.table()


def test_the_table_gives_milliseconds_and_frames_a_second(make_bundle: MakeBundle) -> None:
    clock = Ticks(0.001, 0.002, 0.005, 0.003)
    report = bench(make_bundle(), [(8, 12)], runs=2, warmup=1, say=silent, clock=clock)
    row = next(line.split() for line in report.table().splitlines() if " 12x8 " in line)
    assert row == ["12x8", "16x8", "2.00", "5.00", "3.00", "10.00", "0%", "100.0"]


def test_the_json_has_raw_values_settings_and_machine(make_bundle: MakeBundle) -> None:
    report = bench(make_bundle(), [(8, 12)], runs=2, warmup=1, threads=1, render=8, say=silent)
    entries = json.loads(report.to_json())
    assert entries["settings"] == {"runs": 2, "warmup": 1, "threads": 1, "render": 8}
    assert entries["model"] == "tiny"
    assert entries["backend"] == "onnxruntime"
    assert entries["machine"]["numpy"] == np.__version__
    (row,) = entries["rows"]
    assert (row["height"], row["width"], row["error"]) == (8, 12, None)
    assert [len(step["seconds"]) for step in row["steps"]] == [2, 2, 2, 2]


def test_the_picture_is_a_photograph_or_said_to_be_noise(
    make_bundle: MakeBundle, monkeypatch: pytest.MonkeyPatch
) -> None:
    model, frames = make_bundle(), []
    prepare = Colorizer.prepare

    def spy(self: Colorizer, frame: Any, **options: Any) -> Any:
        frames.append(frame)
        return prepare(self, frame, **options)

    monkeypatch.setattr(Colorizer, "prepare", spy)
    photograph = bench(model, [(64, 96)], runs=1, warmup=0, say=silent)
    assert photograph.picture == "astronaut.png of scikit-image"
    monkeypatch.setattr(demo, "photographs", lambda: [])
    for _ in range(2):
        noise = bench(model, [(64, 96)], runs=1, warmup=0, say=silent)
        assert noise.picture.startswith("1/f noise")
    np.testing.assert_array_equal(frames[1], frames[2])
    for frame in frames:
        assert frame.shape == (64, 96)
        assert 20 < frame.std() < 100


def test_nothing_to_do_is_refused(make_bundle: MakeBundle) -> None:
    with pytest.raises(ValueError, match="no sizes"):
        bench(make_bundle(), [], say=silent)
    with pytest.raises(ValueError, match="at least 1 run"):
        bench("tiny", [(8, 8)], runs=0, say=silent)


def test_an_unknown_model_fails_as_a_whole() -> None:
    with pytest.raises(UnknownModelError):
        bench("no such model", [(8, 8)], say=silent)
