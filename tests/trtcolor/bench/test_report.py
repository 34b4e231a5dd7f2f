"""Reports come back from JSON as they were, and nothing else passes for one."""

from __future__ import annotations

import json

import pytest
from benched import ORT, report, row

from trtcolor.bench.candidates import Candidate
from trtcolor.bench.report import BenchReport, BenchRow
from trtcolor.errors import DataError

ROWS = (
    row((0.1, 0.2), turns=(2,), flops=17_000_000_000, shared=True, peak_memory=2**20),
    BenchRow(Candidate("openvino", "int8"), (480, 640), error="not installed"),
)


def test_a_report_comes_back_as_it_was() -> None:
    written = report(*ROWS)
    assert BenchReport.from_json(written.to_json(), source="x") == written


def test_the_json_keeps_every_value_and_the_statistics() -> None:
    entries = json.loads(report(*ROWS).to_json())
    (network,) = (s for s in entries["rows"][0]["steps"] if s["name"] == "predict")
    assert network["seconds"] == [0.1, 0.2]
    assert {"median", "p10", "p90", "p99", "minimum", "mean"} <= set(network)
    assert entries["rows"][1]["error"] == "not installed"
    assert entries["rows"][1]["steps"] == []


@pytest.mark.parametrize("version", [None, 0, 1, 3, "2"])
def test_another_version_is_refused_and_named(version: object) -> None:
    entries = json.loads(report(*ROWS).to_json()) | {"format_version": version}
    with pytest.raises(DataError, match=rf"format version {version!r}; this trtcolor reads"):
        BenchReport.from_json(json.dumps(entries), source="a.json")


@pytest.mark.parametrize("text", ["", "{", "[]", "3", "null", '"2"'])
def test_what_is_no_report_is_refused(text: str) -> None:
    with pytest.raises(DataError, match=r"a\.json"):
        BenchReport.from_json(text, source="a.json")


@pytest.mark.parametrize("missing", ["rows", "model", "floor", "machine"])
def test_a_report_that_lacks_an_entry_is_refused(missing: str) -> None:
    entries = json.loads(report(*ROWS).to_json())
    del entries[missing]
    with pytest.raises(DataError, match="does not fit the format"):
        BenchReport.from_json(json.dumps(entries), source="a.json")


def test_rates_are_work_over_the_median() -> None:
    timed = row((1.0, 2.0, 9.0), flops=10**9, floor=(0.1, 0.2, 0.3))
    assert timed.rate == 10**9 / 2
    assert timed.floor_rate == 10**9 / 0.2
    assert row((1.0,)).rate is None
    assert BenchRow(ORT, (1, 1), error="x").rate is None
