"""Which layers int8 leaves in float32, by measurement: each layer quantised alone.

What that measurement says is weighed against the work that a layer does: float32 takes several
times as long, and one of six layers of about equal work, left there, can take the half of what int8
gains.
"""

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
from trtcolor.precision.parts import outermost
from trtcolor.precision.quantize import Form, calibrate, int8_graph, quantisable
from trtcolor.precision.runner import GraphRunner
from trtcolor.precision.trial import coloured, graph_inputs, trials
from trtcolor.precision.work import shares
from trtcolor.spec import ModelSpec

Graphs = dict[str, onnx.ModelProto]
Plane = NDArray[np.float32]

PICTURES = 8
"""Of those for calibration: what each layer is measured on."""
SHARE = 0.25
"""A cheap layer stays float32 that alone costs this part of what all together may cost."""
CHEAP: dict[Form, float] = {"cpu": 0.02, "tensorrt": 1.0}
"""Part of the work up to which a layer is cheap, as float32 takes next to no time there. On GPUs,
where that was not measured, every layer is."""
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
        float_layers: those left in float32, in the order in which that was decided.
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

    Attributes:
        layers: that may be quantised.
        kept: those beside them that stay float32 in any case: on a CPU the ones that only the
            decoding of colours reads, whose results would at once be turned back into float32. In
            ONNX Runtime that takes three times as long for 309 scores as all of it in float32. A
            network that has no other layers keeps none.
        work: the part of the local graph's arithmetic that each layer does; none: it is not there.

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
        found = dict.fromkeys(n for m in plain.values() for n in quantisable(m))
        last = tuple(outermost(plain["local"])) if form == "cpu" else ()
        self.kept = last if found.keys() - set(last) else ()
        self.layers = [name for name in found if name not in self.kept]
        self.work = shares(plain["local"], spec)
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
            name: calibrate(model, inputs[name], form) for name, model in plain.items()
        }
        # What the cost of each layer is measured on: pictures at the size of training.
        self._looked_at = [trials(spec, picture)[0] for picture in calibration[:PICTURES]]
        self._expected = [coloured(reference, spec, trial) for trial in self._looked_at]

    def graphs(self, float_layers: Sequence[str], *, names: Sequence[str] | None = None) -> Graphs:
        """The graphs, all or those named, with all layers but these and the kept in int8."""
        kept = {*float_layers, *self.kept}
        return {
            name: int8_graph(self.plain[name], self._ranges[name], self.form, float_nodes=kept)
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
    """Quantise what can be: all but the layers that cost most for their work, as few as pass.

    Cheap layers that cost `SHARE` of the limit by themselves stay float32; then, while the gate is
    not passed, those of the largest cost for their work, up to `MOST` of all.

    Returns:
        The first choice that passes, else the one of the smallest mean.
    """
    say(f"int8: measuring {len(quantiser.layers)} layers one by one")
    costs = quantiser.costs()
    ordered, count = _in_order(costs, quantiser.work, limits, CHEAP[quantiser.form])
    most = int(len(ordered) * MOST)
    count = min(most, count)
    best: Quantised | None = None
    while True:
        graphs = quantiser.graphs(ordered[:count])
        float_layers = (*quantiser.kept, *ordered[:count])
        found = Quantised(graphs, gate.measure(GraphRunner(graphs)), float_layers, costs)
        if all(figures.within(limits) for figures in found.figures.values()):
            return found
        if best is None or _mean(found) < _mean(best):
            best = found
        if count == most:
            return best
        say(f"int8: over the limit with {count} layers in float32; trying with more")
        count = min(most, count + max(1, most // STEPS))


def _in_order(
    costs: Mapping[str, float], work: Mapping[str, float], limits: Limits, cheap: float
) -> tuple[list[str], int]:
    """Layers in the order in which they are left in float32, and how many are from the start."""

    def part(layer: str) -> float:
        return work.get(layer, 0.0)

    start = [
        layer for layer in costs if costs[layer] >= SHARE * limits.mean and part(layer) <= cheap
    ]
    rest = [layer for layer in costs if layer not in start]
    # Where a layer does no work to speak of, what it costs by itself decides.
    rest.sort(key=lambda layer: -costs[layer] / (part(layer) + cheap))
    return start + rest, len(start)


def _mean(found: Quantised) -> float:
    return max(figures.mean for figures in found.figures.values())
