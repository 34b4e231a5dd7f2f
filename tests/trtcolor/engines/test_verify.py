"""An engine is run at every size that its profiles promise, and held against float32."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from trtcolor.backends.available import Precision
from trtcolor.backends.onnxruntime import OnnxRuntimeRunner
from trtcolor.bundle import Bundle, open_bundle
from trtcolor.engines.config import EngineConfig
from trtcolor.engines.profile import ShapeProfile
from trtcolor.engines.verify import verify
from trtcolor.errors import EngineError

MakeBundle = Callable[..., Path]
PROFILES = tuple(map(ShapeProfile.parse, ("8:32:2x64x48", "16x8:32:2x64x48")))
PICTURES = [
    (100 * np.random.default_rng(seed).random((50, 70))).astype(np.float32) for seed in range(3)
]


def config(precision: Precision, **entries: Any) -> EngineConfig:
    calibration = "0" * 64 if precision == "int8" else None
    return EngineConfig(
        backend="onnxruntime",
        precision=precision,
        profiles=PROFILES,
        calibration=calibration,
        **entries,
    )


class Altered(OnnxRuntimeRunner):
    """A runner that changes what one of its graphs gives, if asked at one height."""

    graph, height, change = "local", 0, lambda self, array: array

    def __init__(self, bundle: Bundle) -> None:
        super().__init__(bundle)
        self.shapes: list[tuple[str, tuple[int, ...]]] = []

    def run(
        self, graph: str, inputs: Mapping[str, NDArray[np.float32]], outputs: Sequence[str]
    ) -> list[NDArray[np.float32]]:
        shape = inputs["lightness"].shape
        self.shapes.append((graph, (shape[0], *shape[2:])))
        found = super().run(graph, inputs, outputs)
        if graph == self.graph and shape[2] == self.height:
            found = [self.change(array) for array in found]
        return found


@pytest.fixture
def bundle(make_bundle: MakeBundle) -> Bundle:
    return open_bundle(make_bundle(global_size=16, classes=("sea", "town")))


def test_every_end_and_optimum_of_every_profile_is_run_once(bundle: Bundle) -> None:
    runner = Altered(bundle)
    found = verify(bundle, runner, config("fp32"), PICTURES)
    assert [shape for graph, shape in runner.shapes if graph == "local"] == [
        (1, 8, 8),
        (1, 32, 32),
        (2, 48, 64),
        (1, 8, 16),
    ]
    assert [shape for graph, shape in runner.shapes if graph == "joint"] == [
        (1, 16, 16),
        (2, 16, 16),
    ]
    assert found.status == "verified"
    assert found.figures["all"] == {"mean": 0, "p90": 0, "worst": 0}
    assert set(found.figures["ways"]) == {
        *("local 8x8", "local 32x32", "local 2x64x48", "local 16x8"),
        *("joint 16x16", "joint 2x16x16"),
    }


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_what_is_not_finite_at_one_size_is_refused_with_the_size(
    value: float, bundle: Bundle
) -> None:
    runner = Altered(bundle)
    runner.height, runner.change = 48, lambda array: np.full_like(array, value)
    with pytest.raises(EngineError, match="not finite at 2x64x48"):
        verify(bundle, runner, config("fp32"), PICTURES)


def test_scene_scores_that_are_not_finite_are_refused_too(bundle: Bundle) -> None:
    runner = Altered(bundle)
    runner.graph, runner.height = "global", 16
    runner.change = lambda array: array if array.shape[1] == 3 else array * np.nan
    with pytest.raises(EngineError, match="class_logits that is not finite"):
        verify(bundle, runner, config("fp32"), PICTURES)


def test_other_colours_at_one_size_are_refused_unless_accepted(bundle: Bundle) -> None:
    runner = Altered(bundle)
    runner.height, runner.change = 48, lambda array: array + 30
    with pytest.raises(EngineError, match="gives other colours than float32"):
        verify(bundle, runner, config("int8"), PICTURES)
    found = verify(bundle, runner, config("int8"), PICTURES, enforce=False)
    assert found.figures["ways"]["local 2x64x48"]["worst"] > 3
