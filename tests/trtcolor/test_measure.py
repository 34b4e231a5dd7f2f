"""Statistics of timings, tested with a clock that is told the time."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable

import pytest

from trtcolor.measure import Measurement, machine, measure, peak_memory


class Clock:
    """Stands still until something lets time pass."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now

    def task(self, *durations: float) -> Callable[[], None]:
        """A function that takes these seconds, one each time."""
        left = list(durations)

        def run() -> None:
            self.now += left.pop(0)

        return run


def test_each_run_is_timed_and_warm_ups_are_not() -> None:
    clock = Clock()
    task = clock.task(50, 60, 1, 2, 4)
    assert measure(task, runs=3, warmup=2, name="x", clock=clock) == Measurement("x", (1, 2, 4))


def test_work_that_is_only_queued_is_timed_by_synchronizing() -> None:
    clock, queue = Clock(), [0.0]

    def launch() -> None:
        queue.append(3.0)

    def synchronize() -> None:
        clock.now += sum(queue)
        queue.clear()

    timed = measure(launch, runs=2, warmup=2, clock=clock, synchronize=synchronize)
    assert timed.seconds == (3.0, 3.0)  # the warm-ups' work is done before the first start


@pytest.mark.parametrize(("runs", "warmup"), [(0, 0), (-1, 2), (1, -1)])
def test_impossible_numbers_of_runs_are_refused(runs: int, warmup: int) -> None:
    with pytest.raises(ValueError, match="at least 1 run"):
        measure(lambda: None, runs=runs, warmup=warmup)


def test_statistics_are_those_of_the_values() -> None:
    # 0..10 seconds in some order: percentiles fall on values
    measurement = Measurement("x", (5, 0, 10, 1, 9, 2, 8, 3, 7, 4, 6))
    assert measurement.median == 5
    assert measurement.p10 == pytest.approx(1)
    assert measurement.p90 == pytest.approx(9)
    assert measurement.p99 == pytest.approx(9.9)
    assert measurement.minimum == 0
    assert measurement.mean == pytest.approx(5)
    assert measurement.spread == pytest.approx(8 / 5)


def test_one_outlier_moves_the_mean_but_not_the_median() -> None:
    measurement = Measurement("x", (1,) * 19 + (1000,))
    assert measurement.median == 1
    assert measurement.mean > 50
    assert not measurement.unstable


def test_values_that_differ_much_are_called_unstable_and_steady_ones_not() -> None:
    assert Measurement("x", (1.0, 1.3) * 5).unstable
    assert not Measurement("x", (1.0, 1.1) * 5).unstable
    assert not Measurement("x", (1.0,)).unstable


def test_a_measurement_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one was needed"):
        Measurement("x", ())


def test_a_measurement_comes_back_from_json_as_it_was() -> None:
    measurement = Measurement("merge", (0.1, 0.2, 0.30000000000000004))
    assert Measurement.from_json(measurement.to_json()) == measurement
    assert json.loads(measurement.to_json())["median"] == 0.2


@pytest.mark.parametrize("entries", [None, 3, [], {}, {"name": "x", "seconds": ["long"]}])
def test_plain_data_that_is_no_measurement_is_refused(entries: object) -> None:
    with pytest.raises(ValueError, match="no measurement came"):
        Measurement.from_dict(entries)


def test_the_peak_of_memory_is_at_least_what_is_held() -> None:
    held = bytearray(30 * 2**20)
    held[::4096] = b"x" * len(held[::4096])
    assert (peak_memory() or 0) > len(held)


def test_a_process_does_not_inherit_the_peak_of_the_one_that_started_it() -> None:
    held = bytearray(300 * 2**20)
    held[::4096] = b"x" * len(held[::4096])
    program = "from trtcolor.measure import peak_memory; print(peak_memory())"
    done = subprocess.run(
        [sys.executable, "-P", "-c", program], capture_output=True, text=True, check=True
    )
    assert int(done.stdout) < len(held)


@pytest.mark.parametrize("text", ["", "[]", '{"name": "x"}', '{"name": "x", "seconds": []}'])
def test_json_that_is_no_measurement_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="no measurement came"):
        Measurement.from_json(text)


def test_the_machine_is_described_in_plain_data() -> None:
    described = machine()
    assert json.loads(json.dumps(described)) == described
    assert described["processor"]
    assert described["cores"] >= 1
    for name in ("python", "numpy", "onnxruntime", "trtcolor"):
        assert described[name][0].isdigit()


def test_what_is_not_installed_has_no_version(monkeypatch: pytest.MonkeyPatch) -> None:
    from importlib import metadata

    def missing(name: str) -> str:
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(metadata, "version", missing)
    assert machine()["onnxruntime"] is None
