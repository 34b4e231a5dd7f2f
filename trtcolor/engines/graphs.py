"""Engines of the backends on ONNX files: one file a graph, its weights inside, tried before use.

For OpenVINO that is the graph as it came: it compiles for the processor whenever it loads. For ONNX
Runtime the level EXTENDED is applied beforehand (quantised layers joined into one operator each,
activations into their convolutions). The level ALL would also write layouts of the processor that
it ran on (NCHWc), so that is left to the loading, which takes the rest of the way in any case.

Little is gained at the start. The default model's local graph loads, in ms of processor time on one
thread (least of 16 and 10): in ONNX Runtime 41 from the bundle, 33 from the plain graph, 29 from
EXTENDED (12 from ALL); in OpenVINO 81 from the bundle, 95 from the plain graph. Runs take as long.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from trtcolor.backends.onnxruntime import OnnxRuntimeRunner, import_onnxruntime
from trtcolor.backends.openvino import OpenVinoRunner
from trtcolor.backends.sessions import SessionRunner
from trtcolor.bundle import Bundle
from trtcolor.errors import BackendError

if TYPE_CHECKING:
    import onnx

RUNNERS: dict[str, type[SessionRunner]] = {
    runner.name: runner for runner in (OnnxRuntimeRunner, OpenVinoRunner)
}
TRIAL_SIDE = 64
"""Least height and width in pixels of the picture that a graph is tried on."""


def optimised_graph(
    model: onnx.ModelProto, backend: str, *, bundle: Bundle, graph: str, threads: int | None = None
) -> bytes:
    """A graph as a backend's engine: one self-contained ONNX file, loaded and run once.

    Args:
        model: the graph at the precision wanted, its weights inside.
        backend: ``"onnxruntime"`` or ``"openvino"``.
        bundle: what the graph is of.
        graph: ``"local"``, ``"global"`` or ``"joint"``.
        threads: within the trial run, as for the runner.

    Returns:
        Content of the file. That for ONNX Runtime has operators of its own domains, which other
        versions of it need not know.

    Raises:
        ValueError: another backend.
        BackendError: it is not installed, refuses the graph, or what the graph gives is not finite.
    """
    if backend not in RUNNERS:
        raise ValueError(f"backend is {backend!r}; one of {', '.join(RUNNERS)} was needed")
    data: bytes = model.SerializeToString()
    if backend == OnnxRuntimeRunner.name:
        data = _optimised(data, f"graph {graph!r} of model {bundle.spec.name!r}")
    runner = RUNNERS[backend](bundle, threads=threads, graphs={graph: data})
    try:
        _try(runner, graph, model, bundle)
    finally:
        runner.close()
    return data


def _optimised(plain: bytes, what: str) -> bytes:
    onnxruntime = import_onnxruntime()
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_EXTENDED
    options.log_severity_level = 4
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "optimised.onnx"
        options.optimized_model_filepath = str(file)
        try:
            onnxruntime.InferenceSession(plain, options, providers=["CPUExecutionProvider"])
        except Exception as error:  # RuntimeError, ValueError and its own
            reason = " ".join(str(error).split()).rstrip(".")
            raise BackendError(
                f"ONNX Runtime did not optimise {what} ({reason}); a graph that it runs was "
                "needed; choose another precision"
            ) from error
        return file.read_bytes()


def _try(runner: SessionRunner, graph: str, model: onnx.ModelProto, bundle: Bundle) -> None:
    """Run a graph on a picture of one slope, with global features of 0."""
    inputs: dict[str, NDArray[np.float32]] = {}
    multiple = bundle.spec.size.multiple
    side = -(-TRIAL_SIDE // multiple) * multiple
    for value in model.graph.input:
        named = [dimension.dim_value for dimension in value.type.tensor_type.shape.dim]
        free = [1, 1, side, side][: len(named)]  # a dimension with a name has the value 0
        shape = [size or other for size, other in zip(named, free, strict=True)]
        ramp = np.linspace(0, 100, int(np.prod(shape)), dtype=np.float32).reshape(shape)
        inputs[value.name] = ramp if value.name == "lightness" else np.zeros_like(ramp)
    outputs = [value.name for value in model.graph.output]
    for name, result in zip(outputs, runner.run(graph, inputs, outputs), strict=True):
        if not np.isfinite(result).all():
            raise BackendError(
                f"graph {graph!r} of model {bundle.spec.name!r} gave {name} that is not finite on "
                f"{runner.library}; numbers were needed; choose another precision"
            )
