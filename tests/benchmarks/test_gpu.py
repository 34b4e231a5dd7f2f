"""``benchmarks/gpu.py`` rehearsed: all of it, the CPU in the place of the GPU."""

from __future__ import annotations

import json
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
    return family_bundle("iizuka2016", tmp_path_factory.mktemp("narrow")).path


def run(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(SCRIPT), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def row(result: dict[str, Any], engine: str, size: int, batch: int) -> dict[str, Any]:
    key = engine, size, batch
    (found,) = (r for r in result["rows"] if (r["engine"], r["size"], r["batch"]) == key)
    return found


@pytest.fixture(scope="module")
def taken(model: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Any], str]:
    """What it wrote and what it printed."""
    path = tmp_path_factory.mktemp("result") / "gpu.json"
    done = run("--model", model, *FEW, "--budget", 120, "--json", path)
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


def test_what_figures_depend_on_is_kept_and_copies_are_apart(
    taken: tuple[dict[str, Any], str],
) -> None:
    result, printed = taken
    assert {"torch", "onnxruntime", "commit", "gpus", "processor"} <= set(result["machine"])
    assert len(result["model_sha256"]) == 64
    assert [(c["size"], c["batch"]) for c in result["copies"]] == [(32, 1), (32, 2)]
    assert printed.count("| 32 x2 ") == sum(
        "seconds" in r for r in result["rows"] if (r["size"], r["batch"]) == (32, 2)
    )


def test_a_spent_budget_leaves_a_whole_file(model: Path, tmp_path: Path) -> None:
    path = tmp_path / "gpu.json"
    done = run("--model", model, *FEW, "--budget", 0.1, "--json", path)
    assert done.returncode == 0, done.stderr
    result = json.loads(path.read_text())
    assert result["floor"]["fp32"]["rate"] > 0
    assert result["rows"] == []
    assert list(tmp_path.iterdir()) == [path]
