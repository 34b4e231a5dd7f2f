"""Which layers int8 leaves in float32, by measurement: each layer quantised alone."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray

from trtcolor.backends.base import Runner
from trtcolor.errors import PrecisionError
from trtcolor.metrics.difference import mean_ciede2000
from trtcolor.precision.gate import Figures, Gate, Limits
from trtcolor.precision.quantize import Form, calibrate, int8_graph, quantisable
from trtcolor.precision.runner import GraphRunner
from trtcolor.precision.trial import coloured, graph_inputs, trials
from trtcolor.spec import ModelSpec

Graphs = dict[str, onnx.ModelProto]
Plane = NDArray[np.float32]

PICTURES = 8
"""Of those for calibration: what each layer is measured on."""
SHARE = 0.25
"""A layer stays float32 that alone costs this part of what all of them together may cost."""
MOST = 0.5
"""Part of the layers that may stay float32: with more of them int8 is not worth its name."""
STEPS = 4
"""In so many steps it comes to that, until the gate is passed."""


@dataclass(frozen=True)
class Quantised:
    """int8 graphs and what they cost.

    Attributes:
        graphs: by name.
        figures: of the gate.
        float_layers: those left in float32, the most sensitive one first.
        costs: CIEDE2000 of each layer quantised alone, the largest first.
    """

    graphs: Graphs
    figures: Mapping[str, Figures]
    float_layers: tuple[str, ...]
    costs: Mapping[str, float]


class Quantiser:
    """A bundle's graphs with their ranges, ready to be quantised in any choice of layers.

    Args:
        spec: of the bundle.
        plain: its graphs (`trtcolor.precision.plain`).
        reference: runs the bundle's graphs in float32.
        calibration: (H, W) float32 L* planes, which every graph sees in each way that it runs.
        form: ``tensorrt`` or ``cpu``.

    Raises:
        PrecisionError: there is no layer that could be quantised.
    """

    def __init__(
        self,
        spec: ModelSpec,
        plain: Graphs,
        reference: Runner,
        calibration: Sequence[Plane],
        form: Form,
    ) -> None:
        self.spec, self.plain, self.form = spec, plain, form
        self.layers = list(dict.fromkeys(n for m in plain.values() for n in quantisable(m)))
        if not self.layers:
            raise PrecisionError(
                f"model {spec.name!r} has no layer that int8 could be made of; convolutions or "
                "linear layers with weights were needed; choose another precision"
            )
        inputs: dict[str, list[dict[str, Plane]]] = {name: [] for name in plain}
        for picture in calibration:
            for trial in trials(spec, picture):
                for graph, given in graph_inputs(reference, spec, trial).items():
                    inputs[graph].append(given)
        self._ranges: dict[str, Any] = {
            name: calibrate(model, inputs[name]) for name, model in plain.items()
        }
        # What the cost of each layer is measured on: pictures at the size of training.
        self._looked_at = [trials(spec, picture)[0] for picture in calibration[:PICTURES]]
        self._expected = [coloured(reference, spec, trial) for trial in self._looked_at]

    def graphs(self, float_layers: Sequence[str], *, names: Sequence[str] | None = None) -> Graphs:
        """The graphs, all or those named, with all layers but these in int8."""
        return {
            name: int8_graph(
                self.plain[name], self._ranges[name], self.form, float_nodes=float_layers
            )
            for name in names or self.plain
        }

    def costs(self) -> dict[str, float]:
        """CIEDE2000 that each layer costs when it alone is quantised, the largest first."""
        names = ("joint",) if "joint" in self.plain else tuple(self.plain)
        found = {}
        for layer in self.layers:
            others = [name for name in self.layers if name != layer]
            runner = GraphRunner(self.graphs(others, names=names))
            differences = [
                mean_ciede2000(coloured(runner, self.spec, trial), expected)
                for trial, expected in zip(self._looked_at, self._expected, strict=True)
            ]
            found[layer] = float(np.mean(differences))
        return dict(sorted(found.items(), key=lambda item: -item[1]))


def quantised(
    quantiser: Quantiser, gate: Gate, limits: Limits, say: Callable[[str], None]
) -> Quantised:
    """Quantise what can be: all but the layers that cost most, as few as pass the gate.

    Layers that cost `SHARE` of the limit by themselves stay float32; then, while the gate is not
    passed, the next ones, up to `MOST` of all.

    Returns:
        The first choice that passes, else the one of the smallest mean.
    """
    say(f"int8: measuring {len(quantiser.layers)} layers one by one")
    costs = quantiser.costs()
    ordered = list(costs)
    most = int(len(ordered) * MOST)
    count = min(most, sum(cost >= SHARE * limits.mean for cost in costs.values()))
    best: Quantised | None = None
    while True:
        graphs = quantiser.graphs(ordered[:count])
        found = Quantised(graphs, gate.measure(GraphRunner(graphs)), tuple(ordered[:count]), costs)
        if all(figures.within(limits) for figures in found.figures.values()):
            return found
        if best is None or _mean(found) < _mean(best):
            best = found
        if count == most:
            return best
        say(f"int8: over the limit with {count} layers in float32; trying with more")
        count = min(most, count + max(1, most // STEPS))


def _mean(found: Quantised) -> float:
    return max(figures.mean for figures in found.figures.values())
