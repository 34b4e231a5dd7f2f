"""ONNX Runtime's graphs in streams, held against the CPU's, on the stand-in for CUDA."""

from __future__ import annotations

import gc
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from bound_sessions import SessionInStream, on_the_stand_in
from numpy.typing import NDArray
from recording_cuda import RecordingRuntime, deferred_cuda

from trtcolor.backends import _cuda
from trtcolor.backends.base import DeviceRunner
from trtcolor.backends.device_arrays import DeviceArray
from trtcolor.backends.onnxruntime import OnnxRuntimeRunner
from trtcolor.backends.onnxruntime_cuda import OnnxRuntimeCudaRunner
from trtcolor.bundle import Bundle, open_bundle
from trtcolor.errors import BackendError, DeviceLostError, OutOfDeviceMemoryError

__all__ = ["deferred_cuda"]  # a fixture
MakeBundle = Callable[..., Path]
Float = NDArray[np.float32]


@pytest.fixture
def bundle(make_bundle: MakeBundle) -> Bundle:
    return open_bundle(make_bundle(global_size=16))


@pytest.fixture
def runner(
    bundle: Bundle, deferred_cuda: RecordingRuntime, monkeypatch: pytest.MonkeyPatch
) -> Iterator[OnnxRuntimeCudaRunner]:
    on_the_stand_in(deferred_cuda, monkeypatch)
    made = OnnxRuntimeCudaRunner(bundle)
    yield made
    made.close()


def inputs(seed: int, size: tuple[int, int] = (16, 24)) -> dict[str, Float]:
    random = np.random.default_rng(seed)
    return {
        "lightness": random.uniform(0, 100, (1, 1, *size)).astype(np.float32),
        "global_features": random.normal(0, 1, (1, 3)).astype(np.float32),
    }


def on_cpu(bundle: Bundle, given: dict[str, Float]) -> Float:
    (chroma,) = OnnxRuntimeRunner(bundle).run("local", given, ["chroma"])
    return chroma


def session_of(runner: OnnxRuntimeCudaRunner, graph: str = "local") -> SessionInStream:
    session: SessionInStream = runner._session(graph).session
    return session


def filled(array: NDArray[Any], stream: _cuda.Stream, pool: _cuda.Pool) -> DeviceArray:
    """An array on the device that the stream is still filling."""
    block = pool.take(array.nbytes, stream)
    _cuda.copy_async(block.address, array.ctypes.data, array.nbytes, stream)
    return DeviceArray(block.address, array.shape, array.dtype, 0, None, block)


