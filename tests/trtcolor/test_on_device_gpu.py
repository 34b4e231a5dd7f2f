"""Frames of PyTorch, CuPy and pycuda on a real GPU: right in any stream, for long, and without
memory.

The backend is ONNX Runtime's; plans of TensorRT go the same way (`test_tensorrt_gpu.py`).
"""

from __future__ import annotations

import gc
import resource
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from gpu_here import NEEDS_GPU
from noise import picture
from numpy.typing import NDArray

from trtcolor import Colorizer
from trtcolor.backends.device_arrays import DeviceArray
from trtcolor.errors import OutOfDeviceMemoryError

pytestmark = [pytest.mark.gpu, NEEDS_GPU]
MakeBundle = Callable[..., Path]
Pair = tuple[Colorizer, Colorizer]


@pytest.fixture
def torch() -> Any:
    module = pytest.importorskip("torch")
    if not module.cuda.is_available():
        pytest.skip("PyTorch finds no GPU")
    return module


@pytest.fixture
def pair(make_bundle: MakeBundle) -> Iterator[Pair]:
    """A model with global features: on the CPU, and on the GPU."""
    folder = make_bundle("fused", global_size=16, render_size=64, classes=("a", "b"))
    with Colorizer(folder) as cpu, Colorizer(folder, backend="onnxruntime-cuda") as gpu:
        yield cpu, gpu


def near(found: NDArray[Any], expected: NDArray[Any]) -> None:
    apart = np.abs(found.astype(int) - expected)
    assert apart.max() <= 2
    assert (apart > 1).mean() <= 1e-4


@pytest.mark.parametrize("size", [(1, 1), (37, 64), (480, 640), (1080, 1920)])
def test_a_tensor_is_coloured_as_on_the_cpu_and_taken_by_pytorch(
    size: tuple[int, int], torch: Any, pair: Pair
) -> None:
    cpu, gpu = pair
    for frame in (picture(*size), picture(*size, 3)):
        found = gpu.colorize(torch.from_numpy(frame).cuda())
        assert isinstance(found, DeviceArray)
        tensor = torch.from_dlpack(found)
        assert (tensor.device.type, tensor.data_ptr()) == ("cuda", found.address)
        near(tensor.cpu().numpy(), cpu.colorize(frame))


def test_a_part_of_a_tensor_is_read_where_it_lies(torch: Any, pair: Pair) -> None:
    cpu, gpu = pair
    frame = picture(200, 300, 3)
    view = torch.from_numpy(frame).cuda()[20:180:2, 30:-30]
    near(gpu.colorize(view).numpy(), cpu.colorize(frame[20:180:2, 30:-30]))


def test_a_frame_that_another_stream_still_writes_is_waited_for(torch: Any, pair: Pair) -> None:
    cpu, gpu = pair
    frame = picture(256, 320, 3)
    source, wrong = torch.from_numpy(frame).pin_memory(), np.zeros_like(frame)
    gpu.colorize(torch.from_numpy(wrong).cuda())  # what starts slowly has started
    with torch.cuda.stream(torch.cuda.Stream()):
        tensor = torch.from_numpy(wrong).cuda()
        torch.cuda._sleep(200_000_000)  # about 0.1 s
        tensor.copy_(source, non_blocking=True)
        found = gpu.colorize(tensor)
    near(found.numpy(), cpu.colorize(frame))


def test_a_stream_that_takes_the_result_waits_for_it_and_memory_is_not_shared(
    torch: Any, pair: Pair
) -> None:
    cpu, gpu = pair
    frames = [picture(720, 1280, 3, seed=index) for index in range(8)]
    kept = []
    for frame in frames:
        with torch.cuda.stream(torch.cuda.Stream()):
            tensor = torch.from_dlpack(gpu.colorize(torch.from_numpy(frame).cuda()))
            torch.cuda._sleep(20_000_000)
            kept.append(tensor.clone())  # and the pool's block goes back while this is queued
            del tensor
    for frame, tensor in zip(frames, kept, strict=True):
        near(tensor.cpu().numpy(), cpu.colorize(frame))


