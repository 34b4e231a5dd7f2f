"""One graph of a `TensorRTRunner`: its engine, contexts and buffers, shared by threads."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

from numpy.typing import NDArray

from trtcolor.backends import _cuda
from trtcolor.backends._tensorrt import Messages, logger
from trtcolor.backends._tensorrt_contexts import Binding, Contexts
from trtcolor.backends._tensorrt_engine import Engine
from trtcolor.backends._tensorrt_slots import Begun, Slot, Slots, Streams
from trtcolor.errors import BackendError

if TYPE_CHECKING:
    from trtcolor.backends.device_arrays import DeviceArray

DEFAULT_STREAM = (0, _cuda.LEGACY)
"""Handles of CUDA's default stream, which cannot be captured and in which TensorRT waits."""


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
        self._unasked = {name: _cuda.Buffer() for name in engine.outputs}
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
        with self._running(engine) as messages:
            taken = self._streams.compute if stream.handle in DEFAULT_STREAM else stream
            binding = self._binding(engine, inputs, outputs, taken, messages)
            if taken is not stream:
                self._follow(taken, stream)
            self._contexts.run(binding, taken, messages)
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
                for buffer in self._unasked.values():
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

    def _binding(
        self,
        engine: Engine,
        inputs: Mapping[str, DeviceArray],
        outputs: Mapping[str, DeviceArray],
        stream: _cuda.Stream,
        messages: Messages,
    ) -> Binding:
        """What a run on the arrays is on; what nobody asked for goes into a buffer of its own."""
        shapes = tuple(inputs[name].shape for name in engine.inputs)
        given = self._contexts.output_shapes(shapes, stream, messages)
        addresses = [inputs[name].address for name in engine.inputs]
        for name, shape in zip(engine.outputs, given, strict=True):
            if name not in outputs:
                addresses.append(self._unasked_address(name, engine.bytes_of(name, shape)))
            elif outputs[name].shape == shape:
                addresses.append(outputs[name].address)
            else:
                raise BackendError(
                    f"graph {engine.graph!r} was given an array of shape {outputs[name].shape} for "
                    f"{name}; {shape} was needed for its inputs; give one of that shape"
                )
        return Binding(shapes, tuple(addresses))

    def _unasked_address(self, name: str, size: int) -> int:
        buffer = self._unasked[name]
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
