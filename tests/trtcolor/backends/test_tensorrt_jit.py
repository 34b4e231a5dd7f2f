"""What TensorRT-RTX compiles is kept from one process to the next; by a stand-in for it."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from typing import Any

import pytest
from fake_kernels import KERNELS, FakeRuntimeConfig
from fake_tensorrt import FakeTensorRT, installed
from recording_cuda import recorded

from trtcolor.backends._tensorrt_jit import Jit
from trtcolor.backends.tensorrt import TensorRTRunner


class Kept:
    """A file in memory."""

    def __init__(self, data: bytes = b"") -> None:
        self.data = data
        self.writes = 0

    def read(self) -> bytes:
        return self.data

    def write(self, data: bytes) -> None:
        self.data = data
        self.writes += 1


class Maker:
    """What of an engine a `Jit` needs: it makes configurations, and contexts of them."""

    def create_runtime_config(self) -> FakeRuntimeConfig:
        return FakeRuntimeConfig()

    def create_execution_context(self, how: Any) -> Any:
        return how


@pytest.fixture
def api() -> Iterator[FakeTensorRT]:
    with recorded() as runtime, installed(runtime, rtx=True) as made:
        yield made


def test_all_contexts_share_one_cache_that_is_written_once(api: FakeTensorRT) -> None:
    file = Kept()
    jit = Jit(api, file=file)
    contexts = [jit.context(Maker()) for _ in range(3)]
    assert len({id(context.cache) for context in contexts}) == 1
    assert file.writes == 0
    jit.save()
    jit.save()
    assert (file.data, file.writes) == (KERNELS + b"3", 1)


def test_kernels_of_an_earlier_process_are_taken_and_not_written_again(api: FakeTensorRT) -> None:
    file = Kept(KERNELS + b"before")
    jit = Jit(api, file=file)
    assert jit.context(Maker()).cache.kept == KERNELS + b"before"
    jit.save()
    assert (file.writes, jit.notes) == (0, [])


def test_kernels_of_another_gpu_are_replaced_with_a_note(api: FakeTensorRT) -> None:
    file = Kept(b"kernels of another GPU")
    jit = Jit(api, file=file)
    assert jit.context(Maker()).cache.kept == b""
    assert "another GPU, driver or version" in jit.notes[0]
    jit.save()
    assert file.data.startswith(KERNELS)


def test_a_runner_that_nobody_closes_writes_its_cache_when_it_goes(api: FakeTensorRT) -> None:
    file = Kept()
    jit = Jit(api, file=file)
    jit.context(Maker())
    del jit
    gc.collect()
    assert file.writes == 1


def test_without_a_file_and_without_contexts_nothing_is_written(api: FakeTensorRT) -> None:
    Jit(api, file=None).save()
    file = Kept()
    runner = TensorRTRunner("tensorrt-rtx", {}, cache=file)
    runner.close()
    assert file.writes == 0


def test_tensorrt_knows_no_kernels_to_keep() -> None:
    with recorded() as runtime, installed(runtime, rtx=False) as api:
        file = Kept()
        jit = Jit(api, file=file)
        assert not jit.captures
        assert jit.context(Maker()) == api.ExecutionContextAllocationStrategy.USER_MANAGED
        jit.save()
        assert file.writes == 0
