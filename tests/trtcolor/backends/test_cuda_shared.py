"""On a GPU: memory, streams and the primary context are shared with PyTorch and pycuda."""

from __future__ import annotations

import gc
import subprocess
import sys
from importlib.util import find_spec

import numpy as np
import pytest
import torch

from trtcolor.backends import _cuda
from trtcolor.backends._cuda_guests import settle
from trtcolor.backends.device_arrays import DeviceArray, device_array
from trtcolor.errors import BackendError, OutOfDeviceMemoryError


def why_no_gpu() -> str:
    """Empty where there is one."""
    try:
        _cuda.probe()
    except BackendError as error:
        return str(error)
    return ""


pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(bool(why_no_gpu()), reason=why_no_gpu() or "a GPU is here"),
]
with_torch = pytest.mark.skipif(not torch.cuda.is_available(), reason="this PyTorch has no CUDA")
with_pycuda = pytest.mark.skipif(find_spec("pycuda") is None, reason="pycuda is not installed")
FRAME = np.random.default_rng(0).integers(0, 256, (64, 48, 3), np.uint8)
LONG = 200_000_000  # cycles, some tenth of a second


def coloured(frame: DeviceArray, pool: _cuda.Pool, stream: _cuda.Stream) -> DeviceArray:
    """In the place of a network: a copy, made in our own stream."""
    block = pool.take(frame.nbytes, stream)
    _cuda.copy_async(block.address, frame.address, frame.nbytes, stream)
    ready = _cuda.Event().record(stream)
    return DeviceArray(block.address, frame.shape, frame.dtype, frame.device, ready, block)


@with_torch
def test_a_frame_that_torch_still_writes_is_waited_for_and_the_result_by_torch() -> None:
    pool, stream = _cuda.Pool(), _cuda.Stream()
    for theirs in (torch.cuda.default_stream(), torch.cuda.Stream()):
        with torch.cuda.stream(theirs):
            frame = torch.zeros(FRAME.shape, dtype=torch.uint8, device="cuda")
            torch.cuda._sleep(LONG)
            frame.copy_(torch.from_numpy(FRAME).pin_memory(), non_blocking=True)
            ours = device_array(frame, stream, pool=pool)
            assert ours.address == frame.data_ptr()
            back = torch.from_dlpack(coloured(ours, pool, stream))
            np.testing.assert_array_equal(back.cpu().numpy(), FRAME)


@with_torch
def test_views_of_torch_are_put_in_order_on_the_gpu() -> None:
    tensor, stream = torch.from_numpy(FRAME).cuda(), _cuda.Stream()
    for view in (
        tensor.permute(2, 0, 1),
        tensor[5:, 3:40],
        tensor[:, ::2],
        tensor.float()[..., :1],
    ):
        found = device_array(view, stream).numpy()
        np.testing.assert_array_equal(found, view.cpu().numpy())


@with_torch
def test_torchs_memory_is_not_taken_again_while_ours_is_at_work() -> None:
    pool, stream = _cuda.Pool(), _cuda.Stream()
    frame = torch.from_numpy(FRAME).cuda()
    ours = device_array(frame, stream)
    with torch.cuda.stream(torch.cuda.ExternalStream(stream.handle)):
        torch.cuda._sleep(LONG)
    result = coloured(ours, pool, stream)
    address = frame.data_ptr()
    del frame, ours
    gc.collect()
    other = torch.full(FRAME.shape, 7, dtype=torch.uint8, device="cuda")
    assert other.data_ptr() != address
    np.testing.assert_array_equal(result.numpy(), FRAME)
    settle(wait=True)


@with_torch
def test_ten_thousand_frames_hold_no_more_memory_than_the_first() -> None:
    pool, stream = _cuda.Pool(), _cuda.Stream()
    frame = torch.from_numpy(FRAME).cuda()
    for _ in range(100):
        torch.from_dlpack(coloured(device_array(frame, stream), pool, stream)).sum()
    torch.cuda.synchronize()
    free, _ = _cuda.device_memory()
    for _ in range(10_000):
        torch.from_dlpack(coloured(device_array(frame, stream), pool, stream)).sum()
    torch.cuda.synchronize()
    assert _cuda.device_memory()[0] >= free - (4 << 20)


def test_a_graph_repeats_what_a_stream_was_given() -> None:
    stream, source, target = _cuda.Stream(), _cuda.Buffer(), _cuda.Buffer()
    source.upload(FRAME, stream)
    address = target.reserve(FRAME.nbytes)
    stream.synchronize()
    graph = _cuda.Graph.capture(
        stream, lambda: _cuda.copy_async(address, source.address, FRAME.nbytes, stream)
    )
    for changed in (FRAME, 255 - FRAME):
        source.upload(changed, stream)
        graph.launch(stream)
        found = target.download(FRAME.shape, FRAME.dtype, stream)
        stream.synchronize()
        np.testing.assert_array_equal(found, changed)


def test_without_memory_one_sentence_says_so_and_the_pool_goes_on() -> None:
    pool, stream = _cuda.Pool(), _cuda.Stream()
    free, total = _cuda.device_memory()
    with pytest.raises(OutOfDeviceMemoryError, match=r"MiB asked for, .* MiB free"):
        pool.take(2 * total, stream)
    assert 0 < free <= total
    assert pool.take(1 << 20, stream).address


def test_page_locked_memory_goes_to_the_gpu_and_back() -> None:
    stream, pinned, buffer = _cuda.Stream(), _cuda.PinnedBuffer(), _cuda.Buffer()
    host = pinned.array(FRAME.shape, FRAME.dtype)
    host[...] = FRAME
    buffer.upload(host, stream)
    found = buffer.download(FRAME.shape, FRAME.dtype, stream)
    stream.synchronize()
    np.testing.assert_array_equal(found, FRAME)


PYCUDA = """
import numpy as np
import pycuda.autoprimaryctx
import pycuda.driver
from pycuda import gpuarray
from trtcolor.backends import _cuda
from trtcolor.backends.device_arrays import DeviceArray, device_array
frame = np.arange(24, dtype=np.uint8).reshape(2, 4, 3)
theirs, ours, pool = pycuda.driver.Stream(), _cuda.Stream(), _cuda.Pool()
taken = device_array(gpuarray.to_gpu_async(frame, stream=theirs), _cuda.Stream.of(theirs))
block = pool.take(frame.nbytes, ours)
taken.wait(ours)
_cuda.copy_async(block.address, taken.address, frame.nbytes, ours)
result = DeviceArray(block.address, frame.shape, "uint8", 0, _cuda.Event().record(ours), block)
result.wait(theirs)
back = gpuarray.GPUArray(result.shape, result.dtype, base=result, gpudata=result.address)
assert (back.get_async(stream=theirs) is not None) and not theirs.synchronize()
np.testing.assert_array_equal(back.get(), frame)
print("shared")
"""
AUTOINIT = """
import numpy as np
import pycuda.autoinit
from pycuda import gpuarray
from trtcolor.backends import _cuda
from trtcolor.backends.device_arrays import device_array
array = gpuarray.to_gpu(np.zeros(3, np.uint8))
with _cuda.using(0):
    try:
        device_array(array, _cuda.Stream())
    except ValueError as error:
        print("autoprimaryctx" in str(error))
"""


@with_pycuda
@pytest.mark.parametrize(("script", "said"), [(PYCUDA, "shared"), (AUTOINIT, "True")])
def test_pycuda_is_a_guest_in_the_primary_context_only(script: str, said: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False
    )
    assert done.stdout.strip() == said, done.stderr
