"""``trtcolor export MODEL --end-to-end FILE``, as a user meets it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
from command_line import refused, run
from family_bundles import family_bundle

from trtcolor.colorizer import Colorizer


def outputs(file: Path, **inputs: np.ndarray) -> np.ndarray:
    """What ONNX Runtime alone makes of a file."""
    session = onnxruntime.InferenceSession(str(file), providers=["CPUExecutionProvider"])
    (rgb,) = session.run(["rgb"], inputs)
    return rgb


def frames(*shape: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, shape, np.uint8)


def test_one_file_colours_as_the_colorizer_does(tmp_path: Path) -> None:
    file = tmp_path / "whole.onnx"
    done = run("export", "default", "--end-to-end", file, "--saturation", 1.5)
    assert done.returncode == 0, done.stderr
    assert "bytes differ from the CPU path by" in done.stdout
    given = frames(2, 50, 71, 3)
    with Colorizer("default") as colorizer:
        expected = [colorizer.colorize(frame, saturation=1.5) for frame in given]
    assert np.abs(outputs(file, frames=given).astype(int) - expected).max() <= 2


def test_grey_and_rgb_frames_go_into_one_file(tmp_path: Path) -> None:
    file = tmp_path / "any.onnx"
    assert run("export", "default", "--end-to-end", file, "--channels", "any").returncode == 0
    grey = frames(1, 20, 30, 1)
    found = outputs(file, frames=grey), outputs(file, frames=np.repeat(grey, 3, axis=3))
    assert np.abs(found[0].astype(int) - found[1]).max() <= 1


def test_features_that_are_given_are_a_second_input(tmp_path: Path) -> None:
    file = tmp_path / "styled.onnx"
    assert run("export", "default", "--end-to-end", file, "--features", "given").returncode == 0
    names = [value.name for value in onnx.load(file).graph.input]
    assert names == ["frames", "global_features"]


def test_half_precision_is_in_the_network_alone(tmp_path: Path) -> None:
    file = tmp_path / "half.onnx"
    done = run("export", "default", "--end-to-end", file, "--arithmetic", "fp16")
    assert done.returncode == 0, done.stderr
    types = {tensor.data_type for tensor in onnx.load(file).graph.initializer}
    assert {onnx.TensorProto.FLOAT, onnx.TensorProto.FLOAT16} <= types
    assert outputs(file, frames=frames(1, 40, 40, 3)).dtype == np.uint8


def test_a_checkpoint_becomes_a_bundle_and_one_file_at_once(tmp_path: Path) -> None:
    family_bundle("lee2016", tmp_path)
    line = ("export", tmp_path / "checkpoint.safetensors", tmp_path / "mine")
    done = run(*line, "--end-to-end", tmp_path / "mine.onnx")
    assert done.returncode == 0, done.stderr
    assert outputs(tmp_path / "mine.onnx", frames=frames(1, 33, 20, 3)).shape == (1, 33, 20, 3)


def test_a_file_that_is_there_is_left_unless_told(tmp_path: Path) -> None:
    file = tmp_path / "whole.onnx"
    file.write_text("mine")
    assert "--overwrite" in refused("export", "default", "--end-to-end", file)
    assert file.read_text() == "mine"
    assert run("export", "default", "--end-to-end", file, "--overwrite").returncode == 0
    onnx.checker.check_model(str(file), full_check=True)


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (("default",), "one argument and no --end-to-end came"),
        (("default", "--render", 64), "came without a file to write"),
        (("default", "--end-to-end", "x.onnx", "--decoder", "mode"), "exported already"),
        (("default", "--end-to-end", "no/where/x.onnx"), "where"),
        (("nothing-of-the-kind", "--end-to-end", "x.onnx"), "nothing-of-the-kind"),
    ],
)
def test_what_cannot_be_is_one_sentence(
    line: tuple[object, ...], reason: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert reason in refused("export", *line)
    assert not list(tmp_path.iterdir())
