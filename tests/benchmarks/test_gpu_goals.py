"""Goals are of the best of trtcolor's backends, its variants reduced to the fastest."""

from __future__ import annotations

from typing import Any

import pytest
from gpu import planned, slow_variants
from gpu_goals import goal_lines, goals

FLOOR = {"fp16": {"rate": 1e12}}
EAGER = "torch fp16 channels-last"


def row(engine: str, median: float | None, size: int = 1024, batch: int = 1) -> dict[str, Any]:
    entry: dict[str, Any] = {"engine": engine, "size": size, "batch": batch, "flops": 1e9}
    return entry | ({"error": "none"} if median is None else {"median": median})


def test_the_fastest_backend_is_held_against_pytorch_and_the_peak() -> None:
    rows = [
        row(EAGER, 0.006),
        row("torch fp16 channels-last, CUDA graph", 0.001),
        row("onnxruntime fp32", 0.008),
        row("tensorrt fp16", 0.002),
        row("tensorrt-rtx fp16", None),
    ]
    (goal,) = goals(rows, FLOOR)
    assert goal["engine"] == "tensorrt fp16"
    assert goal["times_torch"] == pytest.approx(3)
    assert goal["times_met"]
    assert goal["share_of_fp16_peak"] == pytest.approx(0.5)
    assert goal["share_met"]


@pytest.mark.parametrize(
    ("median", "times_met", "share_met"), [(0.0025, True, True), (0.0026, True, False)]
)
def test_each_goal_is_met_or_missed_by_itself(
    median: float, times_met: bool, share_met: bool
) -> None:
    (goal,) = goals([row(EAGER, 0.0052), row("tensorrt fp16", median)], FLOOR)
    assert (goal["times_met"], goal["share_met"]) == (times_met, share_met)


def test_slower_than_twice_pytorch_is_missed() -> None:
    (goal,) = goals([row(EAGER, 0.003), row("onnxruntime tf32 nhwc", 0.002)], FLOOR)
    assert not goal["times_met"]
    (line,) = goal_lines([goal])
    assert "1.50 times torch fp16 channels-last (goal 2: missed)" in line
    assert "50% of the fp16 peak (goal 40%: met)" in line


def test_below_1024_pixels_no_share_is_asked_for() -> None:
    (goal,) = goals([row("onnxruntime fp32", 0.002, size=512)], FLOOR)
    assert "share_met" not in goal
    assert "times_torch" not in goal
    assert goal_lines([goal]) == [
        "- best backend at 512 x1, onnxruntime fp32: 50% of the fp16 peak"
    ]


def test_sizes_at_which_no_backend_ran_have_no_goal() -> None:
    assert goals([row(EAGER, 0.003), row("onnxruntime fp32", None)], FLOOR) == []


def test_only_the_fastest_way_to_fp16_goes_on() -> None:
    rows = [
        row("onnxruntime fp16 nhwc", 0.004),
        row("onnxruntime fp16 nhwc, unfused", 0.001),
        row("onnxruntime fp16", 0.002),
        row("onnxruntime fp16, unfused", None),
        row("onnxruntime fp32", 0.008),
        row(EAGER, 0.009),
    ]
    assert slow_variants(rows) == ["onnxruntime fp16", "onnxruntime fp16 nhwc"]
    assert slow_variants([]) == []


def test_the_most_telling_sizes_come_first_and_none_is_left_out() -> None:
    cells = planned([224, 512, 1024, 2048], [1, 4, 16])
    assert cells[0] == (1024, 1)
    assert sorted(cells) == [(s, b) for s in (224, 512, 1024, 2048) for b in (1, 4, 16)]
