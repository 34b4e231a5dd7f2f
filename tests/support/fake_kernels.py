"""A stand-in for what TensorRT-RTX compiles: settings of contexts, and the cache of kernels."""

from __future__ import annotations

from typing import Any

KERNELS = b"kernels of this GPU: "
"""What a runtime cache begins with."""


class FakeRuntimeConfig:
    """Attributes: as they were set; allocation: the strategy; cache: of kernels."""

    def __init__(self) -> None:
        self.allocation: Any = None
        self.cache: FakeCache | None = None
        self.cuda_graph_strategy: Any = None
        self.dynamic_shapes_kernel_specialization_strategy: Any = None

    def set_execution_context_allocation_strategy(self, strategy: Any) -> None:
        self.allocation = strategy

    def create_runtime_cache(self) -> FakeCache:
        return FakeCache()

    def set_runtime_cache(self, cache: FakeCache) -> bool:
        self.cache = cache
        cache.users += 1
        return True


class FakeCache:
    """Attributes: users: configurations that it was set in; kept: what came from a file."""

    def __init__(self) -> None:
        self.users = 0
        self.kept = b""

    def deserialize(self, data: bytes) -> bool:
        if not data.startswith(KERNELS):
            return False
        self.kept = data
        return True

    def serialize(self) -> bytes:
        return self.kept if self.kept else KERNELS + b"%d" % self.users