def enqueued(
    runner: DeviceRunner, given: dict[str, Float], stream: _cuda.Stream, pool: _cuda.Pool
) -> DeviceArray:
    """The chroma of a run that was put into a stream behind the copies of its inputs."""
    height, width = given["lightness"].shape[2:]
    places = {name: filled(array, stream, pool) for name, array in given.items()}
    shape = (1, 2, height // 2, width // 2)
    block = pool.take(4 * int(np.prod(shape)), stream)
    chroma = DeviceArray(block.address, shape, np.float32, 0, None, block)
    runner.enqueue("local", places, {"chroma": chroma}, stream)
    chroma.ready = _cuda.Event().record(stream)
    return chroma


def test_it_is_a_runner_on_a_gpu(runner: OnnxRuntimeCudaRunner) -> None:
    assert isinstance(runner, DeviceRunner)
    assert (runner.name, runner.device, runner.index) == ("onnxruntime-cuda", "cuda:0", 0)


def test_arrays_of_the_host_give_what_the_cpu_gives(
    runner: OnnxRuntimeCudaRunner, bundle: Bundle
) -> None:
    for seed, size in enumerate([(8, 8), (16, 24), (16, 24), (8, 8)]):
        given = inputs(seed, size)
        (chroma,) = runner.run("local", given, ["chroma"])
        np.testing.assert_array_equal(chroma, on_cpu(bundle, given))


def test_arrays_of_the_device_are_read_and_written_in_the_streams_order(
    runner: OnnxRuntimeCudaRunner, bundle: Bundle
) -> None:
    pool, stream = _cuda.Pool(), _cuda.Stream()
    given = [inputs(seed) for seed in range(3)]  # the copies read them when they are done
    found = [enqueued(runner, one, stream, pool) for one in given]
    for one, chroma in zip(given, found, strict=True):
        np.testing.assert_array_equal(chroma.numpy(), on_cpu(bundle, one))


def test_runs_that_were_begun_give_their_own_results_in_any_order(
    runner: OnnxRuntimeCudaRunner, bundle: Bundle
) -> None:
    given = [inputs(seed) for seed in range(4)]
    expected = [on_cpu(bundle, one) for one in given]
    begun = []
    for one in given:
        begun.append(runner.start("local", one, ["chroma"]))
        for array in one.values():
            array[...] = np.nan  # it was copied
    runner._session("local")._up.synchronize()  # copies may be far ahead of the runs
    for index in (2, 0, 3, 1):
        (chroma,) = begun[index].result()
        np.testing.assert_array_equal(chroma, expected[index])


def test_only_a_run_of_another_shape_is_waited_for(runner: OnnxRuntimeCudaRunner) -> None:
    pool, stream = _cuda.Pool(), _cuda.Stream()
    given = [inputs(0), inputs(1), inputs(2, (8, 8)), inputs(3, (8, 8)), inputs(4)]
    for one in given:
        enqueued(runner, one, stream, pool)
    assert session_of(runner).waited == [True, False, True, False, True]


def test_once_warm_nothing_is_allocated(
    runner: OnnxRuntimeCudaRunner, deferred_cuda: RecordingRuntime
) -> None:
    def run() -> None:
        begun = [runner.start("local", inputs(seed), ["chroma"]) for seed in range(3)]
        for one in begun[:2]:
            one.result()  # the third is dropped

    for _ in range(3):
        run()
    gc.collect()
    before = deferred_cuda.count()
    for _ in range(20):
        run()
    after = deferred_cuda.count()
    for function in ("cudaMalloc", "cudaHostAlloc", "cudaFree", "cudaStreamCreateWithFlags"):
        assert after[function] == before[function], function


def test_threads_share_it(runner: OnnxRuntimeCudaRunner, bundle: Bundle) -> None:
    given = [inputs(seed, (8 * (1 + seed % 2), 16)) for seed in range(8)]
    found: dict[int, Float] = {}

    def work(index: int) -> None:
        (found[index],) = runner.run("local", given[index], ["chroma"])

    threads = [threading.Thread(target=work, args=(index,)) for index in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for index, one in enumerate(given):
        np.testing.assert_array_equal(found[index], on_cpu(bundle, one))


@pytest.mark.parametrize(
    ("text", "error", "message"),
    [
        (
            "Failed to allocate memory for requested buffer of size 3145728",
            OutOfDeviceMemoryError,
            r"3\.0 MiB asked for, 1,02\d\.\d of 1,024\.0 MiB free",
        ),
        ("CUDNN failure 4: CUDNN_STATUS_ALLOC_FAILED ; GPU=0", OutOfDeviceMemoryError, "of 1,024"),
        ("CUDA failure 2: out of memory ; GPU=0", OutOfDeviceMemoryError, "smaller size"),
        ("CUDA failure 700: an illegal memory access", DeviceLostError, "CUDA failure 700"),
        ("Non-zero status code returned", BackendError, "did not run graph 'local'"),
    ],
)
def test_a_failure_is_explained_and_the_next_run_is_right(
    text: str,
    error: type[BackendError],
    message: str,
    runner: OnnxRuntimeCudaRunner,
    bundle: Bundle,
) -> None:
    runner.run("local", inputs(0), ["chroma"])
    session_of(runner).error = RuntimeError(text)
    with pytest.raises(error, match=message) as caught:
        runner.run("local", inputs(0), ["chroma"])
    assert type(caught.value) is error
    assert "\n" not in str(caught.value)
    (chroma,) = runner.run("local", inputs(1), ["chroma"])
    np.testing.assert_array_equal(chroma, on_cpu(bundle, inputs(1)))
    assert session_of(runner).waited[-1]  # which gives back what the failed run left


@pytest.mark.parametrize("function", ["cudaMalloc", "cudaHostAlloc"])
def test_memory_that_is_not_to_be_had_is_an_error_and_the_next_run_is_right(
    function: str, runner: OnnxRuntimeCudaRunner, bundle: Bundle, deferred_cuda: RecordingRuntime
) -> None:
    runner.load("local")
    deferred_cuda.fail(function, error="cudaErrorMemoryAllocation")
    with pytest.raises(OutOfDeviceMemoryError):
        runner.run("local", inputs(0), ["chroma"])
    (chroma,) = runner.run("local", inputs(1), ["chroma"])
    np.testing.assert_array_equal(chroma, on_cpu(bundle, inputs(1)))


def test_what_does_not_fit_the_graph_is_refused(runner: OnnxRuntimeCudaRunner) -> None:
    for given in ({"lightness": np.zeros((1, 8), np.float32)}, {}, {"lightnes": inputs(0)}):
        with pytest.raises(BackendError, match="did not run graph 'local'"):
            runner.run("local", given, ["chroma"])  # type: ignore[arg-type]
    with pytest.raises(BackendError, match="did not run graph 'local'"):
        runner.run("local", inputs(0), ["hue"])


def test_a_closed_runner_refuses(runner: OnnxRuntimeCudaRunner) -> None:
    runner.run("local", inputs(0), ["chroma"])
    session = runner._session("local")
    runner.close()
    runner.close()
    with pytest.raises(BackendError, match="closed"):
        runner.run("local", inputs(0), ["chroma"])
    with pytest.raises(BackendError, match="closed"):
        session.start(inputs(0), ["chroma"])
