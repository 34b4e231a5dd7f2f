"""Runs of one engine, in contexts that are set up once and replayed as CUDA graphs.

A CUDA graph of TensorRT's holds for the shapes and addresses that its context had when it was
captured, and not after the context is changed; so whatever comes again gets a context of its own.
The first run of a binding goes through the common context, the second through a context of its own
(before a capture TensorRT has to run once), from the third on that one's graph is launched.
TensorRT-RTX captures by itself; it would capture again whenever an address is another, so it has
contexts of the same kind, and no capture of ours.

All contexts share one activation memory, and so no two runs of an engine overlap.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import NamedTuple, TypeVar

from trtcolor.backends import _cuda
from trtcolor.backends._profiles import Shape, choose_profile
from trtcolor.backends._tensorrt import Messages
from trtcolor.backends._tensorrt_context import Context
from trtcolor.backends._tensorrt_engine import Engine
from trtcolor.errors import BackendError

MOST_CONTEXTS = 8
"""Kept of one engine besides the common one: e.g. four shapes with two sets of buffers each."""
MOST_REMEMBERED = 64
"""Bindings that are known to have come before, and shapes whose outputs are known."""
Key = TypeVar("Key")
Value = TypeVar("Value")


@dataclass(frozen=True)
class Binding:
    """What one run is on.

    Attributes:
        shapes: of the inputs, in the engine's order.
        addresses: in device memory, of the inputs and then of the outputs.
    """

    shapes: tuple[Shape, ...]
    addresses: tuple[int, ...]


class Copy(NamedTuple):
    """Addresses, and how many bytes go from one to the other."""

    target: int
    source: int
    size: int


@dataclass
class Contexts:
    """The contexts of an engine. Its user holds a lock, and the GPU is the calling thread's.

    Attributes:
        engine: whose they are.
        notes: why runs are not replayed as CUDA graphs, where that was tried.
    """

    engine: Engine
    notes: list[str] = field(default_factory=list)
    _common: Context | None = None
    _own: OrderedDict[Binding, Context] = field(default_factory=OrderedDict)
    _seen: OrderedDict[Binding, None] = field(default_factory=OrderedDict)
    _outputs: OrderedDict[tuple[Shape, ...], tuple[Shape, ...]] = field(default_factory=OrderedDict)
    _activations: _cuda.Buffer = field(default_factory=_cuda.Buffer)
    _last: _cuda.Event | None = None

    def output_shapes(
        self, shapes: tuple[Shape, ...], stream: _cuda.Stream, messages: Messages
    ) -> tuple[Shape, ...]:
        """Shapes of the engine's outputs for those of its inputs.

        Raises:
            BackendError: no profile admits them, or the module refuses them.
        """
        if shapes not in self._outputs:
            choose_profile(self.engine.graph, self.engine.profiles, self.engine.named(shapes))
            with self._closed_on_failure():
                context = self._common_one(messages)
                self._wait(stream)
                context.set_shapes(shapes, stream, messages)
                _remember(self._outputs, shapes, context.outputs)
        return self._outputs[shapes]

    def run(
        self,
        binding: Binding,
        stream: _cuda.Stream,
        messages: Messages,
        before: Sequence[Copy] = (),
        after: Sequence[Copy] = (),
    ) -> None:
        """Put a run into a stream, behind the one before it, whichever stream that is in.

        Args:
            binding: what it is on.
            stream: no default stream.
            messages: that the module logs meanwhile.
            before, after: copies that belong to the run.

        Raises:
            BackendError: the module does not do it. Contexts and activations are then dropped, so
                that the next run begins anew.
        """
        with self._closed_on_failure():
            context = self._of(binding, messages)
            self._wait(stream)
            context.set_shapes(binding.shapes, stream, messages)
            context.set_addresses(binding.addresses, messages)
            self._make_room(context.activation)
            context.set_memory(self._activations)
            if context is not self._common and context.runs and not self.engine.jit.captures:
                self._capture(context, messages)
            for copy in before:
                _cuda.copy_async(*copy, stream)
            context.execute(stream, messages)
            for copy in after:
                _cuda.copy_async(*copy, stream)
            if self._last is None:
                self._last = _cuda.Event()
            self._last.record(stream)

    def settle(self) -> None:
        """Wait for the last run, and with it for all."""
        if self._last is not None:
            self._last.synchronize()

    def close(self) -> None:
        """Wait for the last run, then let contexts, graphs and activations go."""
        with suppress(BackendError):  # a device that is lost has nothing to wait for
            self.settle()
        for context in self._own.values():
            with suppress(BackendError):
                context.drop_graph()
        self._own.clear()
        self._seen.clear()
        self._common = None
        with suppress(BackendError):
            self._activations.close()
        if self._last is not None:
            self._last.close()
            self._last = None

    @contextmanager
    def _closed_on_failure(self) -> Iterator[None]:
        try:
            yield
        except BaseException:
            self.close()
            raise

    def _of(self, binding: Binding, messages: Messages) -> Context:
        """The context for a binding: its own one if it has come before."""
        if binding in self._own:
            self._own.move_to_end(binding)
            return self._own[binding]
        if self.notes or binding not in self._seen:
            _remember(self._seen, binding, None)
            return self._common_one(messages)
        if len(self._own) >= MOST_CONTEXTS:
            self.settle()
            self._own.popitem(last=False)[1].drop_graph()
        self._own[binding] = Context(self.engine, messages)
        return self._own[binding]

    def _common_one(self, messages: Messages) -> Context:
        if self._common is None:
            self._common = Context(self.engine, messages)
        return self._common

    def _wait(self, stream: _cuda.Stream) -> None:
        if self._last is not None:
            stream.wait(self._last)

    def _make_room(self, activation: int) -> None:
        """Let the activation memory grow to what the largest shape so far needs."""
        if activation > self._activations.size:
            self.settle()  # what is freed may still be in use
            self._activations.reserve(activation)

    def _capture(self, context: Context, messages: Messages) -> None:
        """Where that fails all runs stay plain, and a note says why."""
        if context.captured or self.notes:
            return
        self.settle()  # nothing that TensorRT set up in the run before is still under way
        try:
            context.capture(messages)
        except BackendError as error:
            graph = self.engine.graph
            self.notes.append(f"graph {graph!r} is not replayed as a CUDA graph: {error}")


def _remember(known: OrderedDict[Key, Value], key: Key, value: Value) -> None:
    known[key] = value
    known.move_to_end(key)
    if len(known) > MOST_REMEMBERED:
        known.popitem(last=False)
