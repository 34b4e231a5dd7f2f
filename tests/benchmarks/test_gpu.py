"""``benchmarks/gpu.py`` rehearsed: all of it, the CPU in the place of the GPU."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from family_bundles import family_bundle

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "gpu.py"
FEW = ("--device", "cpu", "--sizes", "32", "--batches", "1,2", "--no-compile", "--skip", "bf16")


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return family_bundle("iizuka2016", tmp_path_factory).path


NVIDIA_SMI = """#!/bin/sh
case "$1" in
--query-gpu=*)
    echo "NVIDIA Pretended 1, 580.1, 81920, 1980, 1980, 700.00"
    echo "NVIDIA Pretended 2, 580.1, 40960, 1410, 1410, 400.00" ;;
esac
"""
"""A list of GPUs that are not there."""


def run(*arguments: object, path: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Run the script, with a folder in front of ``PATH``."""
    command = [sys.executable, str(SCRIPT), *map(str, arguments)]
    folders = os.environ["PATH"] if path is None else f"{path}{os.pathsep}{os.environ['PATH']}"
    environment = os.environ | {"PATH": folders}
    return subprocess.run(command, capture_output=True, text=True, check=False, env=environment)


def row(
    result: dict[str, Any], engine: str, size: int, batch: int, part: str = "rows"
) -> dict[str, Any]:
    key = engine, size, batch
    (found,) = (r for r in result[part] if (r["engine"], r["size"], r["batch"]) == key)
    return found


@pytest.fixture(scope="module")
def taken(model: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Any], str]:
    """What it wrote and what it printed."""
    folder = tmp_path_factory.mktemp("pretended")
    (folder / "nvidia-smi").write_text(NVIDIA_SMI)
    (folder / "nvidia-smi").chmod(0o755)
    path = tmp_path_factory.mktemp("result") / "gpu.json"
    done = run("--model", model, *FEW, "--budget", 120, "--json", path, path=folder)
    assert done.returncode == 0, done.stderr
    return json.loads(path.read_text()), done.stdout


def test_every_engine_has_a_row_at_every_size_with_values_or_a_reason(
    taken: tuple[dict[str, Any], str],
) -> None:
    rows = taken[0]["rows"]
    names = {r["engine"] for r in rows}
    assert not any("bf16" in name for name in names)
    assert len(rows) == 2 * len(names)
    assert all(("seconds" in r) != ("error" in r) for r in rows)
    for engine in ("torch fp32", "torch fp16 channels-last", "onnxruntime fp32"):
        for batch in (1, 2):
            found = row(taken[0], engine, 32, batch)
            assert len(found["seconds"]) >= 3
            assert found["p10"] <= found["median"] <= found["p90"]


def test_the_engines_compute_the_same_colours(taken: tuple[dict[str, Any], str]) -> None:
    assert row(taken[0], "torch fp32", 32, 1)["max_difference"] == 0
    assert row(taken[0], "onnxruntime fp32", 32, 1)["max_difference"] < 1e-2
    assert 0 < row(taken[0], "onnxruntime fp16", 32, 1)["max_difference"] < 2


def test_frames_go_the_whole_way_and_come_out_alike(taken: tuple[dict[str, Any], str]) -> None:
    rows = taken[0]["frames"]
    assert {(r["size"], r["batch"]) for r in rows} == {(32, 1)}
    own = "Colorizer onnxruntime fp32, frames in main memory"
    assert row(taken[0], own, 32, 1, "frames")["max_difference"] <= 1
    assert row(taken[0], "one graph fp32", 32, 1, "frames")["max_difference"] == 0
    half = row(taken[0], "one graph fp16 nhwc, unfused", 32, 1, "frames")
    assert len(half["seconds"]) >= 3
    assert half["max_difference"] <= 8
    assert all(("seconds" in r) != ("error" in r) for r in rows)


def test_goals_are_of_the_rows(taken: tuple[dict[str, Any], str]) -> None:
    result, printed = taken
    assert [(g["size"], g["batch"]) for g in result["goals"]] == [(32, 1), (32, 2)]
    for goal in result["goals"]:
        best = row(result, goal["engine"], goal["size"], goal["batch"])
        eager = row(result, "torch fp16 channels-last", goal["size"], goal["batch"])
        assert goal["times_torch"] == pytest.approx(eager["median"] / best["median"])
        assert f"best backend at 32 x{goal['batch']}, {goal['engine']}" in printed


def test_the_gpus_that_are_listed_are_kept(taken: tuple[dict[str, Any], str]) -> None:
    gpus = taken[0]["machine"]["gpus"]
    assert [gpu["name"] for gpu in gpus] == ["NVIDIA Pretended 1", "NVIDIA Pretended 2"]
    assert gpus[1]["memory.total"] == "40960"


def test_shares_are_of_the_floor_that_was_measured(taken: tuple[dict[str, Any], str]) -> None:
    result = taken[0]
    one, two = (row(result, "torch fp32", 32, batch) for batch in (1, 2))
    assert two["flops"] == 2 * one["flops"] > 0
    assert one["bytes"] < two["bytes"] < 2 * one["bytes"]  # the weights are read once
    peak = one["flops_per_second"] / result["floor"]["fp32"]["rate"]
    assert one["share_of_peak"] == pytest.approx(peak)
    assert one["share_of_floor"] == pytest.approx(max(peak, one["share_of_memory"]))
    half = row(result, "torch fp16 channels-last", 32, 1)
    assert half["bytes"] * 2 == one["bytes"]


def test_what_no_cpu_has_says_so(taken: tuple[dict[str, Any], str]) -> None:
    assert "no TF32" in row(taken[0], "onnxruntime tf32 nhwc", 32, 1)["error"]
    assert "no CUDA graph" in row(taken[0], "torch fp16 channels-last, CUDA graph", 32, 1)["error"]
    assert "was needed" in row(taken[0], "tensorrt-rtx fp16", 32, 1)["error"]
    device = row(taken[0], "Colorizer onnxruntime fp32, frames on the GPU", 32, 1, "frames")
    assert "no frames on a GPU" in device["error"]


def test_what_figures_depend_on_is_kept_and_copies_are_apart(
    taken: tuple[dict[str, Any], str],
) -> None:
    result, printed = taken
    assert {"torch", "onnxruntime", "commit", "gpus", "processor"} <= set(result["machine"])
    assert len(result["model_sha256"]) == 64
    copied = [(c["of"], c["size"], c["batch"]) for c in result["copies"]]
    network = "lightness and a*b*"
    assert copied == [(network, 32, 1), ("frames", 32, 1), (network, 32, 2)]
    assert printed.count("| 32 x2 ") == sum(
        "seconds" in r for r in result["rows"] if (r["size"], r["batch"]) == (32, 2)
    )


def test_a_spent_budget_leaves_a_whole_file(model: Path, tmp_path: Path) -> None:
    path = tmp_path / "gpu.json"
    done = run("--model", model, *FEW, "--budget", 0.1, "--json", path)
    assert done.returncode == 0, done.stderr
    result = json.loads(path.read_text())
    assert result["floor"]["fp32"]["rate"] > 0
    assert result["rows"] == result["frames"] == result["goals"] == []
    assert list(tmp_path.iterdir()) == [path]
