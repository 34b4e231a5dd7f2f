"""A network from a file that the user gives, run on uint8 pictures: ONNX or TorchScript."""

from __future__ import annotations

import os
import warnings
from importlib import import_module
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from trtcolor.backends.onnxruntime import import_onnxruntime
from trtcolor.errors import BackendError, DataError

Pictures = NDArray[np.uint8]


class FeatureNetwork(Protocol):
    """Attributes:
    backend: what runs it, with its version, e.g. ``"onnxruntime 1.20.1"``.
    inputs: how many pictures a call takes, 1 or 2.
    """

    backend: str
    inputs: int

    def run(self, *pictures: Pictures) -> NDArray[np.floating]:
        """The network's output for uint8 RGB (N, 3, H, W), one array for each input.

        Raises:
            BackendError: it fails on them.
        """
        ...


def open_network(path: str | os.PathLike[str], **keywords: Any) -> FeatureNetwork:
    """Open a network's file by its suffix: ``.onnx`` or ``.pt``.

    Args:
        path: of the file.
        keywords: ``pixels``, the dtype in which TorchScript takes pictures (``"uint8"`` or
            ``"float32"``); the others are passed to each of its calls.

    Raises:
        DataError: no such file, or of another suffix.
        BackendError: what runs it is not installed, or does not load it.
    """
    file = Path(path)
    if not file.is_file():
        raise DataError(f"no file {str(file)!r}; a network's weights were needed; check the path")
    if file.suffix == ".onnx":
        return OnnxNetwork(file)
    if file.suffix == ".pt":
        return TorchScriptNetwork(file, **keywords)
    raise DataError(
        f"{str(file)!r} came; an ONNX (.onnx) or TorchScript (.pt) file was needed; convert the "
        "network to one of these"
    )


class OnnxNetwork:
    """A `FeatureNetwork` in ONNX Runtime on the CPU; it takes float32 in 0..255."""

    def __init__(self, path: Path) -> None:
        onnxruntime = import_onnxruntime()
        self.backend = f"onnxruntime {onnxruntime.__version__}"
        self._path = path
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 4  # whatever it would log as an error it also raises
        try:
            self._session = onnxruntime.InferenceSession(
                str(path), options, providers=["CPUExecutionProvider"]
            )
        except Exception as error:  # ORT raises RuntimeError, ValueError and its own, all unrelated
            raise _failed(path, "load", error) from error
        self._names = [value.name for value in self._session.get_inputs()]
        self.inputs = len(self._names)
        if self.inputs not in (1, 2):
            raise BackendError(
                f"{str(path)!r} has {self.inputs} inputs; one picture or two were needed; export "
                "it again without the others"
            )

    def run(self, *pictures: Pictures) -> NDArray[np.floating]:
        values = (batch.astype(np.float32) for batch in pictures)
        try:
            result = self._session.run(None, dict(zip(self._names, values, strict=True)))[0]
        except Exception as error:
            raise _failed(self._path, "run", error) from error
        return np.asarray(result)


class TorchScriptNetwork:
    """A `FeatureNetwork` in torch on the CPU; one picture a call."""

    inputs = 1

    def __init__(self, path: Path, *, pixels: str = "float32", **keywords: Any) -> None:
        try:
            self._torch: Any = import_module("torch")
        except ImportError as error:
            raise BackendError(
                f"torch does not import ({error}), which runs {path.name}; torch was needed; "
                'run: pip install "trtcolor[train]", or give an ONNX file'
            ) from None
        self.backend = f"torch {self._torch.__version__}"
        self._path = path
        self._pixels = getattr(self._torch, pixels)
        self._keywords = keywords
        try:
            with warnings.catch_warnings():
                # Of TorchScript, which torch no longer develops; the files are what they are.
                warnings.simplefilter("ignore", DeprecationWarning)
                self._module = self._torch.jit.load(str(path), map_location="cpu").eval()
        except Exception as error:  # torch raises whatever its parsers raise
            raise _failed(path, "load", error) from error

    def run(self, *pictures: Pictures) -> NDArray[np.floating]:
        (batch,) = pictures
        try:
            with self._torch.inference_mode():
                tensor = self._torch.from_numpy(np.ascontiguousarray(batch)).to(self._pixels)
                result = self._module(tensor, **self._keywords)
                return np.asarray(result.float().numpy())
        except Exception as error:
            raise _failed(self._path, "run", error) from error


def _failed(path: Path, verb: str, error: Exception) -> BackendError:
    lines = str(error).strip().splitlines() or [type(error).__name__]
    # A failing TorchScript shows its own program first and ends with what failed.
    line = lines[-1] if verb == "run" else lines[0]
    reason = " ".join(line.split())[:200].rstrip(".")
    return BackendError(
        f"{str(path)!r} did not {verb} ({reason}); a network of the form that "
        "trtcolor.metrics.distributions describes was needed; give another file"
    )
