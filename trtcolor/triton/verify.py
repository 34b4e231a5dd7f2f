"""Whether the models of a repository, one behind the other, colour as the `Colorizer` does."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from trtcolor.bundle import Bundle
from trtcolor.colorizer import Colorizer
from trtcolor.errors import ExportError

if TYPE_CHECKING:
    import onnx

SIZES = ((1, 1), (37, 90), (301, 200))
MOST = 2
"""Steps of uint8 that a byte may differ, and one in `RARE` more than 1."""
RARE = 10_000


def check_colors(bundle: Bundle, models: Sequence[onnx.ModelProto], **settings: Any) -> None:
    """Run models on ONNX Runtime, what one gives being there for those behind it.

    Args:
        bundle: that they were made of.
        models: that take ``frames``; the last gives ``rgb``.
        settings: render, gamut, saturation and channels, with which they were made.

    Raises:
        ExportError: a byte differs by more than 2, or more than one in 10,000 by more than 1.
        BackendError: ONNX Runtime is not installed, or does not run a model.
    """
    from trtcolor.precision.runner import GraphRunner

    runner = GraphRunner({str(number): model for number, model in enumerate(models)})
    differences = []
    with Colorizer(bundle.path, render=settings["render"], gamut=settings["gamut"]) as colorizer:
        for frame in _frames(settings["channels"]):
            tensors: dict[str, NDArray[Any]] = {"frames": frame[None]}
            for number, model in enumerate(models):
                inputs = {value.name: tensors[value.name] for value in model.graph.input}
                outputs = [value.name for value in model.graph.output]
                results = runner.run(str(number), inputs, outputs)
                tensors |= dict(zip(outputs, results, strict=True))
            expected = colorizer.colorize(frame, saturation=settings["saturation"])
            distance = np.abs(tensors["rgb"][0].astype(np.int16) - expected)
            differences.append(distance.ravel())
    runner.close()
    _judge(np.concatenate(differences))


def _judge(differences: NDArray[np.int16]) -> None:
    many = int(np.count_nonzero(differences > 1))
    if differences.max() > MOST or many * RARE > differences.size:
        raise ExportError(
            f"the exported graphs differ from the Colorizer by up to {differences.max()} of 255, "
            f"in {many} of {differences.size} bytes by more than 1; {MOST} at most and 1 in "
            f"{RARE} were needed; export another model, and please report this one"
        )


def _frames(channels: int) -> Iterator[NDArray[np.uint8]]:
    """Noise over gradients: dark and bright, plain and busy."""
    rng = np.random.default_rng(0)
    for height, width in SIZES:
        ramp = np.linspace(0, 255, height * width).reshape(height, width, 1)
        noise = rng.normal(0, 30, (height, width, channels)) * np.linspace(0, 1, width)[:, None]
        yield np.clip(ramp + noise, 0, 255).astype(np.uint8)