def test_a_film_of_tensors_comes_out_in_order(torch: Any, pair: Pair) -> None:
    cpu, gpu = pair
    frames = [picture(180, 240, 3, seed=index // 6) for index in range(24)]
    expected = cpu.stream(iter(frames))
    found = gpu.stream(torch.from_numpy(frame).cuda() for frame in frames)
    for coloured, truth in zip(found, expected, strict=True):
        near(torch.from_dlpack(coloured).cpu().numpy(), truth)


def test_a_film_that_another_stream_still_writes_is_waited_for(torch: Any, pair: Pair) -> None:
    cpu, gpu = pair
    frames = [picture(180, 240, 3, seed=index // 6) for index in range(12)]

    def written() -> Iterator[Any]:
        with torch.cuda.stream(torch.cuda.Stream()):
            for frame in frames:
                source = torch.from_numpy(frame).pin_memory()
                tensor = torch.zeros(frame.shape, dtype=torch.uint8, device="cuda")
                torch.cuda._sleep(20_000_000)
                tensor.copy_(source, non_blocking=True)
                yield tensor

    for coloured, truth in zip(gpu.stream(written()), cpu.stream(iter(frames)), strict=True):
        near(torch.from_dlpack(coloured).cpu().numpy(), truth)


def test_ten_thousand_frames_take_no_more_memory_than_two_hundred(torch: Any, pair: Pair) -> None:
    _, gpu = pair
    tensor = torch.from_numpy(picture(96, 128, 3)).cuda()

    def run(count: int) -> tuple[int, int]:
        for coloured in gpu.stream(tensor for _ in range(count)):
            torch.from_dlpack(coloured)
        gc.collect()
        torch.cuda.synchronize()
        return torch.cuda.mem_get_info()[0], resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

    free, resident = run(200)
    free_later, resident_later = run(10_000)
    assert free - free_later <= 2**21
    assert resident_later - resident <= 32 * 1024


def test_pytorch_computes_on_as_before_in_the_same_context(torch: Any, pair: Pair) -> None:
    _, gpu = pair
    factor = torch.rand(512, 512, device="cuda")
    before, device = (factor @ factor).cpu(), torch.cuda.current_device()
    for size in (64, 200):
        gpu.colorize(torch.from_numpy(picture(size, size)).cuda())
        assert torch.equal((factor @ factor).cpu(), before)
        assert torch.cuda.current_device() == device


def test_a_gpu_without_memory_is_one_error_and_the_colorizer_works_on(
    torch: Any, pair: Pair
) -> None:
    cpu, gpu = pair
    frame = picture(64, 80, 3)
    gpu.colorize(torch.from_numpy(frame).cuda())
    large = torch.zeros(8192, 8192, 3, dtype=torch.uint8, device="cuda")
    free, _ = torch.cuda.mem_get_info()
    filler = torch.empty(free - 2**26, dtype=torch.uint8, device="cuda")
    with pytest.raises(OutOfDeviceMemoryError) as caught:
        gpu.colorize(large, render="full")
    assert "\n" not in str(caught.value)
    del filler
    torch.cuda.empty_cache()
    near(gpu.colorize(torch.from_numpy(frame).cuda()).numpy(), cpu.colorize(frame))


def test_cupys_arrays_go_in_and_out(pair: Pair) -> None:
    cupy = pytest.importorskip("cupy")
    cpu, gpu = pair
    frame = picture(100, 120, 3)
    found = gpu.colorize(cupy.asarray(frame))
    near(cupy.asnumpy(cupy.from_dlpack(found)), cpu.colorize(frame))


def test_pycudas_arrays_go_in_and_out_in_the_primary_context(pair: Pair) -> None:
    driver = pytest.importorskip("pycuda.driver")
    cpu, gpu = pair
    driver.init()
    context = driver.Device(0).retain_primary_context()
    context.push()
    try:
        gpuarray = pytest.importorskip("pycuda.gpuarray")
        frame = picture(100, 120, 3)
        found = gpu.colorize(gpuarray.to_gpu(frame))
        near(found.numpy(), cpu.colorize(frame))
        target = np.empty_like(frame)
        driver.memcpy_dtoh(target, found.__cuda_array_interface__["data"][0])
        near(target, cpu.colorize(frame))
    finally:
        context.pop()
