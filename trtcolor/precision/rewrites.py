"""Which rewrites of a graph pay where; each is equal to float rounding, and the gate holds it so.

Measured by benchmarks/rewrites.py (benchmarks/results/rewrites.json), processor time at 512x512.
On a CPU:

- `scores_by_samples` pays at float32 and at int8, in ONNX Runtime and in OpenVINO: it touches only
  classifiers of bins, such as trtcolor-base.
- `upsamples_merged` pays at float32. At int8 it gained nothing that could be told from noise: the
  convolutions that it thins out are cheap there, and what it adds moves memory.

TensorRT's builders get the graph as it was exported.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from trtcolor.backends.available import Precision
from trtcolor.precision.scores import scores_by_samples
from trtcolor.precision.upsample import upsamples_merged

if TYPE_CHECKING:
    import onnx

    from trtcolor.precision.quantize import Form


def rewritten(model: onnx.ModelProto, form: Form, precision: Precision) -> onnx.ModelProto:
    """A plain graph with the rewrites that pay; itself where none does.

    Args:
        model: plain (`trtcolor.precision.plain`); left as it is.
        form: ``tensorrt`` or ``cpu``.
        precision: that it is for.
    """
    if form != "cpu":
        return model
    model = scores_by_samples(model)
    return upsamples_merged(model) if precision == "fp32" else model
