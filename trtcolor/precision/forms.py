"""The one entrance: all graphs of a bundle at a precision, held against float32."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from trtcolor.backends.available import PRECISIONS, Precision
from trtcolor.backends.onnxruntime import OnnxRuntimeRunner
from trtcolor.bundle import Bundle
from trtcolor.errors import PrecisionError
from trtcolor.precision.gate import (
    LIMITS,
    Figures,
    Gate,
    GateReport,
    Limits,
    check_gate,
)
from trtcolor.precision.pictures import Pictures, find_pictures

if TYPE_CHECKING:
    import onnx

    from trtcolor.precision.quantize import Form


@dataclass(frozen=True)
class Precise:
    """A bundle's graphs at a precision, whole in memory, that passed the gate or were accepted.

    Attributes:
        graphs: ``local`` and, where the bundle has them, ``global`` and ``joint``; inputs and
            outputs are float32 and named as the bundle's, ``bin_logits`` left out.
        gate: what it costs.
        float_nodes: layers that int8 left in float32, in the order in which that was decided; the
            arithmetic of colours around the network stays float32 at every precision and is not
            listed.
        costs: of int8, CIEDE2000 of each layer quantised alone, the largest first.
        calibration: SHA-256 of the pictures that int8's ranges were measured on; None: another
            precision.
        emulated: see `trtcolor.precision.gate.GateReport`.
    """

    graphs: Mapping[str, onnx.ModelProto]
    gate: GateReport
    float_nodes: tuple[str, ...]
    costs: Mapping[str, float]
    calibration: str | None
    emulated: bool


def graphs_at(
    bundle: Bundle,
    precision: Precision,
    *,
    form: Form,
    pictures: Pictures | str | os.PathLike[str] | None = None,
    limits: Limits | None = None,
    accept_error: bool = False,
    say: Callable[[str], None] | None = None,
) -> Precise:
    """All graphs of a bundle at a precision.

    Args:
        bundle: verified.
        precision: ``fp32``, ``fp16``, ``bf16`` or ``int8``.
        form: ``tensorrt`` or ``cpu``: of int8 (`trtcolor.precision.quantize`), and which rewrites
            are made (`trtcolor.precision.rewrites`).
        pictures: to calibrate on and to judge by: these, a folder or shards, or None for the
            photographs inside scikit-image.
        limits: what it may cost; None: those of `trtcolor.precision.gate.LIMITS`.
        accept_error: give the graphs out even if they cost more.
        say: is given a line about each thing done.

    Raises:
        ValueError: no such precision.
        PrecisionError: it costs too much, gives something that is not finite, or onnx, which
            writes the graphs, is not installed.
        DataError: no pictures.
        BackendError: ONNX Runtime, which runs the graphs, is not installed or does not run them.
    """
    if precision not in PRECISIONS:
        raise ValueError(
            f"precision is {precision!r}; one of {', '.join(PRECISIONS)} was needed; pass "
            "one of these"
        )
    _need_onnx()
    from trtcolor.precision.half import emulated_half_graph, half_graph
    from trtcolor.precision.plain import plain_graph
    from trtcolor.precision.rewrites import rewritten
    from trtcolor.precision.runner import GraphRunner
    from trtcolor.precision.sensitivity import Quantiser, quantised

    say = say or (lambda _: None)
    limits = limits or LIMITS[precision]
    found = pictures if isinstance(pictures, Pictures) else find_pictures(pictures)
    plain = {
        name: rewritten(plain_graph(bundle, name), form, precision) for name in bundle.spec.graphs
    }
    reference = OnnxRuntimeRunner(bundle)
    gate = Gate(bundle.spec, reference, found.gate)
    graphs = plain
    calibration: str | None = None
    float_nodes: tuple[str, ...] = ()
    costs: Mapping[str, float] = {}
    match precision:
        case "fp16" | "bf16":
            graphs = {name: half_graph(model, precision) for name, model in plain.items()}
            rounded = {name: emulated_half_graph(model, precision) for name, model in plain.items()}
            figures: Mapping[str, Figures] = gate.measure(GraphRunner(rounded))
        case "int8":
            quantiser = Quantiser(bundle.spec, plain, reference, found.calibration, form)
            chosen = quantised(quantiser, gate, limits, say)
            graphs, float_nodes, costs = chosen.graphs, chosen.float_layers, chosen.costs
            figures, calibration = chosen.figures, found.calibration_sha256
        case "fp32":
            figures = gate.measure(GraphRunner(plain))
    emulated = precision in ("fp16", "bf16")
    report = GateReport(
        precision, limits, figures, len(found.gate), found.gate_sha256, emulated, accept_error
    )
    say(str(report))
    check_gate(report, bundle.spec.name)
    return Precise(graphs, report, float_nodes, costs, calibration, emulated)


def _need_onnx() -> None:
    """Turn a missing package into one sentence."""
    try:
        import onnx  # noqa: F401
    except ImportError as error:
        raise PrecisionError(
            f'{error}; onnx was needed to write graphs; run: pip install "trtcolor[engines]"'
        ) from None
