"""One graph of a `TensorRTRunner`: its engine, contexts and buffers, shared by threads."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

from numpy.typing import NDArray

from trtcolor.backends import _cuda
from trtcolor.backends._tensorrt import Messages, logger
from trtcolor.backends._tensorrt_contexts import Binding, Contexts, Copy
from trtcolor.backends._tensorrt_engine import Engine
from trtcolor.backends._tensorrt_slots import Begun, Slot, Slots, Streams
from trtcolor.errors import BackendError

if TYPE_CHECKING:
    from trtcolor.backends.device_arrays import DeviceArray

DEFAULT_STREAM = (0, _cuda.LEGACY)
"""Handles of CUDA's default stream, which cannot be captured and in which TensorRT waits."""
ALIGNMENT = 256
"""In bytes, of addresses of inputs and outputs: ``IExecutionContext::setTensorAddress``."""


class Plan:
    """Runs one engine.

    Args:
        api: the module.
        engine: loaded.
        device: index of the GPU.
        streams: of the runner.
    """

    def __init__(self, api: Any, engine: Engine, device: int, streams: Streams) -> None:
        self._log = logger(api)
        self._graph = engine.graph
        self._engine: Engine | None = engine
        self._device = device
        self._streams = streams
        self._contexts = Contexts(engine)
        self._slots = Slots(engine.types)
        self._own = {name: _cuda.Buffer() for name in engine.types}
        self._event: _cuda.Event | None = None
        self._lock = threading.Lock()

    @property
    def notes(self) -> list[str]:
        """Why its runs are not replayed as CUDA graphs, where that was tried."""
        return list(self._contexts.notes)

    def start(self, inputs: Mapping[str, NDArray[Any]], outputs: Sequence[str]) -> Begun:
        """Begin a run on arrays of the host; see `trtcolor.backends.base.DeviceRunner.start`."""
        engine = self._open_engine()
        engine.check_names(inputs, outputs)
        for name, array in inputs.items():
            engine.check_type(name, array.dtype, "same_kind")
        with self._running(engine) as messages:
            slot = self._slots.take()
            try:
                views = self._put_in(engine, slot, inputs, outputs, messages)
            except BaseException:  # what it has of too much memory would be in the way
                self._streams.settle()
                with suppress(BackendError):
                    slot.close()
                raise
            return Begun(self._slots, slot, views)

    def enqueue(
        self,
        inputs: Mapping[str, DeviceArray],
        outputs: Mapping[str, DeviceArray],
        stream: _cuda.Stream,
    ) -> None:
        """Put a run into a stream; see `trtcolor.backends.base.DeviceRunner.enqueue`."""
        engine = self._open_engine()
        engine.check_names(inputs, tuple(outputs))
        for name, array in (*inputs.items(), *outputs.items()):
            engine.check_type(name, array.dtype, "no")
            if array.device != self._device:
                raise BackendError(
                    f"graph {self._graph!r} was given {name} in the memory of GPU {array.device}; "
                    f"that of GPU {self._device}, which it runs on, was needed; copy it there"
                )
        with self._running(engine) as messages:
            taken = self._streams.compute if stream.handle in DEFAULT_STREAM else stream
            binding, before, after = self._bound(engine, inputs, outputs, taken, messages)
            if taken is not stream:
                self._follow(taken, stream)
            self._contexts.run(binding, taken, messages, before, after)
            if taken is not stream:
                self._follow(stream, taken)

    def close(self) -> None:
        """Free all of it, once what is under way has ended."""
        with self._lock:
            if self._engine is None:
                return
            self._engine = None
            with suppress(BackendError), _cuda.using(self._device):  # of a lost GPU nothing is left
                self._contexts.close()
                self._slots.close()
                for buffer in self._own.values():
                    buffer.close()
                if self._event is not None:
                    self._event.close()

    def _open_engine(self) -> Engine:
        engine = self._engine
        if engine is None:
            raise closed_error(self._graph)
        return engine

    @contextmanager
    def _running(self, engine: Engine) -> Iterator[Messages]:
        """Hold the lock, on the engine's GPU; the thread's own GPU is its own again afterwards."""
        with self._lock:
            if self._engine is not engine:
                raise closed_error(self._graph)
            with _cuda.using(self._device), self._log.collect() as messages:
                yield messages

    def _put_in(
        self,
        engine: Engine,
        slot: Slot,
        inputs: Mapping[str, NDArray[Any]],
        outputs: Sequence[str],
        messages: Messages,
    ) -> list[NDArray[Any]]:
        streams = self._streams
        shapes = tuple(inputs[name].shape for name in engine.inputs)
        given = self._contexts.output_shapes(shapes, streams.compute, messages)
        named = dict(zip(engine.outputs, given, strict=True))
        slot.upload(inputs, streams)
        slot.reserve(named)
        addresses = slot.addresses((*engine.inputs, *engine.outputs))
        self._contexts.run(Binding(shapes, addresses), streams.compute, messages)
        return slot.download(outputs, named, streams)

    def _bound(
        self,
        engine: Engine,
        inputs: Mapping[str, DeviceArray],
        outputs: Mapping[str, DeviceArray],
        stream: _cuda.Stream,
        messages: Messages,
    ) -> tuple[Binding, list[Copy], list[Copy]]:
        """What a run on the arrays is on, and the copies before and after it.

        What nobody asked for goes into a buffer of its own, and so does an array that does not lie
        as TensorRT asks, such as one frame of several.
        """
        shapes = tuple(inputs[name].shape for name in engine.inputs)
        given = self._contexts.output_shapes(shapes, stream, messages)
        addresses, before, after = [], [], []
        for name in engine.inputs:
            array = inputs[name]
            addresses.append(self._address(name, array.address, array.nbytes))
            if addresses[-1] != array.address:
                before.append(Copy(addresses[-1], array.address, array.nbytes))
        for name, shape in zip(engine.outputs, given, strict=True):
            wanted = outputs.get(name)
            if wanted is not None and wanted.shape != shape:
                raise BackendError(
                    f"graph {engine.graph!r} was given an array of shape {wanted.shape} for "
                    f"{name}; {shape} was needed for its inputs; give one of that shape"
                )
            size = engine.bytes_of(name, shape)
            addresses.append(self._address(name, wanted.address if wanted else None, size))
            if wanted is not None and addresses[-1] != wanted.address:
                after.append(Copy(wanted.address, addresses[-1], size))
        return Binding(shapes, tuple(addresses)), before, after

    def _address(self, name: str, address: int | None, size: int) -> int:
        """The address itself, or that of a buffer in its place."""
        if address is not None and address % ALIGNMENT == 0:
            return address
        buffer = self._own[name]
        if size > buffer.size:
            self._contexts.settle()  # what is freed may still be in use
        return buffer.reserve(size)

    def _follow(self, later: _cuda.Stream, earlier: _cuda.Stream) -> None:
        """Let what is put into one stream wait for what is in another."""
        if self._event is None:
            self._event = _cuda.Event()
        self._event.record(earlier)
        later.wait(self._event)


def closed_error(graph: str) -> BackendError:
    return BackendError(
        f"graph {graph!r} was to run on a closed runner; an open one was needed; "
        "make a new Colorizer"
    )
