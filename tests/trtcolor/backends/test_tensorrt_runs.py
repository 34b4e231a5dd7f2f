"""Runs on arrays of the host: in which order TensorRT and CUDA are called, and how often.

TensorRT and CUDA are stand-ins (fake_tensorrt.py, recording_cuda.py) whose results are real.
"""

from __future__ import annotations

import threading

import numpy as np
import pytest
from fake_tensorrt import installed
from plan_runners import Bench, bench, classic, expected, inputs, rtx, runtime
from recording_cuda import RecordingRuntime

from trtcolor.backends._tensorrt_contexts import MOST_CONTEXTS
from trtcolor.backends.base import DeviceRunner
from trtcolor.backends.frame_plans import FramePlans
from trtcolor.errors import BackendError

__all__ = ["bench", "classic", "rtx", "runtime"]  # fixtures
ALLOCATIONS = {"cudaMalloc", "cudaHostAlloc", "cudaFree", "cudaFreeHost"}
MADE = {"create_execution_context", "cudaStreamCreateWithFlags", "cudaEventCreateWithFlags"}
SETTINGS = {"set_input_shape", "set_tensor_address", "set_device_memory"}


def test_a_runner_of_plans_is_one_on_a_device(bench: Bench) -> None:
    assert isinstance(bench.runner, DeviceRunner)
    assert (bench.runner.index, bench.runner.device) == (0, "cuda:0")


def test_results_are_right_over_shapes_batches_and_profiles(bench: Bench) -> None:
    for seed, size in enumerate([(16, 24), (16, 24, 2), (2, 2), (128, 64), (16, 24), (256, 256)]):
        bench.run(seed, *size)


def test_once_warm_nothing_is_allocated_made_or_set_again(bench: Bench) -> None:
    for seed in range(4):
        bench.run(seed)
    start = len(bench.cuda.calls)
    for seed in range(20):
        bench.run(seed)
    assert not {*bench.since(start)} & (ALLOCATIONS | MADE | SETTINGS)


def test_runs_from_the_third_on_are_launched_as_a_cuda_graph(classic: Bench) -> None:
    for seed in range(6):
        classic.run(seed)
    counted = classic.cuda.count()
    assert counted["cudaStreamBeginCapture"] == 1
    assert counted["cudaGraphLaunch"] == 4
    assert counted["execute_async_v3"] == 3  # two runs, and the one that is captured
    assert classic.runner.notes == ()


def test_tensorrt_rtx_captures_by_itself_where_nothing_changes(runtime: RecordingRuntime) -> None:
    with installed(runtime, rtx=True) as api:
        bench = Bench(runtime, api, specialization="eager")
        for seed in range(6):
            bench.run(seed, 16, 16 + 8 * (seed % 2))
        assert len(api.contexts) == 3  # the common one, and one for each shape
        assert len({id(context.how.cache) for context in api.contexts}) == 1
        context = api.contexts[2]
        assert context.how.cuda_graph_strategy == api.CudaGraphStrategy.WHOLE_GRAPH_CAPTURE
        assert context.how.dynamic_shapes_kernel_specialization_strategy.name == "EAGER"
        assert context.how.allocation.name == "USER_MANAGED"
        assert "cudaStreamBeginCapture" not in runtime.names
        bench.runner.close()


def test_a_module_that_does_not_tell_the_memory_of_a_shape_gets_that_of_all(bench: Bench) -> None:
    bench.api.tells_activation = False
    for seed in range(5):
        bench.run(seed, 16, 16 + 8 * (seed % 2))
    given = [args for name, args in bench.cuda.calls if name == "set_device_memory"]
    assert {size for _, size in given} == {1 << 20}


def test_few_contexts_are_kept_and_the_least_recently_used_one_goes(classic: Bench) -> None:
    sizes = [(2 * n, 2 * n) for n in range(1, MOST_CONTEXTS + 3)]
    classic.run(0, 64, 64)  # buffers large enough for all
    for size in sizes:
        for seed in range(3):
            classic.run(seed, *size)
    counted = classic.cuda.count()
    assert counted["cudaGraphExecDestroy"] == len(sizes) - MOST_CONTEXTS
    before = len(classic.api.contexts)
    classic.run(3, *sizes[-1])
    assert len(classic.api.contexts) == before
    classic.run(3, *sizes[0])  # it was dropped, and comes again
    assert len(classic.api.contexts) == before + 1


def test_a_capture_that_fails_leaves_plain_runs_and_a_note(classic: Bench) -> None:
    classic.run(0)
    classic.run(1)
    classic.cuda.fail("cudaStreamEndCapture", error="cudaErrorStreamCaptureInvalidated")
    for seed in range(5):
        classic.run(seed)
    assert classic.cuda.count()["cudaStreamBeginCapture"] == 1
    assert "cudaGraphLaunch" not in classic.cuda.names
    (note,) = classic.runner.notes
    assert note.startswith("graph 'local' is not replayed as a CUDA graph: cudaStreamEndCapture ")


