"""What is printed: the paper's form, failures in their rows, a warning where it is due."""

from __future__ import annotations

import csv
import io

from benched import report, row

from trtcolor.bench import table
from trtcolor.bench.candidates import TORCH, Candidate
from trtcolor.bench.report import BenchRow, FloorRate
from trtcolor.measure import Measurement

INT8 = Candidate("onnxruntime", "int8")
GPU = Candidate("tensorrt-rtx", "fp16")
STEADY = (0.1,) * 10


def line(text: str, start: str) -> list[str]:
    """Cells of the first line that starts so."""
    return next(found for found in text.splitlines() if found.startswith(start)).split()


def test_a_row_has_its_time_and_speed_up_beside_the_paper_s() -> None:
    shown = table.text(report(row(STEADY, shared=True), row((0.04,) * 10, candidate=INT8)))
    assert line(shown, "224x224† onnxruntime fp32")[3:] == [
        *("50,176", "0.100", "-", "1.00x", "0.120"),
        *("0.399", "0.080", "5.0x"),
    ]
    assert line(shown, "224x224 onnxruntime int8")[3:7] == ["50,176", "0.040", "-", "2.50x"]
    assert "† low-level features are computed once" in shown


def test_what_runs_on_a_gpu_stands_in_the_gpu_column() -> None:
    shown = table.text(report(row(STEADY), row((0.01,) * 10, candidate=GPU, device="cuda:0")))
    assert line(shown, "224x224 tensorrt-rtx fp16")[3:7] == ["50,176", "-", "0.010", "10.00x"]


def test_the_paper_s_columns_are_empty_for_what_it_did_not_measure() -> None:
    for made in (
        report(row(STEADY, size=(480, 640))),
        report(row(STEADY), family="olah2022-cnn"),
        report(row(STEADY, batch=2)),
    ):
        assert table.paper_cells(made, made.rows[0]) == ("-", "-", "-")
        assert "Titan" not in table.text(made).title()


def test_a_backend_that_failed_says_why_in_its_row() -> None:
    failed = BenchRow(INT8, (224, 224), error="no such precision; run this")
    made = report(row(STEADY), failed)
    wanted = "224x224 onnxruntime int8  failed: no such precision; run this"
    assert wanted in table.text(made).splitlines()
    assert "| failed: no such precision; run this |" in table.markdown(made)
    assert "no such precision; run this" in table.as_csv(made)


def test_untrained_weights_are_said_to_be() -> None:
    made = report(row(STEADY), remark="untrained weights: timing only")
    for shown in (table.text(made), table.markdown(made), table.as_csv(made)):
        assert "untrained weights: timing only" in shown


def test_a_busy_machine_is_warned_of() -> None:
    shown = table.text(report(row((0.1, 0.4) * 5)))
    assert "warning: the timings of 224x224 onnxruntime fp32 spread widely" in shown
    assert "warning" not in table.text(report(row(STEADY)))


def test_the_share_of_the_floor_is_of_the_product_that_took_turns() -> None:
    # 2 GFLOP in 0.1 s beside 1 GFLOP in 0.04 s: 20 of 25 GFLOP/s
    made = row(STEADY, flops=2 * 10**9, floor=(0.04,))
    assert table.share_of_floor(made) == 0.8
    assert line(table.text(report(made)).partition("What it needs")[2], "224x224")[-1] == "80%"
    assert table.share_of_floor(row(STEADY, flops=10**9, device="cuda:0")) is None


def test_an_int8_row_is_held_to_the_int8_product_where_that_was_measured() -> None:
    floor = {kind: FloorRate(kind, 1e9, Measurement("x", (0.01,))) for kind in ("sgemm", "int8")}
    rows = row(STEADY, flops=10**9), row((0.02,) * 9, candidate=INT8, flops=10**9)
    shown = table.text(report(*rows, floor=floor)).partition("What it needs")[2]
    assert line(shown, "size, backend")[-2:] == ["of", "int8"]
    assert line(shown, "224x224 onnxruntime fp32")[-1] == "-"
    assert line(shown, "224x224 onnxruntime int8")[-1] == "50%"
    assert "of int8" not in table.text(report(*rows))


def test_fewer_runs_than_asked_for_are_told() -> None:
    made = report(row(STEADY), row((1.0,) * 4, size=(512, 512)))
    assert "runs instead of 10, to keep to the budget of 9 min 0 s: 512x512: 4" in table.text(made)
    assert "runs instead" not in table.text(report(row(STEADY)))


def test_the_csv_has_a_line_a_row_and_each_statistic() -> None:
    made = report(row((0.1, 0.2, 0.3)), row(STEADY, candidate=TORCH[0], size=(480, 640)))
    first, second = csv.DictReader(io.StringIO(table.as_csv(made)))
    assert float(first["predict_median"]) == 0.2
    assert first["runs"] == "3"
    assert (second["width"], second["height"], second["form"]) == ("640", "480", "eager")


def test_markdown_has_as_many_cells_in_each_row_as_in_its_head() -> None:
    shown = table.markdown(report(row(STEADY), row(STEADY, size=(512, 512))))
    block = shown.split("\n\n")[2].splitlines()
    assert len({found.count("|") for found in block}) == 1
    assert len(block) == 4


def test_a_speed_up_is_over_the_same_size_on_the_cpu() -> None:
    made = report(
        row((0.2,), size=(512, 512)),
        row((0.1,), candidate=TORCH[0]),
        row((0.1,), candidate=INT8),
    )
    assert table.reference(made, made.rows[2]) is None
    assert table.reference(made, made.rows[0]) is made.rows[0]
