"""A whole benchmark of small bundles, each engine in a real process."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from trtcolor.bench import race, run
from trtcolor.bench.candidates import BACKENDS, KNOWN, TORCH, Candidate, wanted
from trtcolor.bench.report import BenchReport
from trtcolor.bench.run import bench, opened_model
from trtcolor.bench.settings import Settings
from trtcolor.bench.untrained import UNTRAINED
from trtcolor.errors import UnknownModelError

MakeBundle = Callable[..., Path]
ABACUS = Candidate("abacus", "fp32")


def silent(line: str) -> None:
    pass


@pytest.fixture
def taken(make_bundle: MakeBundle) -> tuple[BenchReport, list[str]]:
    """A report of two sizes with a backend that works and one that does not, and what it said."""
    lines: list[str] = []
    model = make_bundle(global_size=32)
    settings = Settings(runs=4, threads=1)
    sizes = [(20, 30), (32, 32)]
    return bench(model, sizes, (KNOWN[0], ABACUS), settings, say=lines.append), lines


def test_there_is_a_row_for_each_size_and_backend(taken: tuple[BenchReport, list[str]]) -> None:
    report, lines = taken
    assert [(row.size, row.candidate) for row in report.rows] == [
        ((20, 30), KNOWN[0]),
        ((20, 30), ABACUS),
        ((32, 32), KNOWN[0]),
        ((32, 32), ABACUS),
    ]
    assert report.sizes == ((20, 30), (32, 32))
    good, failed, shared, _ = report.rows
    assert [len(step.seconds) for step in good.steps.values()] == [4] * 4
    assert sum(good.turns) == 4
    assert (good.network, good.shared) == ((24, 32), False)
    assert (shared.network, shared.shared) == ((32, 32), True)
    assert good.load_seconds is not None
    assert good.first_seconds is not None
    assert good.peak_memory is not None
    assert good.flops is not None
    assert good.floor_rate is not None
    assert failed.error is not None
    assert "backend is 'abacus'" in failed.error
    assert failed.steps == {}
    assert sum("abacus" in line for line in lines) == 1  # the same reason is told once


def test_the_estimate_comes_first(taken: tuple[BenchReport, list[str]]) -> None:
    report, lines = taken
    assert lines[0].startswith("timing 2 sizes x 2 candidates: about ")
    assert report.estimate is not None
    assert report.estimate > 0


def test_what_is_needed_to_read_the_figures_is_kept(taken: tuple[BenchReport, list[str]]) -> None:
    report, _ = taken
    assert report.model == "tiny"
    assert len(report.model_sha256) == 64
    assert report.remark == ""
    assert report.picture == "astronaut.png of scikit-image"
    assert report.settings["runs"] == 4
    assert report.settings["threads"] == 1
    assert report.machine["numpy"] == np.__version__
    assert {"gpus", "clocks_mhz", "commit", "torch", "memory"} <= set(report.machine)
    assert set(report.floor) == {"sgemm"}
    assert BenchReport.from_json(report.to_json(), source="x") == report


def test_the_whole_floor_is_measured_where_asked(make_bundle: MakeBundle) -> None:
    settings = Settings(runs=1, threads=1, floor=True)
    report = bench(make_bundle(), [(8, 8)], KNOWN[:1], settings, say=silent)
    assert set(report.floor) == {"sgemm", "int8", "copy"}
    assert all(rate.rate > 0 for rate in report.floor.values())


def test_a_size_over_the_memory_says_how_much_it_needs(
    make_bundle: MakeBundle, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run, "available_memory", lambda: 2**30)
    sizes = [(8, 8), (16384, 16384)]
    with pytest.raises(ValueError, match=r"16384x16384 would need about \d+\.\d GB .* 1\.1 GB are"):
        bench(make_bundle(), sizes, KNOWN[:1], Settings(), say=silent)


def test_where_the_memory_holds_few_they_go_one_after_another(
    make_bundle: MakeBundle, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(race, "available_memory", lambda: 150 * 2**20)
    lines: list[str] = []
    settings = Settings(runs=3, threads=1)
    report = bench(make_bundle(), [(8, 8)], (ABACUS, KNOWN[0]), settings, say=lines.append)
    assert "8x8: 1 at a time, as the memory holds no more" in lines
    assert [bool(row.steps) for row in report.rows] == [False, True]


def test_nothing_to_do_is_refused(make_bundle: MakeBundle) -> None:
    with pytest.raises(ValueError, match="0 sizes"):
        bench(make_bundle(), [], KNOWN[:1], Settings(), say=silent)
    with pytest.raises(ValueError, match="0 candidates"):
        bench("tiny", [(8, 8)], (), Settings(), say=silent)


@pytest.mark.parametrize("entries", [{"runs": 0}, {"batch": 0}, {"budget": 0.0}, {"warmup": -1}])
def test_impossible_settings_are_refused(entries: dict[str, int]) -> None:
    with pytest.raises(ValueError, match=r"needed"):
        Settings(**entries)  # type: ignore[arg-type]


def test_an_unknown_model_fails_as_a_whole() -> None:
    with pytest.raises(UnknownModelError):
        bench("no such model", [(8, 8)], KNOWN[:1], Settings(), say=silent)


def test_iizuka2016_is_made_where_it_is_not_installed_and_removed_again(
    make_bundle: MakeBundle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRTCOLOR_MODELS", str(tmp_path))
    with opened_model("iizuka2016") as bundle:
        assert bundle.spec.version == UNTRAINED
        folder = bundle.path
    assert not folder.exists()
    make_bundle("iizuka2016")
    with opened_model("iizuka2016") as bundle:
        assert bundle.path == tmp_path / "iizuka2016"


def test_a_form_of_torch_that_cannot_be_made_is_a_row_that_says_why(
    make_bundle: MakeBundle,
) -> None:
    settings = Settings(runs=1, threads=1)
    (row,) = bench(make_bundle(), [(8, 8)], TORCH[:1], settings, say=silent).rows
    assert row.error is not None
    assert "PyTorch" in row.error  # not installed, or no network of the family "tiny"


def test_candidates_are_those_asked_for() -> None:
    assert wanted((), (), torch=False) == KNOWN
    assert wanted((), (), torch=True) == (*KNOWN, *TORCH)
    assert wanted(("openvino",), (), torch=False) == KNOWN[2:4]
    assert wanted(("openvino", "onnxruntime"), ("fp32",), torch=False) == (KNOWN[2], KNOWN[0])
    assert {c.precision for c in wanted((), ("bf16",), torch=False)} == {"bf16"}
    assert {c.backend for c in wanted((), ("bf16",), torch=False)} == {*BACKENDS}
