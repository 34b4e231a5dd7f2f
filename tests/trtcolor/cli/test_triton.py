"""``trtcolor export MODEL --triton REPOSITORY``, as a user meets it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnxruntime
import pytest
from command_line import refused, run
from family_bundles import family_checkpoint
from served_models import Repository
from tritonclient.grpc.model_config_pb2 import ModelInstanceGroup

from trtcolor_train.checkpoint import load_checkpoint

PARTS = ["trtcolor-base", "trtcolor-base_features", "trtcolor-base_paint"]


def test_the_bundled_model_becomes_a_repository_that_the_server_takes(tmp_path: Path) -> None:
    repository = tmp_path / "models"
    done = run("export", "default", "--triton", repository, "--warm-up", "64x48")
    assert done.returncode == 0, done.stderr
    assert sorted(done.stdout.splitlines()) == [str(repository / part) for part in PARTS]
    assert "ask the server for 'trtcolor-base'" in done.stderr
    assert "was held against the server's schema" in done.stderr
    frames = np.zeros((2, 30, 20, 3), np.uint8)
    assert Repository(repository).infer("trtcolor-base", {"frames": frames}, ())["rgb"].shape == (
        2,
        30,
        20,
        3,
    )


def test_the_servers_settings_are_the_lines(tmp_path: Path) -> None:
    options = ("--max-batch", 4, "--preferred", "2,4", "--queue-delay", 300, "--instances", 2)
    more = ("--kind", "cpu", "--warm-up", "none", "--name", "film", "--channels", "1")
    done = run("export", "default", "--triton", tmp_path, *options, *more, "--saturation", 2)
    assert done.returncode == 0, done.stderr
    config = Repository(tmp_path).models["film_paint"].config
    assert config.max_batch_size == 4
    assert list(config.dynamic_batching.preferred_batch_size) == [2, 4]
    assert config.dynamic_batching.max_queue_delay_microseconds == 300
    (group,) = config.instance_group
    assert (group.count, group.kind) == (2, ModelInstanceGroup.KIND_CPU)
    assert not config.model_warmup
    assert list(config.input[0].dims) == [-1, -1, 1]
    assert config.parameters["trtcolor_saturation"].string_value == "2.0"


def test_a_name_that_is_taken_is_refused_with_the_way_out(tmp_path: Path) -> None:
    line = ("export", "default", "--triton", tmp_path, "--warm-up", "none")
    assert run(*line).returncode == 0
    assert "--overwrite" in refused(*line)
    assert run(*line, "--overwrite").returncode == 0


def test_a_checkpoint_becomes_a_bundle_one_graph_and_a_repository_at_once(tmp_path: Path) -> None:
    checkpoint, file = family_checkpoint("lee2016", tmp_path), tmp_path / "mine.onnx"
    line = ("export", checkpoint, tmp_path / "mine", "--name", "mine", "--end-to-end", file)
    done = run(*line, "--triton", tmp_path / "models", "--warm-up", "none")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "mine" / "model.json").is_file()
    (rgb,) = onnxruntime.InferenceSession(file).run(
        None, {"frames": np.zeros((1, 33, 20, 3), np.uint8)}
    )
    assert rgb.shape == (1, 33, 20, 3)
    names = sorted(path.name for path in (tmp_path / "models").iterdir())
    assert names == ["mine", "mine_features", "mine_paint"]


@pytest.mark.parametrize("options", [("--name", "mine"), ()])
def test_a_name_that_is_taken_is_refused_before_a_checkpoint_becomes_a_bundle(
    tmp_path: Path, options: tuple[str, ...]
) -> None:
    checkpoint = family_checkpoint("lee2016", tmp_path)
    name = options[-1] if options else load_checkpoint(checkpoint, optimizer=False).config.name
    taken = tmp_path / "models" / name
    taken.mkdir(parents=True)
    (taken / "config.pbtxt").touch()
    line = ("export", checkpoint, tmp_path / "mine", *options, "--triton", taken.parent)
    assert f"{taken} is there already" in refused(*line)
    assert not (tmp_path / "mine").exists()


def test_a_graph_and_a_repository_may_be_written_at_once(tmp_path: Path) -> None:
    file = tmp_path / "whole.onnx"
    line = ("export", "default", "--end-to-end", file, "--triton", tmp_path / "models")
    done = run(*line, "--warm-up", "none")
    assert done.returncode == 0, done.stderr
    assert file.stat().st_size > 1_000_000
    assert sorted(path.name for path in (tmp_path / "models").iterdir()) == PARTS


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (("--max-batch", 4), "--max-batch came without --triton"),
        (("--engine", "somewhere"), "--engine came without --triton"),
        (("--triton", "models", "--preferred", "9"), "preferred is 9"),
        (("--triton", "models", "--preferred", "few"), "numbers by comma were needed"),
        (("--triton", "models", "--warm-up", "640"), None),
        (("--triton", "models", "--warm-up", "wide"), "WIDTHxHEIGHT"),
        (("--triton", "models", "--engine", "nowhere"), "no readable engine.json"),
        (("--triton", "models", "--trust"), "--trust came without --engine"),
        (("--triton", "models", "--engine", "e", "--render", "64"), "--render came with --engine"),
        (("--triton", "models", "--features", "given"), "--features"),
    ],
)
def test_what_makes_no_sense_is_refused_before_anything_is_written(
    line: tuple[object, ...], reason: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    if reason is None:  # a square is a size
        assert run("export", "default", *line).returncode == 0
        return
    assert reason in refused("export", "default", *line)
    assert not any(tmp_path.iterdir())
