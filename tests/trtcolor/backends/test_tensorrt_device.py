"""Runs on arrays of the device: nothing is waited for, and all comes in the order of the streams.

TensorRT and CUDA are stand-ins (fake_tensorrt.py, recording_cuda.py) whose results are real.
"""

from __future__ import annotations

import numpy as np
import pytest
from plan_runners import (
    Bench,
    bench,
    classic,
    empty,
    expected,
    inputs,
    on_device,
    rtx,
    runtime,
)

from trtcolor.backends import _cuda
from trtcolor.backends.device_arrays import DeviceArray
from trtcolor.errors import BackendError

__all__ = ["bench", "classic", "rtx", "runtime"]  # fixtures
SETTINGS = {"set_input_shape", "set_tensor_address", "set_device_memory"}


def test_a_run_in_a_stream_waits_for_nothing_and_comes_in_its_order(bench: Bench) -> None:
    stream = _cuda.Stream()
    given = inputs(1)
    arrays = {name: on_device(array, stream) for name, array in given.items()}
    output = empty((1, 2, 8, 12))
    bench.runner.enqueue("local", arrays, {"chroma": output}, stream)  # warm
    start = len(bench.cuda.calls)
    bench.runner.enqueue("local", arrays, {"chroma": output}, stream)
    assert not {"cudaStreamSynchronize", "cudaEventSynchronize"} & {*bench.since(start)}
    stream.synchronize()
    np.testing.assert_allclose(output.numpy(), expected(given), rtol=1e-5)


@pytest.mark.parametrize("handle", [0, 1])
def test_a_run_in_the_default_stream_keeps_its_order(handle: int, bench: Bench) -> None:
    stream = _cuda.Stream(handle)
    given = inputs(1)
    arrays = {name: on_device(array, stream) for name, array in given.items()}
    output = empty((1, 2, 8, 12))
    for _ in range(3):
        bench.runner.enqueue("local", arrays, {"chroma": output}, stream)
    stream.synchronize()
    np.testing.assert_allclose(output.numpy(), expected(given), rtol=1e-5)
    runs = [args[0] for name, args in bench.cuda.calls if name == "execute_async_v3"]
    assert not {0, 1} & {*runs}


def test_runs_of_a_graph_in_several_streams_come_one_after_the_other(bench: Bench) -> None:
    streams = [_cuda.Stream() for _ in range(3)]
    cases = []
    for seed in range(9):  # the stand-in fails if two of them change places
        stream = streams[seed % 3]
        arrays = {name: on_device(array, stream) for name, array in inputs(seed).items()}
        output = empty((1, 2, 8, 12))
        bench.runner.enqueue("local", arrays, {"chroma": output}, stream)
        cases.append((seed, stream, arrays, output))
    for seed, stream, _, output in reversed(cases):
        stream.synchronize()
        np.testing.assert_allclose(output.numpy(), expected(inputs(seed)), rtol=1e-5)


def test_addresses_that_come_again_are_set_once_and_replayed(classic: Bench) -> None:
    stream = _cuda.Stream()
    sets = []
    for _ in range(2):
        arrays = {name: on_device(array, stream) for name, array in inputs(0).items()}
        sets.append((arrays, empty((1, 2, 8, 12))))
    for turn in range(10):
        if turn == 6:
            start = len(classic.cuda.calls)
        arrays, output = sets[turn % 2]
        classic.runner.enqueue("local", arrays, {"chroma": output}, stream)
    stream.synchronize()
    assert not {*classic.since(start)} & (SETTINGS | {"execute_async_v3"})
    assert len(classic.api.contexts) == 3
    for _, output in sets:
        np.testing.assert_allclose(output.numpy(), expected(inputs(0)), rtol=1e-5)


def test_addresses_that_never_come_again_make_no_contexts(classic: Bench) -> None:
    stream = _cuda.Stream()
    held = []
    for seed in range(80):
        arrays = {name: on_device(array, stream) for name, array in inputs(seed).items()}
        output = empty((1, 2, 8, 12))
        classic.runner.enqueue("local", arrays, {"chroma": output}, stream)
        held.append((arrays, output))
    stream.synchronize()
    np.testing.assert_allclose(held[-1][1].numpy(), expected(inputs(79)), rtol=1e-5)
    assert len(classic.api.contexts) == 1


def test_arrays_that_lie_as_tensorrt_does_not_take_them_are_copied_in_order(bench: Bench) -> None:
    streams = [_cuda.Stream() for _ in range(2)]
    cases = []
    for seed in range(8):
        stream = streams[seed % 2]
        arrays = {name: on_device(array, stream) for name, array in inputs(seed).items()}
        moved = {name: shifted(array, stream) for name, array in arrays.items()}
        output = shifted(empty((1, 2, 8, 12)), stream)
        bench.runner.enqueue("local", moved, {"chroma": output}, stream)
        cases.append((seed, stream, arrays, output))
    for seed, stream, _, output in reversed(cases):
        stream.synchronize()
        np.testing.assert_allclose(output.numpy(), expected(inputs(seed)), rtol=1e-5)


def shifted(array: DeviceArray, stream: _cuda.Stream) -> DeviceArray:
    """A copy four bytes behind an aligned address, as frames of an odd size lie in a batch."""
    buffer = _cuda.Buffer()
    address = buffer.reserve(array.nbytes + 4) + 4
    _cuda.copy_async(address, array.address, array.nbytes, stream)
    return DeviceArray(address, array.shape, array.dtype, 0, owner=(buffer, array))


def test_arrays_of_another_shape_or_type_are_refused_and_nothing_runs(bench: Bench) -> None:
    stream = _cuda.Stream()
    arrays = {name: on_device(array, stream) for name, array in inputs(0).items()}
    with pytest.raises(BackendError, match=r"shape \(1, 2, 8, 11\) for chroma; \(1, 2, 8, 12\)"):
        bench.runner.enqueue("local", arrays, {"chroma": empty((1, 2, 8, 11))}, stream)
    wrong = DeviceArray(arrays["features"].address, (1, 3), "float16", 0)
    with pytest.raises(BackendError, match="features as float16; float32 was needed"):
        bench.runner.enqueue("local", {**arrays, "features": wrong}, {}, stream)
    there = DeviceArray(arrays["features"].address, (1, 3), "float32", 1)
    with pytest.raises(BackendError, match="in the memory of GPU 1; that of GPU 0, which it runs"):
        bench.runner.enqueue("local", {**arrays, "features": there}, {}, stream)
    with pytest.raises(BackendError, match="it takes lightness, features and gives chroma, level"):
        bench.runner.enqueue("local", {"lightness": arrays["lightness"]}, {}, stream)
    with pytest.raises(BackendError, match="no profile of its engine admits"):
        bench.runner.run("local", inputs(0, 512, 512), ["chroma"])
    assert "execute_async_v3" not in bench.cuda.names
    bench.run(0)
