"""Configurations, command lines and logs for tests that train."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from click.testing import CliRunner, Result
from narrow import NARROW

from trtcolor.cli import main

DATA = {"train": "train-*.tar.gz", "validation": "val-*.tar.gz"}
TRAINING = {
    "steps": 12,
    "batch_size": 4,
    "checkpoint_every": 4,
    "validate_every": 6,
    "validation_pictures": 6,
}


def write_narrow_config(folder: Path, family: str, **sections: dict[str, Any]) -> Path:
    """The configuration of a narrowed family, with entries of ``sections``, as FOLDER/FAMILY.toml.

    A classifier has as many classes as the data.
    """
    dimensions = {name: value for name, value in NARROW[family].items() if name != "classes"}
    sections = sections | {"training": TRAINING | sections.get("training", {})}
    tables = {"network.dimensions": dimensions, "data": DATA, **sections}
    lines = [f'name = "{family}"', "[network]", f'family = "{family}"']
    for table, entries in tables.items():
        lines.append(f"[{table}]")
        # What JSON writes of numbers, texts, lists and truth values is TOML.
        lines += [f"{name} = {json.dumps(value)}" for name, value in entries.items()]
    path = folder / f"{family}.toml"
    path.write_text("\n".join(lines))
    return path


def arguments(config: Path, data: Path, run: Path, *options: str) -> list[str]:
    """What follows ``trtcolor train``."""
    return [str(config), "--data", str(data), "--run", str(run), *options]


def command(config: Path, data: Path, run: Path, *options: str) -> list[str]:
    """Training in a process of its own."""
    return [sys.executable, "-P", "-m", "trtcolor_train", *arguments(config, data, run, *options)]


def log_of(run: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (run / "log.jsonl").read_text().splitlines()]


def steps_of(run: Path) -> list[dict[str, Any]]:
    """The log's entries of steps, without the validations."""
    return [entry for entry in log_of(run) if "loss" in entry]


def trained(config: Path, data: Path, run: Path, *options: str) -> Result:
    """``trtcolor train`` in this process."""
    return CliRunner().invoke(main, ["train", *arguments(config, data, run, *options)])


def refusal(config: Path, data: Path, run: Path, *options: str) -> str:
    """The one sentence that a training ends with, behind nothing but its own lines."""
    result = trained(config, data, run, *options)
    assert result.exit_code == 1, result.output
    *before, last = result.stderr.splitlines()
    assert last.startswith("error: ")
    assert not [line for line in before if "Traceback" in line or "error" in line.lower()]
    assert result.stdout == ""
    return last.removeprefix("error: ")


def settings(*changes: str) -> list[str]:
    """Options of a command line that change its configuration."""
    return [part for change in changes for part in ("--set", change)]
