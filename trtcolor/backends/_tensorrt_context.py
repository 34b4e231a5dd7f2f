"""One execution context: what is set in it is set once, and what it runs may be replayed."""

from __future__ import annotations

from typing import Any

from trtcolor.backends import _cuda
from trtcolor.backends._profiles import Shape, choose_profile
from trtcolor.backends._tensorrt import Messages, one_line
from trtcolor.backends._tensorrt_engine import Engine
from trtcolor.errors import BackendError


class Context:
    """An ``IExecutionContext`` without activation memory of its own.

    Raises:
        BackendError: the module makes none.

    Attributes:
        outputs: shapes of the engine's outputs for the shapes that are set.
        activation: bytes of memory that these need while it runs.
        runs: since something was last set.
    """

    def __init__(self, engine: Engine, messages: Messages) -> None:
        self.outputs: tuple[Shape, ...] = ()
        self.activation = 0
        self.runs = 0
        self._engine = engine
        self._shapes: tuple[Shape, ...] | None = None
        self._addresses: tuple[int, ...] | None = None
        self._memory: tuple[int, int] | None = None
        self._graph: _cuda.Graph | None = None
        self._handle: Any = engine.jit.context(engine.handle)
        if self._handle is None:
            raise engine.failure("made no context for", messages.reason())

    def set_shapes(
        self, shapes: tuple[Shape, ...], stream: _cuda.Stream, messages: Messages
    ) -> None:
        """Set the shapes of the inputs, in the engine's order, if they are others.

        Raises:
            BackendError: no profile admits them, or the module refuses them.
        """
        if shapes == self._shapes:
            return
        engine, handle = self._engine, self._handle
        named = engine.named(shapes)
        index = choose_profile(engine.graph, engine.profiles, named)
        self._shapes = self._addresses = self._memory = None
        self.drop_graph()
        if handle.active_optimization_profile != index:
            done = handle.set_optimization_profile_async(index, stream.handle)
            engine.need(done, messages, "did not switch the profile of")
        for name, shape in named.items():
            done = handle.set_input_shape(name, shape)
            engine.need(done, messages, f"refuses the shape of {name} for")
        try:
            missing = handle.infer_shapes()
        except RuntimeError as error:
            raise engine.failure("cannot infer the shapes of", one_line(error)) from None
        engine.need(not missing, messages, f"does not know the shape of {missing} for")
        self.outputs = tuple(tuple(handle.get_tensor_shape(name)) for name in engine.outputs)
        self.activation = int(handle.update_device_memory_size_for_shapes())
        if self.activation <= 0:  # the module does not say, or needs none of what it might
            self.activation = engine.largest_activation
        self._shapes = shapes

    def set_addresses(self, addresses: tuple[int, ...], messages: Messages) -> None:
        """Set those of inputs and then outputs, if they are others.

        Raises:
            BackendError: the module refuses them.
        """
        if addresses == self._addresses:
            return
        self._addresses = None
        self.drop_graph()
        names = (*self._engine.inputs, *self._engine.outputs)
        for name, address in zip(names, addresses, strict=True):
            done = self._handle.set_tensor_address(name, address)
            self._engine.need(done, messages, f"refuses an address of {name} for")
        self._addresses = addresses

    def set_memory(self, buffer: _cuda.Buffer) -> None:
        """Set the memory to run in, if it is another and any is needed."""
        memory = buffer.address, buffer.size
        if self.activation and memory != self._memory:
            self.drop_graph()
            self._handle.set_device_memory(*memory)
            self._memory = memory

    def execute(self, stream: _cuda.Stream, messages: Messages) -> None:
        """Put a run into a stream: of the graph, if one was captured.

        Raises:
            BackendError: the module or the GPU fails.
        """
        if self._graph is not None:
            self._graph.launch(stream)
        else:
            done = self._handle.execute_async_v3(stream.handle)
            self._engine.need(done, messages, "did not run")
        self.runs += 1

    def capture(self, messages: Messages) -> None:
        """Capture a run, which is launched from then on. It has run as it is, and that is over.

        Raises:
            BackendError: that cannot be captured; it runs as before.
        """
        stream = _cuda.Stream()  # into which no other thread puts anything meanwhile

        def put_in() -> None:
            if not self._handle.execute_async_v3(stream.handle):
                raise BackendError(f"TensorRT does not run it so ({messages.reason()})")

        try:
            self._graph = _cuda.Graph.capture(stream, put_in)
        finally:
            stream.close()

    @property
    def captured(self) -> bool:
        """Whether runs are launched as a CUDA graph."""
        return self._graph is not None

    def drop_graph(self) -> None:
        """Forget what was captured; nothing of it is under way."""
        if self._graph is not None:
            self._graph.close()
        self._graph, self.runs = None, 0
