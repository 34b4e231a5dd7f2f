"""Checkpoints: round trip, refusal of what is none, and the old one kept when writing fails."""

from __future__ import annotations

import json
import resource
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from checkpoints import CONFIG, after_one_step
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

from trtcolor.errors import CheckpointError, ConfigError
from trtcolor_train.build import network_from_checkpoint
from trtcolor_train.checkpoint import (
    check_weights,
    load_checkpoint,
    load_weights,
    save_checkpoint,
)
from trtcolor_train.clock import Clock
from trtcolor_train.models import family


@pytest.mark.parametrize("kind", [torch.optim.AdamW, torch.optim.Adadelta])
def test_a_checkpoint_comes_back_whole(tmp_path: Path, kind: type[torch.optim.Optimizer]) -> None:
    saved = after_one_step(kind)
    save_checkpoint(tmp_path / "c.safetensors", saved)
    loaded = load_checkpoint(tmp_path / "c.safetensors")
    assert json.dumps(loaded.dimensions) == json.dumps(saved.dimensions)
    assert (loaded.config, loaded.step, loaded.classes, loaded.data) == (
        saved.config,
        saved.step,
        saved.classes,
        saved.data,
    )
    assert all(torch.equal(loaded.model[name], value) for name, value in saved.model.items())
    assert torch.equal(loaded.random_state, saved.random_state)
    network = family("lee2016").build(CONFIG.network.dimensions)
    load_weights(network, loaded, source="c")
    optimizer = kind(network.parameters(), lr=0.5)
    optimizer.load_state_dict(loaded.optimizer)
    again = optimizer.state_dict()
    # JSON knows no tuples: the betas come back as a list of the same numbers.
    assert json.dumps(again["param_groups"]) == json.dumps(saved.optimizer["param_groups"])
    for index, state in saved.optimizer["state"].items():
        for name, value in state.items():
            assert torch.equal(torch.as_tensor(again["state"][index][name]), torch.as_tensor(value))


def test_a_failed_write_leaves_the_previous_one_and_no_other_file(tmp_path: Path) -> None:
    path = tmp_path / "c.safetensors"
    saved = after_one_step(torch.optim.AdamW)
    save_checkpoint(path, saved)
    before = path.read_bytes()
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (len(before) // 2, limits[1]))  # as on a full disk
    try:
        with pytest.raises(CheckpointError, match="could not be written"):
            save_checkpoint(path, saved)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("content", [b"", b"not a checkpoint", b"\x08\0\0\0\0\0\0\0{}      "])
def test_what_is_no_checkpoint_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "c.safetensors"
    path.write_bytes(content)
    with pytest.raises(CheckpointError, match="no whole trtcolor checkpoint"):
        load_checkpoint(path)


def test_a_cut_checkpoint_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "c.safetensors"
    save_checkpoint(path, after_one_step(torch.optim.AdamW))
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(CheckpointError, match="no whole trtcolor checkpoint"):
        load_checkpoint(path)


def test_a_missing_checkpoint_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="no checkpoint at"):
        load_checkpoint(tmp_path / "none")


def test_weights_of_another_family_are_refused_by_name() -> None:
    network = family("iizuka2016-baseline").build()
    with pytest.raises(CheckpointError, match="'lee2016' that do not fit"):
        load_weights(network, after_one_step(torch.optim.AdamW), source="c")


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A whole checkpoint, not to be changed."""
    path = tmp_path_factory.mktemp("written") / "c.safetensors"
    save_checkpoint(path, after_one_step(torch.optim.Adam))
    return path


def altered(
    written: Path,
    path: Path,
    header: Callable[[dict[str, Any]], object] = lambda header: None,
    tensors: Callable[[dict[str, Tensor]], object] = lambda tensors: None,
) -> Path:
    """A copy in which JSON or tensors were changed; a text in the header's place is taken as is."""
    with safe_open(written, framework="pt") as file:
        metadata = file.metadata()
    entries, values = json.loads(metadata["header"]), load_file(written)
    text = header(entries)
    tensors(values)
    metadata["header"] = text if isinstance(text, str) else json.dumps(entries)
    save_file(values, path, metadata=metadata)
    return path


@pytest.mark.parametrize(
    ("entry", "value"),
    [
        ("config", None),
        ("dimensions", 3),
        ("dimensions", [["classes", 3]]),
        ("step", None),
        ("step", float("inf")),
        ("step", float("nan")),
        ("step", -5),
        ("step", "7"),
        ("step", True),
        ("step", 1.0),
        ("classes", 5),
        ("classes", "abc"),
        ("classes", {"a": 1}),
        ("classes", ["a", None]),
        ("classes", ["\ud800"]),
        ("data", "x"),
        ("data", [1]),
        ("data", {"fingerprint": 5}),
        ("seconds", -1),
        ("seconds", float("nan")),
        ("seconds", "60"),
        ("start", 5),
        ("optimizer_groups", "x"),
        ("optimizer_groups", [1]),
        ("optimizer_scalars", []),
        ("optimizer_scalars", {"a": {}}),
        ("optimizer_scalars", {"0": 5}),
    ],
)
def test_a_header_of_another_form_is_refused(
    written: Path, tmp_path: Path, entry: str, value: object
) -> None:
    path = altered(written, tmp_path / "c", lambda header: header.update({entry: value}))
    with pytest.raises((CheckpointError, ConfigError)) as refused:
        load_checkpoint(path)
    assert str(path) in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    "text", ["[]", "5", "{", "[" * 100_000 + "]" * 100_000, '{"step": ' + "9" * 5000 + "}"]
)
def test_json_that_is_no_header_is_refused(written: Path, tmp_path: Path, text: str) -> None:
    path = altered(written, tmp_path / "c", lambda _: text)
    with pytest.raises(CheckpointError, match="no whole trtcolor checkpoint"):
        load_checkpoint(path)


