"""What TensorRT-RTX compiles on the machine at hand, and the file that it is kept in.

A plan of TensorRT-RTX has no kernels for the GPU yet: they are compiled when a context is made and
when a shape is new. `Jit` has its settings, the same for all contexts of a runner, and one
``IRuntimeCache`` for them, which is read from a file and written back. ``tensorrt`` compiles
nothing at run time; there a `Jit` makes plain contexts.
"""

from __future__ import annotations

import threading
import weakref
from contextlib import suppress
from typing import Any, Literal, Protocol

from trtcolor.backends._tensorrt import one_line

Specialization = Literal["lazy", "eager", "none"]
"""When kernels for one shape alone are compiled: behind the first runs of it, which take general
ones meanwhile; before the first run; or never."""


class CacheFile(Protocol):
    """Where a runtime cache is kept between processes."""

    def read(self) -> bytes:
        """What was kept; nothing if there is none that is whole and private."""
        ...

    def write(self, data: bytes) -> None:
        """Keep it, whole or not at all; it only saves time, so that failing to is no error."""
        ...


class Jit:
    """Makes the contexts of a runner's engines.

    Args:
        api: the module.
        specialization: of kernels to shapes.
        file: of the cache; None: it lives as long as this.

    Attributes:
        captures: whether the module itself replays its runs as CUDA graphs, and keeps these right
            when shapes, addresses or kernels change.
        notes: what could not be had, a sentence each; contexts work without it.
    """

    def __init__(
        self, api: Any, specialization: Specialization = "lazy", file: CacheFile | None = None
    ) -> None:
        self._api = api
        self._specialization = specialization
        self._file = file
        self._cache: Any = None
        self._write: weakref.finalize[Any, Any] | None = None
        self._lock = threading.Lock()
        self.captures = hasattr(api, "CudaGraphStrategy")
        self.notes: list[str] = []

    def context(self, engine: Any) -> Any:
        """A new context of an engine, without activation memory; None where it fails."""
        strategy = self._api.ExecutionContextAllocationStrategy.USER_MANAGED
        if not self.captures:
            return engine.create_execution_context(strategy)
        config = engine.create_runtime_config()
        config.set_execution_context_allocation_strategy(strategy)
        config.cuda_graph_strategy = self._api.CudaGraphStrategy.WHOLE_GRAPH_CAPTURE
        kinds = self._api.DynamicShapesKernelSpecializationStrategy
        config.dynamic_shapes_kernel_specialization_strategy = getattr(
            kinds, self._specialization.upper()
        )
        with self._lock:
            if self._cache is None:
                self._cache = self._opened(config)
        if self._cache is not None and not config.set_runtime_cache(self._cache):
            self._note("the runtime refuses its cache of kernels, which are compiled anew")
        return engine.create_execution_context(config)

    def save(self) -> None:
        """Write the cache to its file if something new is in it; a second call does nothing."""
        if self._write is not None:
            self._write()

    def _opened(self, config: Any) -> Any:
        """The cache with what the file has of it; written at the latest when this process ends."""
        cache = config.create_runtime_cache()
        if cache is None:
            self._note("the runtime made no cache of kernels, which are compiled anew")
            return None
        kept = b"" if self._file is None else self._file.read()
        try:
            taken = bool(kept) and cache.deserialize(kept)
        except (TypeError, RuntimeError) as error:  # pybind11's word for what C++ threw
            taken = False
            self._note(f"kernels kept from an earlier process are not read ({one_line(error)})")
        if kept and not taken:
            self._note("kernels kept from an earlier process are of another GPU, driver or version")
        if self._file is not None:
            self._write = weakref.finalize(self, _keep, cache, self._file, kept if taken else b"")
        return cache

    def _note(self, text: str) -> None:
        if text not in self.notes:
            self.notes.append(text)


def _keep(cache: Any, file: CacheFile, before: bytes) -> None:
    with suppress(TypeError, RuntimeError):  # pybind11's words for what C++ threw
        made = cache.serialize()
        data = b"" if made is None else bytes(made)
        if data and data != before:
            file.write(data)
