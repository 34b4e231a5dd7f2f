"""The network run by hand: its own file, with the arithmetic around it done by the C kernels.

What the wrapped graph is held against before it is published.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from trtcolor import color
from trtcolor.adopt.network import Network, shown
from trtcolor.adopt.spec import NetworkSpec
from trtcolor.backends.onnxruntime import import_onnxruntime
from trtcolor.errors import ExportError
from trtcolor.resize import resize_plane

Float = NDArray[np.float32]


class Reference:
    """Runs a network from its file.

    Raises:
        BackendError: ONNX Runtime is not installed.
        ExportError: it does not load the file.
    """

    def __init__(self, network: Network, spec: NetworkSpec) -> None:
        self._network, self._spec = network, spec
        onnxruntime = import_onnxruntime()
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 4
        try:
            self._session = onnxruntime.InferenceSession(
                str(network.path),
                options,
                providers=["CPUExecutionProvider"],
                enable_fallback=0,  # which prints
            )
        except Exception as error:  # of many unrelated classes
            raise ExportError(
                f"ONNX Runtime does not load {network.path} ({_reason(error)}); operators that it "
                "knows were needed; export it with another opset_version or without custom ones"
            ) from None

    def seen(self, size: tuple[int, int]) -> tuple[int, int]:
        """The size at which the network sees a picture of `size`."""
        fixed = self._spec.size.fixed
        return size if fixed == (0, 0) else fixed

    def output(self, lightness: Float) -> NDArray[Any]:
        """What the network says of a picture.

        Args:
            lightness: (H, W) L*.

        Returns:
            (2 or 3, h, w), coded.

        Raises:
            ExportError: the network fails, gives another shape or numbers that are not finite.
        """
        plane = resize_plane(lightness, self.seen(lightness.shape))
        inputs = {self._network.input.name: self._coded(plane)[None]}
        for value in self._network.constants:
            shape = [
                size if size is not None else seen
                for size, seen in zip(value.shape, (1, 0, *plane.shape), strict=True)
            ]
            number = self._spec.constants[value.name]
            inputs[value.name] = np.full(shape, number, value.dtype)
        try:
            (found,) = self._session.run([self._network.output.name], inputs)
        except Exception as error:  # of many unrelated classes
            raise ExportError(
                f"{self._network.path} fails for a picture of {plane.shape[0]}x{plane.shape[1]} "
                f"({_reason(error)}); one that takes it was needed; state a greater size.multiple "
                "or a size.fixed in the spec"
            ) from None
        channels = 2 if self._spec.output.kind == "ab" else 3
        if found.ndim != 4 or found.shape[:2] != (1, channels) or 0 in found.shape:
            raise ExportError(
                f"{self._network.path} gives {self._network.output.name!r} of shape "
                f"{shown(found.shape)}; (1, {channels}, h, w) was needed for the kind "
                f"{self._spec.output.kind!r}; mend the spec or the export"
            )
        if not np.isfinite(found).all():
            raise ExportError(
                f"{self._network.path} gives numbers that are not finite for a picture of "
                f"{plane.shape[0]}x{plane.shape[1]}; finite ones were needed; its weights or the "
                "spec's normalisation are broken"
            )
        result: NDArray[Any] = found[0]
        return result

    def chroma(self, lightness: Float, grid: tuple[int, int]) -> Float:
        """(H, W) L* -> (2, *grid) a*b*. Errors are those of `output`."""
        coded = self.output(lightness).astype(np.float32)
        coding = self._spec.output
        if coding.kind == "ab":
            ab = coded * np.float32(coding.scale) + np.float32(coding.offset)
        else:
            gain, bias = (
                np.array(part, np.float32)[:, None, None] for part in coding.gain_and_bias()
            )
            rgb = ((coded - bias) / gain)[:: 1 if coding.order == "rgb" else -1]
            ab = color.lab_from_rgb(np.ascontiguousarray(rgb), layout="chw")[1:]
        return resize_plane(np.ascontiguousarray(ab), grid)

    def _coded(self, plane: Float) -> NDArray[Any]:
        coding = self._spec.input
        if coding.kind == "lightness":
            coded = (plane[None] - coding.offset) / coding.scale
        else:
            lab = np.zeros((3, *plane.shape), np.float32)
            lab[0] = plane
            grey = color.rgb_from_lab(lab, dtype=np.float32, layout="chw")[:1]
            gain, bias = (np.array(part)[:, None, None] for part in coding.gain_and_bias())
            coded = grey * gain + bias
        return coded.astype(self._network.input.dtype)


def _reason(error: Exception) -> str:
    return " ".join(str(error).split()).rstrip(".")
