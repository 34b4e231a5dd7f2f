"""Graphs in memory, run by ONNX Runtime on the CPU."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray

from trtcolor.backends.onnxruntime import import_onnxruntime
from trtcolor.errors import BackendError


class GraphRunner:
    """A `trtcolor.backends.base.Runner` of models that lie in no file.

    Args:
        graphs: by name.

    Raises:
        BackendError: ONNX Runtime is not installed, or does not load a graph.
    """

    name = "onnxruntime"
    device = "cpu"

    def __init__(self, graphs: Mapping[str, onnx.ModelProto]) -> None:
        ort = import_onnxruntime()
        options = ort.SessionOptions()
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        options.log_severity_level = 4  # whatever it would log as an error it also raises
        self._sessions: dict[str, Any] = {}
        for name, model in graphs.items():
            try:
                self._sessions[name] = ort.InferenceSession(
                    model.SerializeToString(), options, providers=["CPUExecutionProvider"]
                )
            except Exception as error:  # ORT raises its own classes, all unrelated
                raise _refused(name, "load", error) from error

    def run(
        self, graph: str, inputs: Mapping[str, NDArray[np.float32]], outputs: Sequence[str]
    ) -> list[NDArray[np.float32]]:
        """Run a graph; see `trtcolor.backends.base.Runner.run`."""
        try:
            results: list[NDArray[np.float32]] = self._sessions[graph].run(
                list(outputs), dict(inputs)
            )
        except Exception as error:
            raise _refused(graph, "run", error) from error
        return results

    def close(self) -> None:
        """Drop the sessions."""
        self._sessions.clear()


def _refused(graph: str, verb: str, error: Exception) -> BackendError:
    reason = " ".join(str(error).split()).rstrip(".")
    return BackendError(
        f"ONNX Runtime did not {verb} graph {graph!r} at this precision ({reason}); a graph that "
        "runs was needed; choose another precision"
    )
