"""A session of ONNX Runtime on a GPU whose inputs and outputs are bound where they lie.

Its kernels go into a stream of ours (``user_compute_stream``) and nobody waits for them at the end
of a run (``disable_synchronize_execution_providers``): other streams are tied to it by events.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trtcolor.backends import _cuda
from trtcolor.backends._cuda_calls import LOST
from trtcolor.backends._staging import Download, Staging
from trtcolor.backends.device_arrays import DeviceArray
from trtcolor.errors import BackendError, DeviceLostError, OutOfDeviceMemoryError

MEMORY = "cuda"
"""What ONNX Runtime calls the memory that addresses are of."""
ARENA = "gpu"
"""What it calls that memory's arena."""

Place = tuple[int, tuple[int, ...], "np.dtype[Any]"]
"""Address, shape and dtype."""


class BoundSession:
    """One graph on one GPU. Threads may share it; what they give it runs in the order it came.

    Args:
        ort: the module ``onnxruntime``.
        pool: of the GPU's memory.
        load: makes the session, its kernels in the stream of that handle.

    Attributes:
        session: ONNX Runtime's own.
    """

    def __init__(self, ort: Any, pool: _cuda.Pool, load: Callable[[int], Any]) -> None:
        self._ort, self._pool, self._index = ort, pool, pool.device
        self._lock = threading.Lock()
        self._staging = Staging()
        with _cuda.using(self._index):
            self._stream, self._up, self._down = (_cuda.Stream() for _ in range(3))
            self._before, self._behind = _cuda.Event(), _cuda.Event()
        self.session = load(self._stream.handle)
        self._types = {value.name: value.type for value in self.session.get_outputs()}
        self._shapes: object = None

    def enqueue(
        self,
        inputs: Mapping[str, DeviceArray],
        outputs: Mapping[str, DeviceArray],
        stream: _cuda.Stream,
    ) -> None:
        """Run behind what the stream holds and ahead of what it is given next.

        Raises:
            BackendError: as from `trtcolor.backends.base.DeviceRunner.enqueue`.
            RuntimeError, ValueError: ONNX Runtime's own.
        """
        places = {name: (a.address, a.shape, a.dtype) for name, a in inputs.items()}
        with _cuda.using(self._index), self._lock:
            binding = self._bound(places)
            for name, a in outputs.items():
                shape = list(a.shape)
                binding.bind_output(name, MEMORY, self._index, a.dtype.type, shape, a.address)
            self._run(binding, places, after=stream)
            stream.wait(self._behind.record(self._stream))

    def start(self, inputs: Mapping[str, NDArray[Any]], outputs: Sequence[str]) -> BoundRun:
        """Begin a run on arrays of the host, which are copied before this returns.

        Raises:
            BackendError: as from `trtcolor.backends.base.DeviceRunner.start`.
            RuntimeError, ValueError: ONNX Runtime's own.
        """
        with _cuda.using(self._index), self._lock:
            places: dict[str, Place] = {}
            blocks = []  # held until the run is in the stream that they are used by
            for name, array in inputs.items():
                block = self._pool.take(array.nbytes, self._up)
                block.used_by(self._stream)
                self._staging.upload(array, block.address, self._up)
                places[name] = block.address, array.shape, array.dtype
                blocks.append(block)
            binding = self._bound(places)
            for name in outputs:
                binding.bind_output(name, MEMORY, self._index)
            self._run(binding, places, after=self._up)
            self._down.wait(self._behind.record(self._stream))
            values = binding.get_outputs()
            found = [
                self._staging.download(*self._place(name, value), self._down)
                for name, value in zip(outputs, values, strict=True)
            ]
        return BoundRun(found, values)

    def close(self) -> None:
        """Wait for what runs, then give back the session, its streams and buffers."""
        with self._lock:
            streams = (self._up, self._stream, self._down)
            with suppress(BackendError), _cuda.using(self._index):  # it may be lost
                for stream in streams:
                    stream.synchronize()
            self.session = None
            self._staging.close()
            with suppress(BackendError):
                for stream in streams:
                    stream.close()

    def _place(self, name: str, value: Any) -> Place:
        dtype = {"tensor(float)": np.float32, "tensor(uint8)": np.uint8}[self._types[name]]
        return value.data_ptr(), tuple(value.shape()), np.dtype(dtype)

    def _bound(self, inputs: Mapping[str, Place]) -> Any:
        if self.session is None:
            raise BackendError(
                "a graph was to run on a closed runner; an open one was needed; make a new "
                "Colorizer"
            )
        binding = self.session.io_binding()
        for name, (address, shape, dtype) in inputs.items():
            binding.bind_input(name, MEMORY, self._index, dtype.type, list(shape), address)
        return binding

    def _run(self, binding: Any, places: Mapping[str, Place], *, after: _cuda.Stream) -> None:
        """Put one run into the stream, behind what another one holds.

        A run of other shapes than the last is waited for and gives back what the arena does not
        use: it would keep the pieces of all shapes that ever came.
        """
        options = self._ort.RunOptions()
        shapes = {name: shape for name, (_, shape, _) in places.items()}
        if shapes == self._shapes:
            options.add_run_config_entry("disable_synchronize_execution_providers", "1")
        else:
            arena = f"{ARENA}:{self._index}"
            options.add_run_config_entry("memory.enable_memory_arena_shrinkage", arena)
        self._stream.wait(self._before.record(after))
        self._shapes = None  # should this run fail, the next one gives back what it left
        try:
            self.session.run_with_iobinding(binding, options)
        except Exception as error:
            explained = _explained(error)
            if explained is None:
                raise
            raise explained from error
        self._shapes = shapes


class BoundRun:
    """A run that was begun by `BoundSession.start`; see `trtcolor.backends.base.Pending`."""

    def __init__(self, found: Sequence[Download], values: Any) -> None:
        self._found = found
        self._values = values  # ONNX Runtime's, which lie there until they are copied

    def result(self) -> list[NDArray[np.float32]]:
        """Wait for the outputs and return them in the order asked for.

        Raises:
            BackendError: the run failed.
        """
        results = [download.result() for download in self._found]
        self._found, self._values = (), None
        return results


def _explained(error: Exception) -> BackendError | None:
    """What an error of ONNX Runtime says of the GPU's memory or health; None: nothing."""
    text = " ".join(str(error).split())
    failure = re.search(r"CUDA failure (\d+)", text)
    if failure is not None and _name(int(failure[1])) in LOST:
        return DeviceLostError(
            f"the GPU has failed for good (ONNX Runtime: {failure[0]}); one that works was needed; "
            "start the program again, and look at nvidia-smi and the kernel's messages (Xid)"
        )
    if re.search("out of memory|failed to allocate memory|ALLOC_FAILED", text, re.IGNORECASE):
        size = re.search(r"of size (\d+)", text)
        asked = f"{int(size[1]) / 2**20:,.1f} MiB asked for, " if size else ""
        free, total = (part / 2**20 for part in _cuda.device_memory())
        return OutOfDeviceMemoryError(
            f"ONNX Runtime ran out of the GPU's memory ({asked}{free:,.1f} of {total:,.1f} MiB "
            "free); more was needed; render at a smaller size, or look at nvidia-smi"
        )
    return None


def _name(code: int) -> str:
    try:
        return str(_cuda.import_runtime().cudaError_t(code).name)
    except ValueError:
        return ""
