"""What a configuration names: files of bins and weights, losses, families; each refused by name."""

from __future__ import annotations

import io
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from safetensors.torch import save
from trainings import refusal, settings, trained, write_narrow_config

from trtcolor.errors import ConfigError
from trtcolor_train.bins import AbBins
from trtcolor_train.build import (
    build_network,
    network_from_checkpoint,
    read_bins,
    read_state,
)
from trtcolor_train.checkpoint import load_checkpoint
from trtcolor_train.config import read_config
from trtcolor_train.loop import CHECKPOINT_FILE

BINS = np.random.default_rng(0).integers(-100, 100, (20, 2)).astype(np.float64)


def array(values: NDArray[Any], *, allow_pickle: bool = False) -> bytes:
    stream = io.BytesIO()
    np.save(stream, values, allow_pickle=allow_pickle)
    return stream.getvalue()


def state(value: object) -> bytes:
    stream = io.BytesIO()
    torch.save(value, stream)
    return stream.getvalue()


def archive(values: NDArray[Any]) -> bytes:
    stream = io.BytesIO()
    np.savez(stream, values)
    return stream.getvalue()


class Intruder:
    """Its pickle would write a file when loaded."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        return Path.touch, (self.path,)


@pytest.fixture
def classifier(tmp_path: Path) -> Path:
    return write_narrow_config(
        tmp_path,
        "olah2022-cnn",
        loss={"color": "cross_entropy", "alpha": 0},
        training={"steps": 2},
    )


@pytest.fixture
def regression(tmp_path: Path) -> Path:
    return write_narrow_config(tmp_path, "olah2022-regression", loss={"alpha": 0})


@pytest.mark.parametrize(
    ("content", "said"),
    [
        pytest.param(None, "No such file", id="missing"),
        pytest.param(b"", "cannot be read as an array", id="empty"),
        pytest.param(array(BINS)[:-100], "cannot be read as an array", id="cut"),
        pytest.param(archive(BINS)[:100], "cannot be read as an array", id="cut archive"),
        pytest.param(archive(BINS), "of shape None", id="archive"),
        pytest.param(b"0 0\n10 10\n", "cannot be read as an array", id="text"),
        pytest.param(
            array(np.array([{}] * 20), allow_pickle=True), "cannot be read as", id="objects"
        ),
        pytest.param(array(BINS.T), "of shape (2, 20)", id="transposed"),
        pytest.param(array(BINS[:9]), "Q of at least 10", id="too few"),
        pytest.param(array(BINS + 1j), "Q x 2 numbers", id="complex"),
        pytest.param(array(np.where(BINS > 90, np.nan, BINS)), "not finite", id="NaN"),
        pytest.param(array(2 * BINS), "beyond 128", id="too far"),
        pytest.param(array(np.concatenate([BINS, BINS])), "twice the same", id="twice"),
    ],
)
def test_a_wrong_file_of_bins_is_refused(
    classifier: Path, shards: Path, tmp_path: Path, content: bytes | None, said: str
) -> None:
    path = tmp_path / "bins.npy"
    if content is not None:
        path.write_bytes(content)
    refused = refusal(classifier, shards, tmp_path / "run", *settings(f"network.bins={path}"))
    assert said in refused
    assert "network.bins" in refused


def test_a_file_of_bins_is_trained_on_and_stays_with_the_checkpoint(
    classifier: Path, shards: Path, tmp_path: Path
) -> None:
    np.save(tmp_path / "bins.npy", BINS)
    options = settings(f"network.bins={tmp_path / 'bins.npy'}", "loss.rebalance=true")
    assert trained(classifier, shards, tmp_path / "run", *options).exit_code == 0
    (tmp_path / "bins.npy").unlink()
    checkpoint = load_checkpoint(tmp_path / "run" / CHECKPOINT_FILE)
    coding = network_from_checkpoint(checkpoint, source="run").coding
    assert isinstance(coding, AbBins)
    np.testing.assert_array_equal(coding.centres.numpy(), BINS)
    assert coding.class_weights.unique().numel() > 1


def test_bins_without_centres_are_refused(classifier: Path, shards: Path, tmp_path: Path) -> None:
    refused = refusal(classifier, shards, tmp_path / "run", *settings("network.dimensions.bins=40"))
    assert "network.dimensions.bins is 40 without a file of their centres" in refused


WEIGHTS = {"conv1.weight": torch.zeros(3, 3, 7, 7)}


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        pytest.param("w.pth", None, "No such file", id="missing"),
        pytest.param("w.safetensors", None, "cannot be read", id="missing safetensors"),
        pytest.param("w.pth", b"", "cannot be read as weights", id="empty"),
        pytest.param("w.pth", b"no weights at all", "cannot be read as weights", id="text"),
        pytest.param("w.pth", pickle.dumps(1)[:-1], "cannot be read as weights", id="cut pickle"),
        pytest.param("w.pth", state(WEIGHTS)[:-300], "cannot be read as weights", id="cut"),
        pytest.param("w.safetensors", save(WEIGHTS)[:-9], "cannot be read", id="cut safetensors"),
        pytest.param("w.pth", state([1, 2]), "a list that is no state dict", id="list"),
        pytest.param("w.pth", state({"state_dict": WEIGHTS}), "no state dict", id="nested"),
        pytest.param("w.pth", state({1: torch.zeros(1)}), "has no tensor 'conv1", id="other"),
        pytest.param("w.pth", state(WEIGHTS), "'conv1.weight' as float32 (3, 3, 7, 7)", id="size"),
    ],
)
def test_a_wrong_file_of_encoder_weights_is_refused(
    regression: Path, shards: Path, tmp_path: Path, name: str, content: bytes | None, said: str
) -> None:
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)
    options = settings(f"network.encoder={path}")
    assert said in refusal(regression, shards, tmp_path / "run", *options)


@pytest.mark.parametrize(
    ("name", "content", "read"),
    [
        ("bins.npy", array(BINS), read_bins),
        ("w.pth", state(WEIGHTS), read_state),
        ("w.safetensors", save(WEIGHTS), read_state),
    ],
)
def test_a_file_with_bytes_changed_is_read_or_refused(
    tmp_path: Path, name: str, content: bytes, read: Callable[[Path], object]
) -> None:
    random = np.random.default_rng(0)
    refusals = []
    for _ in range(100):
        changed = bytearray(content)
        for place in random.integers(0, min(len(content), 400), 4):
            changed[place] = random.integers(256)
        (tmp_path / name).write_bytes(changed)
        try:
            read(tmp_path / name)
        except ConfigError as error:
            refusals.append(str(error))
    assert len(refusals) > 10
    assert "\n" not in "".join(refusals)


def test_code_in_a_file_of_weights_does_not_run(
    regression: Path, shards: Path, tmp_path: Path
) -> None:
    trace = tmp_path / "trace"
    for content in (state(Intruder(trace)), pickle.dumps(Intruder(trace))):
        (tmp_path / "w.pth").write_bytes(content)
        options = settings(f"network.encoder={tmp_path / 'w.pth'}")
        refused = refusal(regression, shards, tmp_path / "run", *options)
        assert "cannot be read as weights" in refused
    assert not trace.exists()


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        (["loss.color=cross_entropy"], "mse, smooth_l1 or huber was needed"),
        (["loss.rebalance=true"], "has no a*b* bins"),
        (["network.family=resnet"], "unknown network family 'resnet'"),
        (["network.dimensions.depth=3"], "unknown dimensions depth"),
        (["network.dimensions.training_size=33"], "a multiple of 8 was needed"),
        (["network.dimensions.encoder=wide"], "encoder"),
    ],
)
def test_what_does_not_fit_the_family_is_refused(
    regression: Path, shards: Path, tmp_path: Path, changes: list[str], said: str
) -> None:
    assert said in refusal(regression, shards, tmp_path / "run", *settings(*changes))


def test_a_regressions_loss_or_bins_for_a_joint_network_are_refused(
    classifier: Path, regression: Path, shards: Path, tmp_path: Path
) -> None:
    np.save(tmp_path / "bins.npy", BINS)
    run = tmp_path / "run"
    assert "cross_entropy was needed" in refusal(
        classifier, shards, run, *settings("loss.color=mse")
    )
    bins = settings(f"network.bins={tmp_path / 'bins.npy'}")
    assert "network.bins" in refusal(regression, shards, run, *bins)
    joint = write_narrow_config(tmp_path, "lee2016")
    weights = settings(f"network.encoder={tmp_path / 'w.pth'}")
    (tmp_path / "w.pth").write_bytes(state(WEIGHTS))
    assert "has none that ImageNet weights fit" in refusal(joint, shards, run, *weights)


@pytest.mark.parametrize("name", ["olah2022-cnn", "olah2022-unet"])
def test_a_rebalanced_loss_fits_both_classifiers_of_ab(tmp_path: Path, name: str) -> None:
    loss = {"color": "cross_entropy", "alpha": 0, "rebalance": True}
    config = read_config(write_narrow_config(tmp_path, name, loss=loss))
    assert isinstance(build_network(config, 0, tmp_path).coding, AbBins)
