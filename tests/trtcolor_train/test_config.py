"""Training configurations: the shipped ones read, wrong ones are refused by name."""

from __future__ import annotations

from collections.abc import Callable
from importlib.resources import files
from pathlib import Path

import pytest

from trtcolor.errors import ConfigError
from trtcolor_train.config import read_config
from trtcolor_train.models import family

SHIPPED = sorted(
    (p for p in files("trtcolor_train").joinpath("configs").iterdir() if p.name.endswith(".toml")),
    key=lambda p: p.name,
)


def test_configurations_are_shipped() -> None:
    assert "lee2016-miniplaces.toml" in [path.name for path in SHIPPED]


@pytest.mark.parametrize("path", SHIPPED, ids=lambda p: p.name)
def test_every_shipped_configuration_reads_and_builds(path: Path) -> None:
    config = read_config(path)
    assert config.name == path.name.removesuffix(".toml")
    family(config.network.family).resolve(config.network.dimensions)


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


def test_a_missing_file_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no readable TOML"):
        read_config(tmp_path / "none.toml")
