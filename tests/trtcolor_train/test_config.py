"""Training configurations: the shipped ones read, wrong ones are refused by name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields, is_dataclass
from importlib.resources import files
from pathlib import Path
from typing import get_type_hints

import pytest
import torch

from trtcolor.errors import ConfigError
from trtcolor_train.build import build_network
from trtcolor_train.config import RANGES, TrainingConfig, read_config
from trtcolor_train.models import FAMILIES

SHIPPED = sorted(
    (p for p in files("trtcolor_train").joinpath("configs").iterdir() if p.name.endswith(".toml")),
    key=lambda p: p.name,
)


def test_every_family_has_a_configuration() -> None:
    assert {read_config(path).network.family for path in SHIPPED} == set(FAMILIES)


@pytest.mark.parametrize("path", SHIPPED, ids=lambda p: p.name)
def test_every_shipped_configuration_reads_and_builds(path: Path) -> None:
    config = read_config(path)
    assert config.name == path.name.removesuffix(".toml")
    with torch.device("meta"):  # shapes without numbers, as full networks take long to fill
        network = build_network(config, classes=205, data_root=Path())
    assert network.dimensions.classes in (0, 205)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("batch_size = 4", "batch_size = 0", "training.batch_size is 0"),
        ("batch_size = 4", 'batch_size = "many"', "of type int"),
        ("batch_size = 4", "batchsize = 4", "unknown entries batchsize"),
        ("steps = 12", "", "lacks an entry"),
        ('color = "smooth_l1"', 'color = "l3"', "one of mse, smooth_l1"),
        ("[training]", "[training", "no readable TOML"),
        ("learning_rate = 0.01", "learning_rate = true", "of type float"),
        ("learning_rate = 0.01", "learning_rate = nan", "learning_rate is nan"),
        ("batch_size = 4", "batch_size = 4\nseed = -1", "training.seed is -1"),
        ("batch_size = 4", "batch_size = 4\nloader_processes = -1", "loader_processes is -1"),
        ("batch_size = 4", "batch_size = 4\nloader_processes = 0.5", "of type int"),
        ("learning_rate = 0.01", "betas = [0.9, nan]", r"optimizer.betas is \[0.9, nan\]"),
        ("learning_rate = 0.01", "betas = [1.0, 0.9]", "from 0 to below 1"),
        ("learning_rate = 0.01", "betas = [0.9]", "a list of 2 values"),
        ("learning_rate = 0.01", "momentum = 1.5", "optimizer.momentum is 1.5"),
        ("learning_rate = 0.01", "clip_norm = inf", "optimizer.clip_norm is inf"),
        ('name = "adamw"', 'name = "nesterov"\nmomentum = 0', "optimizer.momentum is 0"),
        ('color = "smooth_l1"', "alpha = -1", "loss.alpha is -1"),
        ("[loss]", "[augmentation]\nfilm = 1.5\n[loss]", "film is 1.5; a number from 0 up to 1 "),
        ("batch_size = 4", "batch_size = 4\nminutes = nan", "minutes is nan; a number from 0 was"),
        (
            "batch_size = 4",
            f"batch_size = 4\nseed = {2**63}",
            r"from 0 to 2\^63 - 1 was",
        ),
        ("batch_size = 4", "batch_size = 4\nloader_threads = 0", "a positive integer was"),
        ('color = "smooth_l1"', "beta = 0.0", "loss.beta is 0.0; a positive number was"),
    ],
)
def test_a_wrong_entry_is_named(
    write_config: Callable[..., Path], tmp_path: Path, old: str, new: str, said: str
) -> None:
    path = write_config(tmp_path)
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))
    with pytest.raises(ConfigError, match=said):
        read_config(path)


def test_every_number_has_a_range() -> None:
    numbers = {
        f"{section}.{entry.name}"
        for section, kind in get_type_hints(TrainingConfig).items()
        if is_dataclass(kind)
        for entry in fields(kind)
        if entry.type in ("int", "float")
    }
    assert numbers == set(RANGES)


def test_a_missing_file_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no readable TOML"):
        read_config(tmp_path / "none.toml")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("training.steps", "SECTION.ENTRY=VALUE was needed"),
        ("=3", "SECTION.ENTRY=VALUE was needed"),
        ("training.=3", "SECTION.ENTRY=VALUE was needed"),
        (".steps=3", "SECTION.ENTRY=VALUE was needed"),
        ("name.steps=3", "name is no section"),
        ("training.steps=many", "of type int"),
        ("training.steps=", "of type int"),
        ("training.pace=3", "unknown entries pace"),
        ("lessons.steps=3", "unknown entries lessons"),
        ("training=3", "a table of entries was needed"),
    ],
)
def test_a_wrong_change_is_named(
    write_config: Callable[..., Path], tmp_path: Path, change: str, said: str
) -> None:
    with pytest.raises(ConfigError, match=said):
        read_config(write_config(tmp_path), [change])


def test_changes_take_the_place_of_what_the_file_says(
    write_config: Callable[..., Path], tmp_path: Path
) -> None:
    changes = [
        "training.steps=7",
        "data.description=from = here",
        "augmentation.film=0.5",
        "network.dimensions.low=[[8, 2], [8, 2]]",
        "training.steps=9",
    ]
    config = read_config(write_config(tmp_path), changes)
    assert config.training.steps == 9
    assert config.data.description == "from = here"
    assert config.augmentation.film == 0.5
    assert config.network.dimensions["low"] == [[8, 2], [8, 2]]
    assert config.network.dimensions["fusion"] == 16
