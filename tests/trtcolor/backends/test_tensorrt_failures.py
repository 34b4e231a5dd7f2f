"""What fails in a run is one error, after which the runner works.

TensorRT and CUDA are stand-ins (fake_tensorrt.py, recording_cuda.py) whose results are real.
"""

from __future__ import annotations

import numpy as np
import pytest
from fake_tensorrt import installed
from plan_runners import Bench, bench, expected, inputs, rtx, runtime
from recording_cuda import recorded

from trtcolor.errors import BackendError, DeviceLostError, OutOfDeviceMemoryError

__all__ = ["bench", "rtx", "runtime"]  # fixtures


@pytest.mark.parametrize(
    "call",
    ["create_execution_context", "set_input_shape", "set_tensor_address", "execute_async_v3"],
)
@pytest.mark.parametrize("before", [0, 1, 4])
def test_what_the_module_refuses_is_one_sentence_and_the_runner_goes_on(
    call: str, before: int, bench: Bench
) -> None:
    for seed in range(before):
        bench.run(seed)
    bench.api.failures[call] = "a reason"
    with pytest.raises(BackendError, match=r"graph 'local' \(a reason\); check the inputs"):
        bench.run_all((32, 32), (32, 32), (128, 128), (128, 128))
    for seed in range(5):
        bench.run(seed)


@pytest.mark.parametrize(
    ("call", "after"),
    [
        ("cudaMalloc", 0),
        ("cudaMalloc", 1),
        ("cudaMalloc", 2),
        ("cudaHostAlloc", 0),
        ("cudaHostAlloc", 1),
    ],
)
def test_too_little_memory_is_one_error_after_which_smaller_frames_run(
    call: str, after: int, bench: Bench
) -> None:
    bench.run(0)
    held = bench.cuda.live
    bench.cuda.fail(call, after=after, error="cudaErrorMemoryAllocation")
    size = 256, 256  # input, output and activations grow
    with pytest.raises(OutOfDeviceMemoryError, match=r"^cuda(Malloc|HostAlloc) failed"):
        bench.run(1, *size)
    assert bench.cuda.live <= held
    for seed in range(4):
        bench.run(seed)
    bench.run(1, *size)


def test_memory_that_tensorrt_itself_lacks_is_that_error_too(bench: Bench) -> None:
    bench.api.failures["execute_async_v3"] = "Cuda Runtime (out of memory)"
    with pytest.raises(OutOfDeviceMemoryError, match="did not run graph 'local'"):
        bench.run(0)
    bench.run(1)


def test_a_bounded_device_holds_small_frames_after_one_that_is_too_large(rtx: bool) -> None:
    with recorded(memory=200_000) as runtime, installed(runtime, rtx=rtx) as api:
        bench = Bench(runtime, api)
        for _ in range(3):
            for seed in range(4):
                bench.run(seed)
            with pytest.raises(OutOfDeviceMemoryError, match="MiB asked for"):
                bench.run(9, 256, 256)
        bench.runner.close()
        assert runtime.live == 0


def test_a_gpu_that_is_lost_says_so_and_closing_is_quiet(bench: Bench) -> None:
    bench.run(0)
    bench.cuda.fail("cudaMemcpyAsync", error="cudaErrorIllegalAddress")
    for _ in range(2):
        with pytest.raises(DeviceLostError, match="failed for good"):
            bench.run(1)
    bench.runner.close()


def test_an_error_of_the_run_comes_out_of_its_result_and_the_next_run_is_right(
    bench: Bench,
) -> None:
    bench.run(0)
    pending = bench.runner.start("local", inputs(1), ["chroma"])
    bench.cuda.fail("cudaEventSynchronize", error="cudaErrorInvalidValue")
    with pytest.raises(BackendError, match="cudaEventSynchronize failed"):
        pending.result()
    bench.run(2)


def test_closing_frees_all_of_it_and_later_runs_are_refused(bench: Bench) -> None:
    for seed in range(4):
        bench.run(seed)
    late = bench.runner.start("local", inputs(5), ["chroma"])
    bench.runner.close()
    bench.runner.close()
    (found,) = late.result()
    np.testing.assert_allclose(found, expected(inputs(5)), rtol=1e-5)
    assert bench.cuda.live == 0
    with pytest.raises(BackendError, match="closed runner"):
        bench.run(0)
