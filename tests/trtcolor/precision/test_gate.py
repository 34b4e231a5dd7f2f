"""The gate: what a precision may cost."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from trtcolor.backends.onnxruntime import OnnxRuntimeRunner
from trtcolor.bundle import Bundle
from trtcolor.errors import PrecisionError
from trtcolor.precision.gate import Figures, Gate, GateReport, Limits, check_gate
from trtcolor.precision.pictures import Pictures

Planes = Mapping[str, NDArray[np.float32]]


class Changed:
    """The bundle's own graphs, whose chroma is changed."""

    name, device = "changed", "cpu"

    def __init__(self, bundle: Bundle, shift: float) -> None:
        self.runner, self.shift, self.ran = OnnxRuntimeRunner(bundle), shift, set[str]()

    def run(self, graph: str, inputs: Planes, outputs: Sequence[str]) -> list[NDArray[np.float32]]:
        self.ran.add(graph)
        found = self.runner.run(graph, inputs, outputs)
        return [
            values + np.float32(self.shift) if name == "chroma" else values
            for name, values in zip(outputs, found, strict=True)
        ]

    def close(self) -> None:
        self.runner.close()


def report(figures: Figures, *, accepted: bool = False) -> GateReport:
    limits = Limits(1.0, 3.0)
    return GateReport("int8", limits, {"local 8x8": figures}, 4, "aa", False, accepted)


def test_the_same_graphs_cost_nothing(classifier: Bundle, few: Pictures) -> None:
    gate = Gate(classifier.spec, OnnxRuntimeRunner(classifier), few.gate)
    assert all(f.worst == 0 for f in gate.measure(OnnxRuntimeRunner(classifier)).values())


def test_every_graph_runs_at_two_sizes(classifier: Bundle, few: Pictures) -> None:
    gate = Gate(classifier.spec, OnnxRuntimeRunner(classifier), few.gate)
    runner = Changed(classifier, 0.0)
    assert list(gate.measure(runner)) == ["joint 32x32", "local and global 64x48"]
    assert runner.ran == {"local", "global", "joint"}


def test_another_colour_costs_what_ciede2000_says(regression: Bundle, few: Pictures) -> None:
    gate = Gate(regression.spec, OnnxRuntimeRunner(regression), few.gate)
    small, large = (gate.measure(Changed(regression, shift)) for shift in (1.0, 8.0))
    for way in small:
        assert 0.2 < small[way].mean < 2
        assert small[way].mean < large[way].mean
        assert large[way].mean <= large[way].p90 <= large[way].worst


def test_what_is_not_finite_is_refused(regression: Bundle, few: Pictures) -> None:
    gate = Gate(regression.spec, OnnxRuntimeRunner(regression), few.gate)
    for broken in (float("nan"), float("inf")):
        with pytest.raises(PrecisionError, match="not finite"):
            gate.measure(Changed(regression, broken))


@pytest.mark.parametrize("figures", [Figures(1.01, 1.1, 1.2), Figures(0.5, 0.6, 3.1)])
def test_mean_and_worst_picture_are_limited_and_the_refusal_says_both(figures: Figures) -> None:
    over = report(figures)
    assert not over.passed
    with pytest.raises(PrecisionError, match=rf"mean {figures.mean:.3f}.*{figures.worst:.3f}"):
        check_gate(over, "tiny")


def test_an_accepted_error_is_let_through_and_recorded() -> None:
    over = report(Figures(2.0, 3.0, 4.0), accepted=True)
    check_gate(over, "tiny")
    assert not over.passed
    assert over.to_dict()["accepted"]


def test_every_way_must_pass() -> None:
    good = report(Figures(0.5, 0.6, 0.7))
    check_gate(good, "tiny")
    both = replace(good, ways={**good.ways, "joint 8x8": Figures(1.5, 1.6, 1.7)})
    assert good.passed
    assert not both.passed


def test_a_report_is_plain_data() -> None:
    data = json.loads(json.dumps(report(Figures(0.5, 0.6, 0.7)).to_dict()))
    assert data["ways"]["local 8x8"] == {"mean": 0.5, "p90": 0.6, "worst": 0.7}
    assert data["passed"]
    assert data["limits"] == {"mean": 1.0, "worst": 3.0}
