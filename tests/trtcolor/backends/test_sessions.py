"""What every backend on ONNX files does alike: it computes what the graph says, or refuses."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
from numpy.typing import NDArray

from trtcolor.backends.base import Runner
from trtcolor.backends.onnxruntime import OnnxRuntimeRunner
from trtcolor.backends.openvino import OpenVinoRunner
from trtcolor.backends.sessions import SessionRunner
from trtcolor.bundle import open_bundle
from trtcolor.errors import BackendError

MakeBundle = Callable[..., Path]


@pytest.fixture(params=[OnnxRuntimeRunner, OpenVinoRunner], ids=lambda runner: runner.name)
def make_runner(request: pytest.FixtureRequest) -> type[SessionRunner]:
    runner: type[SessionRunner] = request.param
    return runner


def lightness(height: int, width: int, batch: int = 1) -> NDArray[np.float32]:
    rng = np.random.default_rng(1)
    return (100 * rng.random((batch, 1, height, width))).astype(np.float32)


def test_a_runner_fits_the_protocol_and_names_itself(
    make_runner: type[SessionRunner], make_bundle: MakeBundle
) -> None:
    runner: Runner = make_runner(open_bundle(make_bundle()))
    assert (runner.name, runner.device) == (make_runner.name, "cpu")


def test_a_graph_runs_with_the_weights_of_the_external_file(
    make_runner: type[SessionRunner], make_bundle: MakeBundle
) -> None:
    weights = {"low": np.zeros((2, 1, 3, 3), np.float32), "low_bias": np.array([7, -9], np.float32)}
    weights["low"][0, 0, 1, 1] = 0.5
    runner = make_runner(open_bundle(make_bundle(scale=1, weights=weights)))
    frame = lightness(8, 16)
    (chroma,) = runner.run("local", {"lightness": frame}, ["chroma"])
    assert chroma.dtype == np.float32
    np.testing.assert_allclose(chroma[0, 0], 0.5 * frame[0, 0] + 7, rtol=1e-6)
    np.testing.assert_array_equal(chroma[0, 1], np.full((8, 16), -9, np.float32))


def test_batch_and_size_are_free_and_outputs_come_in_the_order_asked_for(
    make_runner: type[SessionRunner],
    make_bundle: MakeBundle,
) -> None:
    folder = make_bundle(global_size=16, classes=("abbey", "beach"))
    runner = make_runner(open_bundle(folder))
    logits, features = runner.run(
        "global", {"lightness": lightness(16, 16, batch=2)}, ["class_logits", "global_features"]
    )
    assert logits.shape == (2, 2)
    assert features.shape == (2, 3)
    inputs = {"lightness": lightness(24, 40, batch=2), "global_features": features}
    (chroma,) = runner.run("local", inputs, ["chroma"])
    assert chroma.shape == (2, 2, 12, 20)


def test_the_number_of_threads_does_not_change_the_result(
    make_runner: type[SessionRunner], make_bundle: MakeBundle
) -> None:
    bundle = open_bundle(make_bundle())
    inputs = {"lightness": lightness(32, 32)}
    one, two = (make_runner(bundle, threads=n).run("local", inputs, ["chroma"]) for n in (1, 2))
    np.testing.assert_allclose(one[0], two[0], rtol=1e-6, atol=1e-5)


@pytest.mark.parametrize("threads", [0, -1, 1.5, True, "2", 100_000])
def test_a_number_of_threads_that_is_none_is_refused(
    make_runner: type[SessionRunner], threads: object, make_bundle: MakeBundle
) -> None:
    with pytest.raises(ValueError, match="threads is"):
        make_runner(open_bundle(make_bundle()), threads=threads)  # type: ignore[arg-type]


def test_one_runner_serves_many_threads(
    make_runner: type[SessionRunner], make_bundle: MakeBundle
) -> None:
    bundle = open_bundle(make_bundle())
    inputs = {"lightness": lightness(32, 32)}
    (expected,) = make_runner(bundle).run("local", inputs, ["chroma"])
    runner = make_runner(bundle, threads=1)
    results: list[NDArray[np.float32]] = []
    workers = [
        threading.Thread(target=lambda: results.extend(runner.run("local", inputs, ["chroma"])))
        for _ in range(8)
    ]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert len(results) == 8
    for result in results:
        np.testing.assert_allclose(result, expected, rtol=1e-6, atol=1e-5)


def one_sentence(error: BaseException) -> bool:
    return "\n" not in str(error) and "; " in str(error)


def test_a_file_that_is_no_graph_is_refused_when_first_run(
    make_runner: type[SessionRunner], make_bundle: MakeBundle
) -> None:
    folder = make_bundle()
    bundle = open_bundle(folder)
    (folder / "local.onnx").write_bytes(b"this is no graph")
    runner = make_runner(bundle)
    with pytest.raises(BackendError, match="did not load graph 'local'") as caught:
        runner.run("local", {"lightness": lightness(8, 8)}, ["chroma"])
    assert one_sentence(caught.value)


def test_weights_that_vanished_are_refused(
    make_runner: type[SessionRunner], make_bundle: MakeBundle
) -> None:
    bundle = open_bundle(make_bundle())
    (bundle.path / "weights.bin").unlink()
    with pytest.raises(BackendError, match="did not load"):
        make_runner(bundle).run("local", {"lightness": lightness(8, 8)}, ["chroma"])


@pytest.mark.parametrize(
    ("inputs", "output"),
    [
        ({"lightness": lightness(8, 8).astype(np.float64)}, "chroma"),
        ({"lightness": lightness(8, 8)[0]}, "chroma"),
        ({"luma": lightness(8, 8)}, "chroma"),
        ({}, "chroma"),
        ({"lightness": lightness(8, 8)}, "colour"),
    ],
    ids=["dtype", "rank", "name", "missing", "output"],
)
def test_inputs_or_outputs_that_do_not_fit_are_refused(
    make_runner: type[SessionRunner],
    inputs: dict[str, NDArray[np.float32]],
    output: str,
    make_bundle: MakeBundle,
    capfd: pytest.CaptureFixture[str],
) -> None:
    runner = make_runner(open_bundle(make_bundle()))
    with pytest.raises(BackendError, match="did not run graph 'local' of model 'tiny'") as caught:
        runner.run("local", inputs, [output])
    assert one_sentence(caught.value)
    assert capfd.readouterr().err == ""  # raised, so not logged as well


def test_a_closed_runner_refuses_and_closes_twice(
    make_runner: type[SessionRunner], make_bundle: MakeBundle
) -> None:
    runner = make_runner(open_bundle(make_bundle()))
    runner.run("local", {"lightness": lightness(8, 8)}, ["chroma"])
    runner.close()
    runner.close()
    with pytest.raises(BackendError, match="closed"):
        runner.run("local", {"lightness": lightness(8, 8)}, ["chroma"])


def test_a_picture_that_is_read_only_or_has_strides_is_taken_as_it_is(
    make_runner: type[SessionRunner], make_bundle: MakeBundle
) -> None:
    runner = make_runner(open_bundle(make_bundle()))
    wide = lightness(16, 32)
    wide.flags.writeable = False
    strided = wide[..., ::2]
    (found,) = runner.run("local", {"lightness": strided}, ["chroma"])
    (expected,) = runner.run("local", {"lightness": np.ascontiguousarray(strided)}, ["chroma"])
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_what_a_run_gave_is_not_touched_by_the_next(
    make_runner: type[SessionRunner], make_bundle: MakeBundle
) -> None:
    runner = make_runner(open_bundle(make_bundle()))
    (first,) = runner.run("local", {"lightness": lightness(16, 16)}, ["chroma"])
    before = first.copy()
    runner.run("local", {"lightness": np.zeros((1, 1, 16, 16), np.float32)}, ["chroma"])
    np.testing.assert_array_equal(first, before)


def test_graphs_of_an_engine_take_the_place_of_the_bundles(
    make_runner: type[SessionRunner], make_bundle: MakeBundle
) -> None:
    bundle, other = (open_bundle(make_bundle(f"seed{seed}", seed=seed)) for seed in (0, 1))
    graph = onnx.load(other.graph_path("local")).SerializeToString()  # weights inside
    inputs = {"lightness": lightness(16, 16)}
    (expected,) = make_runner(other).run("local", inputs, ["chroma"])
    engine = make_runner(bundle, graphs={"local": graph})
    np.testing.assert_allclose(engine.run("local", inputs, ["chroma"])[0], expected, atol=1e-5)
    with pytest.raises(BackendError, match="has no graph 'global', only local") as caught:
        engine.run("global", inputs, ["global_features"])
    assert one_sentence(caught.value)
    with pytest.raises(BackendError, match=r"'seed0' .*build the engine again") as caught:
        make_runner(bundle, graphs={"local": b"this is no graph"}).run("local", inputs, ["chroma"])
    assert one_sentence(caught.value)
