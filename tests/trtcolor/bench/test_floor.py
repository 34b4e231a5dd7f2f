"""The machine's own tasks do the work that they are said to do."""

from __future__ import annotations

import itertools

import pytest

from trtcolor.bench.floor import KINDS, Floor


def test_each_task_is_run_once_a_value_and_names_its_work() -> None:
    floor = Floor(1, side=64, copy_bytes=1000)
    works = {kind: floor.task(kind).work for kind in KINDS}
    assert works == {"sgemm": 2 * 64**3, "int8": 2 * 64**3, "copy": 2000}
    for kind in KINDS:
        timed = floor.measure(kind, 3)
        assert len(timed.seconds) == 3
        assert timed.minimum > 0


def test_the_products_are_products() -> None:
    floor = Floor(1, side=16, copy_bytes=10)
    (by_numpy, by_runtime) = floor._sgemm_tasks()
    assert by_numpy.function() == pytest.approx(by_runtime.function()[0], rel=1e-4, abs=1e-4)
    (result,) = floor.task("int8").function()
    assert result.dtype == "int32"
    assert result.shape == (16, 16)


@pytest.mark.parametrize(
    ("numpy_seconds", "taken"), [(5.0, "ONNX Runtime"), (0.9, "ONNX Runtime"), (0.5, "NumPy")]
)
def test_numpy_s_product_is_taken_where_it_is_clearly_faster(
    numpy_seconds: float, taken: str
) -> None:
    # Readings of the clock come in pairs: three trials of NumPy's, three of the other, two values.
    ticks = iter(itertools.accumulate([*[0, numpy_seconds] * 3, *[0, 1] * 3, *[0, 2] * 2]))
    floor = Floor(1, side=16, clock=lambda: next(ticks))
    assert floor.sgemm.name == f"sgemm by {taken}"
    timed = floor.measure("sgemm", 2)
    assert timed.name == floor.sgemm.name
    assert timed.seconds == pytest.approx((2, 2))
