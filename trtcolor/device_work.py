"""Streams of one GPU and what goes through them: a lane a step, and a fourth for copies back."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from trtcolor.errors import BackendError

if TYPE_CHECKING:
    from trtcolor.backends._cuda import Pool
    from trtcolor.backends._staging import Download, Staging
    from trtcolor.backends.base import DeviceRunner
    from trtcolor.backends.device_arrays import DeviceArray

FRAME = "(H, W) or (H, W, 1) grey or (H, W, 3) RGB"


class Lane:
    """A stream with new arrays for what is put into it.

    Args:
        pool: of the GPU's memory.
        staging: page-locked memory for copies.
    """

    def __init__(self, pool: Pool, staging: Staging) -> None:
        from trtcolor.backends._cuda import Stream

        self.stream = Stream()
        self._pool, self._staging = pool, staging

    def new(self, shape: tuple[int, ...], dtype: DTypeLike = np.float32) -> DeviceArray:
        """An array for this stream to fill.

        Raises:
            OutOfDeviceMemoryError: the GPU has not that much.
        """
        from trtcolor.backends.device_arrays import DeviceArray

        array = DeviceArray(0, shape, dtype, self._pool.device)
        block = self._pool.take(array.nbytes, self.stream)
        array.address, array.owner = block.address, block
        return array

    def upload(self, array: NDArray[Any]) -> DeviceArray:
        """A copy of a host's array, which is read before this returns."""
        made = self.new(array.shape, array.dtype)
        self._staging.upload(array, made.address, self.stream)
        return made

    def run(
        self,
        runner: DeviceRunner,
        graph: str,
        inputs: Mapping[str, DeviceArray],
        outputs: Mapping[str, DeviceArray],
    ) -> None:
        """Run a graph once its inputs are filled; the outputs are marked.

        Raises:
            BackendError: as from `DeviceRunner.enqueue`.
        """
        from trtcolor.backends._cuda import Event

        for array in inputs.values():
            array.wait(self.stream)
        runner.enqueue(graph, inputs, outputs, self.stream)
        ready = Event().record(self.stream)
        for array in outputs.values():
            array.ready = ready

    @staticmethod
    def reshaped(array: DeviceArray, shape: tuple[int, ...]) -> DeviceArray:
        """The same samples with other sides."""
        from trtcolor.backends.device_arrays import DeviceArray

        return DeviceArray(
            array.address,
            shape,
            array.dtype,
            array.device,
            array.ready,
            array.owner,
            readonly=array.readonly,
        )


class DeviceWork:
    """Lanes, memory and copies for frames on one GPU, made with the first frame.

    Args:
        device: as runners name it, e.g. ``"cuda:0"``.

    Attributes:
        first, second, third: lanes of the three steps.
    """

    first: Lane
    second: Lane
    third: Lane

    def __init__(self, device: str) -> None:
        self._device = device
        self._lock = threading.Lock()
        self._open = self._closed = False

    @contextmanager
    def on(self) -> Iterator[None]:
        """The calling thread works on that GPU in the block.

        Raises:
            BackendError: the GPU does not answer, or this was closed.
        """
        from trtcolor.backends import _cuda

        with self._lock:
            if self._closed:
                raise BackendError(
                    "a frame on a GPU came to a closed Colorizer; an open one was needed; make a "
                    "new one"
                )
            if not self._open:
                self._begin()
        with _cuda.using(self._pool.device):
            yield

    def taken(self, frame: Any) -> DeviceArray:
        """A frame of any library as (1, H, W, C) uint8 for the first lane, C 1 or 3.

        Raises:
            TypeError, ValueError: it is none, or none that stays on the GPU.
            BackendError: the GPU failed.
        """
        from trtcolor.backends.device_arrays import device_array

        pool = self._pool
        array = device_array(frame, self.first.stream, pool.device, pool=pool, name="frame")
        if array.dtype != np.uint8:
            raise TypeError(
                f"a frame of {array.dtype} on a GPU came; uint8 was needed; convert it, or copy it "
                "to the host, where uint16 is taken too"
            )
        if array.ndim not in (2, 3) or (array.ndim == 3 and array.shape[2] not in (1, 3)):
            alpha = array.ndim == 3 and array.shape[2] in (2, 4)
            remedy = "leave the alpha out, or copy the frame to the host" if alpha else None
            raise ValueError(
                f"a frame of shape {array.shape} on a GPU came; {FRAME} was needed; "
                f"{remedy or 'put the channels last'}"
            )
        if 0 in array.shape:
            raise ValueError(
                f"a frame of shape {array.shape} came; at least 1x1 pixels were needed; "
                "leave empty frames out"
            )
        channels = array.shape[2] if array.ndim == 3 else 1
        return Lane.reshaped(array, (1, *array.shape[:2], channels))

    def download(self, array: DeviceArray) -> Download:
        """Begin to copy an array to the host once it is filled."""
        array.wait(self._back)
        return self._staging.download(array.address, array.shape, array.dtype, self._back)

    def close(self) -> None:
        """Wait for all and give it back; a second call does nothing."""
        from trtcolor.backends import _cuda

        with self._lock:
            self._closed = True
            if not self._open:
                return
            self._open = False
            streams = [self.first.stream, self.second.stream, self.third.stream, self._back]
            with suppress(BackendError), _cuda.using(self._pool.device):  # it may be lost
                for stream in streams:
                    stream.synchronize()
                self._staging.close()
                self._pool.close()
                for stream in streams:
                    stream.close()

    def _begin(self) -> None:
        from trtcolor.backends import _cuda
        from trtcolor.backends._staging import Staging

        index = int(self._device.rpartition(":")[2])
        with _cuda.using(index):
            self._pool, self._staging = _cuda.Pool(index), Staging()
            self.first, self.second, self.third = (
                Lane(self._pool, self._staging) for _ in range(3)
            )
            self._back = _cuda.Stream()
        self._open = True