def first(tensors: dict[str, Tensor], end: str) -> str:
    """Name of the first tensor that ends so."""
    return min(name for name in tensors if name.endswith(end))


@pytest.mark.parametrize(
    ("end", "change"),
    [
        (".weight", lambda value: value.to(torch.complex64)),
        (".weight", lambda value: value.to(torch.int32)),
        (".running_mean", lambda value: value > 0),
        (".num_batches_tracked", lambda value: value.to(torch.uint8)),
        ("random_state", lambda value: value[:3].clone()),
        ("random_state", lambda value: value.float()),
        ("random_state", torch.zeros_like),
    ],
)
def test_tensors_of_another_type_are_refused_by_name(
    written: Path, tmp_path: Path, end: str, change: Callable[[Tensor], Tensor]
) -> None:
    def alter(tensors: dict[str, Tensor]) -> None:
        tensors |= {first(tensors, end): change(tensors[first(tensors, end)])}

    path = altered(written, tmp_path / "c", tensors=alter)
    with pytest.raises(CheckpointError, match=end):
        load_checkpoint(path)


def test_without_the_optimizer_its_tensors_are_not_read(written: Path, tmp_path: Path) -> None:
    def spoil(tensors: dict[str, Tensor]) -> None:
        tensors["optimizer.no number"] = torch.zeros(1)

    path = altered(written, tmp_path / "c", tensors=spoil)
    with pytest.raises(CheckpointError):
        load_checkpoint(path)
    loaded = load_checkpoint(path, optimizer=False)
    assert loaded.optimizer == {}
    assert loaded.model.keys() == load_checkpoint(written).model.keys()


@pytest.mark.filterwarnings("ignore:Initializing zero-element tensors")
@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("training_size", 64.0, "training_size is 64.0; an integer"),
        ("training_size", True, "training_size is True; an integer"),
        ("training_size", 2**40, "training_size is 1099511627776; an integer"),
        ("signed_input", "yes", "signed_input is 'yes'; true or false"),
        ("signed_input", 1, "signed_input is 1; true or false"),
        ("color_space", ["lab"], "one of lab, yuv, rgb"),
        ("mid", "ab", "mid is 'ab'; a list"),
        ("mid", [8, -1], r"mid\[1\] is -1; an integer from 0"),
        ("low", [[8, 2], [8]], r"low\[1\] is \[8\]; a list of 2 entries"),
        ("low", [[8, -2], [8, -2]], r"low\[0\]\[1\] is -2; an integer from 0"),
        ("low", [[8, 1]] * 65, "at most 64 entries"),
        ("fusion", 0, "no network can be built"),
    ],
)
def test_dimensions_of_another_type_are_refused_by_name(
    written: Path, name: str, value: object, said: str
) -> None:
    checkpoint = load_checkpoint(written, optimizer=False)
    checkpoint = replace(checkpoint, dimensions=checkpoint.dimensions | {name: value})
    with pytest.raises(ConfigError, match=said) as refused:
        network_from_checkpoint(checkpoint, source="c")
    assert len(str(refused.value)) < 1000


class LargestTensor(TorchDispatchMode):
    """Watches how many values the largest tensor with numbers holds."""

    def __init__(self) -> None:
        super().__init__()
        self.values = 0

    def __torch_dispatch__(
        self, function: Any, types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        result = function(*args, **(kwargs or {}))
        if isinstance(result, Tensor) and not result.is_meta:
            self.values = max(self.values, result.numel())
        return result


@contextmanager
def nothing_large() -> Iterator[None]:
    with LargestTensor() as largest:
        yield
    assert largest.values < 100_000


@pytest.mark.parametrize(
    "change",
    [
        {"training_size": 16384},
        {"classes": 10**9},
        {"low": [[8, 2], [8, 1], [8, 2], [20000, 1], [20000, 1]]},
        {"mid": [2**31 - 1, 2**31 - 1]},
    ],
)
def test_a_small_file_with_large_dimensions_takes_no_memory(
    written: Path, change: dict[str, Any]
) -> None:
    checkpoint = load_checkpoint(written)
    large = replace(checkpoint, dimensions=checkpoint.dimensions | change)
    with (
        nothing_large(),
        pytest.raises((CheckpointError, ConfigError), match=r"do not fit|can be built"),
    ):
        network_from_checkpoint(large, source="c")


def test_weights_are_checked_against_a_network_without_numbers(written: Path) -> None:
    checkpoint = load_checkpoint(written)
    with torch.device("meta"):
        network = family("lee2016").build(checkpoint.dimensions)
    check_weights(network, checkpoint, source="c")
    del checkpoint.model["fusion.layer.weight"]
    with pytest.raises(CheckpointError, match=r"1 entries differ, first fusion\.layer\.weight"):
        check_weights(network, checkpoint, source="c")


def test_a_checkpoint_from_before_times_were_kept_says_nothing_of_them(
    written: Path, tmp_path: Path
) -> None:
    def forget(header: dict[str, Any]) -> None:
        del header["seconds"], header["start"]

    loaded = load_checkpoint(altered(written, tmp_path / "c", forget))
    assert (loaded.seconds, loaded.start) == (None, None)
    assert Clock(loaded.seconds).total is None
    total = Clock(100.0).total
    assert total is not None
    assert 100 <= total < 200
