"""``trtcolor export MODEL --end-to-end FILE.onnx``, in a process of its own and without torch."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
from command_line import refused, run
from sessions import assert_same_colours

from trtcolor.colorizer import Colorizer

MakeBundle = Callable[..., Path]


def test_a_bundle_becomes_one_graph(make_bundle: MakeBundle, tmp_path: Path) -> None:
    folder, file = make_bundle(global_size=24), tmp_path / "graph.onnx"
    done = run("export", folder, "--end-to-end", file, "--channels", "any", "--saturation", 2)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(f"{file}: ")
    assert "from the CPU path" in done.stdout
    picture = np.random.default_rng(0).integers(0, 256, (45, 67, 3), np.uint8)
    (rgb,) = onnxruntime.InferenceSession(file).run(None, {"frames": picture[None]})
    assert_same_colours(rgb[0], Colorizer(folder).colorize(picture, saturation=2))


def test_an_installed_model_is_exported_where_torch_does_not_import(
    make_bundle: MakeBundle, tmp_path: Path
) -> None:
    folder = make_bundle("mine", models=tmp_path / "models")
    (tmp_path / "torch.py").write_text("raise ImportError('no torch here')")
    done = run(
        "export",
        folder.name,
        "--end-to-end",
        tmp_path / "graph.onnx",
        TRTCOLOR_MODELS=str(folder.parent),
        PYTHONPATH=str(tmp_path),
    )
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "graph.onnx").is_file()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ((), "a CHECKPOINT and the BUNDLE to write were needed, or a MODEL and --end-to-end"),
        (("--gamut", "clip"), "--gamut came without a file to write"),
        (("--end-to-end", "g.onnx", "--decoder", "mode"), "--decoder came for a model that is"),
        (("--end-to-end", "g.onnx", "--saturation", "11"), "a number from 0 to 10 was needed"),
        (("--end-to-end", "no/g.onnx"), "which is no folder"),
        (("--end-to-end", ".", "--overwrite"), ". is a folder; a file's name was needed"),
        (("--end-to-end", "g.onnx", "--features", "given"), "has no global features"),
    ],
)
def test_what_cannot_be_exported_is_refused_in_one_line(
    make_bundle: MakeBundle,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    options: tuple[str, ...],
    words: str,
) -> None:
    folder = make_bundle()
    monkeypatch.chdir(tmp_path)
    assert words in refused("export", folder, *options)
    assert not (tmp_path / "g.onnx").exists()


def test_a_file_that_is_there_stays(make_bundle: MakeBundle, tmp_path: Path) -> None:
    folder, file = make_bundle(), tmp_path / "graph.onnx"
    file.write_text("mine")
    assert "is there already" in refused("export", folder, "--end-to-end", file)
    assert file.read_text() == "mine"
    assert run("export", folder, "--end-to-end", file, "--overwrite").returncode == 0
    assert file.stat().st_size > 1000


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
    assert onnxruntime.InferenceSession(file).get_outputs()[0].type == "tensor(uint8)"
