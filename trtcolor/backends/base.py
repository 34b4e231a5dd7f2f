"""The one thing that every backend is: a `Runner` of a bundle's named graphs.

One on a GPU is a `DeviceRunner` as well: arrays of its device's memory go in and come out, in the
order of a CUDA stream, and runs on arrays of the host can be begun before the last one has ended.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from trtcolor.backends._cuda import Stream
    from trtcolor.backends.device_arrays import DeviceArray
    from trtcolor.color import Gamut
    from trtcolor.geometry import Render


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


class Pending(Protocol):
    """A run that was begun. One that is dropped gives back what it holds once its run is over."""

    def result(self) -> list[NDArray[np.float32]]:
        """Wait for the run and return its outputs, as from `Runner.run`; to be called once.

        Raises:
            BackendError: the run failed.
        """
        ...


class FrameGraphs(NamedTuple):
    """Names of the graphs between which a network lies where frames stay on the device.

    Attributes:
        prepare: ``frames`` (N, H, W, C) uint8 to ``lightness`` (N, 1, H, W), full size,
            ``network_lightness`` (N, 1, h, w), padded as the graph ``local`` takes it, and where
            the network has a global one ``global_lightness`` (N, 1, S, S); float32.
        merge: ``lightness`` (N, 1, H, W), ``chroma`` (N, 2, h', w') of the network, its padding
            cut off or not, and ``saturation`` (1,), float32, to ``rgb`` (N, H, W, 3) uint8.
    """

    prepare: str
    merge: str


@runtime_checkable
class DeviceRunner(BackendRunner, Protocol):
    """A `BackendRunner` on an NVIDIA GPU.

    Attributes:
        index: of the GPU among those that the process sees.
    """

    index: int

    def frame_graphs(self, render: Render, gamut: Gamut, channels: int) -> FrameGraphs:
        """What `enqueue` calls the graphs before and behind the network.

        Args:
            render: checked, as `trtcolor.geometry.plan_render` takes it.
            gamut: ``"reduce"`` or ``"clip"``.
            channels: of the frames, 1 or 3.

        Raises:
            BackendError: the runner has none of that kind, as an engine without plans for frames
                or with those of another render size.
        """
        ...

    def enqueue(
        self,
        graph: str,
        inputs: Mapping[str, DeviceArray],
        outputs: Mapping[str, DeviceArray],
        stream: Stream,
    ) -> None:
        """Put one run of a graph into a stream and return; nothing is waited for.

        Args:
            graph: ``local``, ``global``, ``joint`` or a name from `frame_graphs`.
            inputs: all that it takes, contiguous, of the GPU's memory. They are read and the
                outputs written in the stream's order: whoever has written to them or reads them in
                another stream makes one wait for the other.
            outputs: those that are wanted, of the shapes that they will have. The caller keeps both
                until the stream has passed the run.
            stream: of the same GPU.

        Raises:
            BackendError: as from `Runner.run`, or there was too little memory
                (`OutOfDeviceMemoryError`). An error while the run is under way may come out of a
                later call or of whoever waits for the stream.
        """
        ...

    def start(
        self, graph: str, inputs: Mapping[str, NDArray[Any]], outputs: Sequence[str]
    ) -> Pending:
        """Begin a run on arrays of the host and return before it has ended.

        The inputs are copied before it returns, so they may be changed. Runs that were begun before
        and whose results nobody has taken do not hold it up: it takes other buffers, which are
        kept. Their copies overlap its work.

        Raises:
            BackendError: as from `Runner.run`.
        """
        ...
