"""Exactly the paper's form, from the exact CPU backend and the fastest GPU backend."""

from __future__ import annotations

from benched import report, row

from trtcolor.bench.candidates import TORCH, Candidate
from trtcolor.bench.report import BenchRow
from trtcolor.bench.table3 import table3

OTHER = Candidate("openvino", "fp32")
INT8 = Candidate("onnxruntime", "int8")
GPU = Candidate("tensorrt", "fp16")


def cells(text: str, start: str) -> list[str]:
    return next(line for line in text.splitlines() if line.startswith(start)).split()


def test_means_stand_in_the_paper_s_columns_and_the_median_beside() -> None:
    made = report(
        row((0.1, 0.1, 0.4), shared=True),
        row((0.01, 0.02, 0.03), candidate=GPU, device="cuda:0", shared=True),
    )
    shown = table3(made)
    heads = "Image Size", "Pixels", "CPU (s)", "GPU (s)", "Speedup", "median CPU"
    assert shown.startswith("  ".join(heads))
    assert cells(shown, "224x224†")[1:] == [
        *("50,176", "0.200", "0.020", "10.0x", "0.100", "0.020", "3", "/", "3"),
        *("0.399", "0.080", "5.0x"),
    ]


def test_the_fastest_exact_backend_is_taken_and_named() -> None:
    made = report(
        row((0.3,)),
        row((0.2,), candidate=OTHER),
        row((0.1,), candidate=INT8),
        row((0.1,), candidate=TORCH[2]),
    )
    shown = table3(made)
    assert cells(shown, "224x224")[2] == "0.200"
    assert "224x224 CPU: openvino fp32" in shown


def test_without_a_gpu_its_columns_are_empty_and_the_reason_is_told() -> None:
    failed = BenchRow(GPU, (224, 224), error="no driver")
    shown = table3(report(row((0.2,)), failed))
    assert cells(shown, "224x224")[3:5] == ["-", "-"]
    assert "tensorrt fp16: no driver" in shown


def test_fewer_runs_than_the_paper_s_are_said() -> None:
    settings = report().settings | {"runs": 100}
    shown = table3(report(row((0.2,) * 34), settings=settings))
    assert "runs instead of 100" in shown
    assert cells(shown, "224x224")[7] == "34"


def test_it_is_written_as_markdown_too() -> None:
    shown = table3(report(row((0.2,))), as_markdown=True)
    assert shown.startswith("| Image Size | Pixels | CPU (s) | GPU (s) | Speedup |")
