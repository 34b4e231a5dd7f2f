"""An engine's speed is measured beside what it would replace, in turns, and kept with where."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from trtcolor.backends.onnxruntime import OnnxRuntimeRunner
from trtcolor.backends.openvino import OpenVinoRunner
from trtcolor.bundle import Bundle, open_bundle
from trtcolor.engines.speed import RUNS, WARMUP, Speed, measure_speed
from trtcolor.measure import processor
from trtcolor.threads import usable_cores

MakeBundle = Callable[..., Path]
PICTURE = np.linspace(0, 100, 40 * 30, dtype=np.float32).reshape(40, 30)
SPEED = Speed(
    size="64x32",
    processor=processor(),
    cores=usable_cores(),
    seconds={"engine": 0.2, "onnxruntime fp32": 0.5, "openvino fp32": 0.4},
)


@pytest.fixture
def bundle(make_bundle: MakeBundle) -> Bundle:
    return open_bundle(make_bundle(global_size=16))


def turns(*seconds: float) -> Callable[[], float]:
    """A clock by which the runs take these times, one after another, over and over.

    In every other turn something else keeps the machine busy for ten seconds more.
    """

    def readings() -> Iterator[float]:
        now, run = 0.0, 0
        while True:
            turn, which = divmod(run, len(seconds))
            yield now
            now += seconds[which] + 10 * (turn % 2)
            yield now
            run += 1

    clock = readings()
    return lambda: next(clock)


def test_engine_and_backends_take_turns_and_the_least_time_counts(
    bundle: Bundle,
) -> None:
    shapes = []

    class Watched(OnnxRuntimeRunner):
        def run(self, graph, inputs, outputs):  # type: ignore[no-untyped-def]
            shapes.append((graph, inputs["lightness"].shape))
            return super().run(graph, inputs, outputs)

    found = measure_speed(bundle, Watched(bundle), (2, 32, 64), PICTURE, clock=turns(1, 2, 4))
    assert found.seconds == {"engine": 1, "onnxruntime fp32": 2, "openvino fp32": 4}
    assert found.share("engine") == 0.5
    assert found.size == "2x64x32"
    assert found.is_of_this_machine
    assert shapes == [("global", (2, 1, 16, 16)), *[("local", (2, 1, 32, 64))] * (RUNS + WARMUP)]


def test_a_backend_that_does_not_run_the_graphs_is_left_out(
    bundle: Bundle, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(self: OpenVinoRunner, graph: object) -> None:
        raise RuntimeError("no such operator")

    monkeypatch.setattr(OpenVinoRunner, "_load", refused)
    engine = OnnxRuntimeRunner(bundle)
    found = measure_speed(bundle, engine, (1, 32, 64), PICTURE, clock=turns(1, 2))
    assert found.seconds == {"engine": 1, "onnxruntime fp32": 2}


def test_what_was_measured_on_another_processor_is_not_of_this_machine() -> None:
    assert SPEED.is_of_this_machine
    assert not replace(SPEED, processor="an abacus").is_of_this_machine
    assert not replace(SPEED, cores=SPEED.cores + 1).is_of_this_machine


def test_words_say_how_many_times_as_fast_and_what_each_took() -> None:
    assert str(SPEED) == (
        "2.50 times onnxruntime fp32 at 64x32 "
        "(engine 200.0 ms, onnxruntime fp32 500.0 ms, openvino fp32 400.0 ms)"
    )


@pytest.mark.parametrize(
    "seconds",
    [
        {"engine": 0.2},
        {"onnxruntime fp32": 0.2},
        {"engine": 0.2, "onnxruntime fp32": 0.0},
        {"engine": float("nan"), "onnxruntime fp32": 0.1},
    ],
    ids=str,
)
def test_times_that_cannot_be_are_refused(seconds: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="positive ones of 'engine' and 'onnxruntime fp32'"):
        replace(SPEED, seconds=seconds)
