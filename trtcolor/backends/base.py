"""The one thing that every backend is: a `Runner` of a bundle's named graphs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray


class Runner(Protocol):
    """Runs the graphs ``local``, ``global`` and ``joint`` of one bundle; safe to share by threads.

    Inputs and outputs, all float32 (G features, C classes, s the chroma scale, S the global size):

    - ``local``: ``lightness`` (N, 1, H, W), L* in 0..100, and with a global network also
      ``global_features`` (N, G); gives ``chroma`` (N, 2, H/s, W/s), a* and b*;
    - ``global``: ``lightness`` (N, 1, S, S); gives ``global_features`` (N, G) and, with a
      classifier, ``class_logits`` (N, C);
    - ``joint``: ``lightness`` (N, 1, S, S); gives all three.

    Attributes:
        name: of the backend, e.g. ``"onnxruntime"``.
        device: where it runs, e.g. ``"cpu"``.
    """

    name: str
    device: str

    def run(
        self, graph: str, inputs: Mapping[str, NDArray[np.float32]], outputs: Sequence[str]
    ) -> list[NDArray[np.float32]]:
        """Run a graph once and return the named outputs in the order asked for.

        Raises:
            BackendError: the graph cannot be loaded, an input does not fit it, it fails while
                running, or the runner is closed.
        """
        ...

    def close(self) -> None:
        """Release what the graphs hold; a second call does nothing."""
        ...


class BackendRunner(Runner, Protocol):
    """A `Runner` of a backend, which gets a graph ready when it is first run, or before that."""

    def load(self, graph: str) -> None:
        """Get a graph ready to run.

        Raises:
            BackendError: it cannot be loaded, or the runner is closed.
        """
        ...