def test_a_module_that_refuses_to_be_captured_runs_plainly(classic: Bench) -> None:
    classic.run(0)
    classic.run(1)
    classic.api.failures["execute_async_v3"] = "operation not permitted when stream is capturing"
    for seed in range(3):
        classic.run(seed)
    assert "operation not permitted" in classic.runner.notes[0]


def test_a_profile_is_switched_only_where_the_shape_asks_for_it(classic: Bench) -> None:
    for size in [(16, 16), (32, 32), (128, 128), (256, 128), (16, 16)]:
        classic.run(0, *size)
    switches = [args[0] for name, args in classic.cuda.calls if name.startswith("set_optim")]
    assert switches == [1, 0]


def test_what_was_begun_is_not_overwritten_by_what_is_begun_later(bench: Bench) -> None:
    given = [inputs(seed, 16 + 8 * (seed % 3), 24) for seed in range(6)]
    begun = [bench.runner.start("local", one, ["chroma", "level"]) for one in given]
    for one in given:
        one["lightness"][...] = 0  # it was copied
    for seed, pending in reversed([*enumerate(begun)]):
        chroma, level = pending.result()
        fresh = inputs(seed, 16 + 8 * (seed % 3), 24)
        np.testing.assert_allclose(chroma, expected(fresh), rtol=1e-5)
        np.testing.assert_allclose(level.ravel(), fresh["features"].sum(1), rtol=1e-5)


def test_two_runs_under_way_take_two_sets_of_buffers_and_no_more(bench: Bench) -> None:
    waiting = [bench.runner.start("local", inputs(0), ["chroma"])]
    for seed in range(1, 12):
        if seed == 6:
            start = len(bench.cuda.calls)
        waiting.append(bench.runner.start("local", inputs(seed), ["chroma"]))
        (found,) = waiting.pop(0).result()
        np.testing.assert_allclose(found, expected(inputs(seed - 1)), rtol=1e-5)
    assert not {*bench.since(start)} & (ALLOCATIONS | MADE)


def test_a_run_that_is_dropped_gives_its_buffers_back(bench: Bench) -> None:
    for seed in range(5):
        bench.runner.start("local", inputs(seed), ["chroma"])
    held = bench.cuda.live
    for seed in range(5):
        bench.runner.start("local", inputs(seed), ["chroma"])
        bench.run(seed)
    assert bench.cuda.live == held


def test_a_result_belongs_to_the_caller_and_is_given_once(bench: Bench) -> None:
    pending = bench.runner.start("local", inputs(0), ["chroma"])
    (first,) = pending.result()
    bench.run(1)
    np.testing.assert_allclose(first, expected(inputs(0)), rtol=1e-5)
    with pytest.raises(BackendError, match="a second time"):
        pending.result()


def test_other_types_and_strides_of_the_host_are_converted(bench: Bench) -> None:
    given = inputs(0)
    turned = {
        "lightness": np.asfortranarray(given["lightness"].astype(np.float64)),
        "features": given["features"][:, ::-1],
    }
    (found,) = bench.runner.run("local", turned, ["chroma"])
    np.testing.assert_allclose(found, expected(given), rtol=1e-5)
    with pytest.raises(BackendError, match="given features as complex64; float32 was needed"):
        bench.runner.run("local", {**given, "features": given["features"] * 1j}, ["chroma"])


def test_threads_share_a_runner(bench: Bench) -> None:
    wrong: list[BaseException] = []

    def work(seed: int) -> None:
        try:
            for turn in range(6):
                bench.run(seed + 100 * turn, 16 + 8 * (seed % 2), 24)
        except BaseException as error:
            wrong.append(error)

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_an_unknown_graph_is_refused_with_those_that_there_are(bench: Bench) -> None:
    bench.run(0)
    with pytest.raises(BackendError, match=r"graph 'joint' was to run on .*; one of local was"):
        bench.runner.load("joint")


def test_frames_are_refused_without_plans_for_them_or_with_others(
    runtime: RecordingRuntime,
) -> None:
    with installed(runtime, rtx=True) as api:
        with pytest.raises(BackendError, match=r"without plans for frames; .* build-engine --fr"):
            Bench(runtime, api).runner.frame_graphs("auto", "reduce", 3)
        runner = Bench(runtime, api, frames=FramePlans(224, "clip")).runner
        assert runner.frame_graphs(224, "clip", 3) == ("prepare", "merge")
        assert runner.frame_graphs(224, "clip", 1) == ("prepare_grey", "merge")
        with pytest.raises(BackendError, match="came for render auto and gamut clip; the engine's"):
            runner.frame_graphs("auto", "clip", 3)
        with pytest.raises(BackendError, match="frames of 4 channels came; 1 or 3 were needed"):
            runner.frame_graphs(224, "clip", 4)
