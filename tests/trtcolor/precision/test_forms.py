"""All graphs of a bundle at a precision."""

from __future__ import annotations

import subprocess
import sys

import pytest

from trtcolor.bundle import Bundle
from trtcolor.errors import PrecisionError
from trtcolor.precision.forms import graphs_at
from trtcolor.precision.gate import Limits
from trtcolor.precision.pictures import Pictures


@pytest.mark.parametrize("precision", ["fp32", "fp16", "bf16"])
def test_every_graph_comes_out_and_passes(
    precision: str, classifier: Bundle, few: Pictures
) -> None:
    said: list[str] = []
    made = graphs_at(classifier, precision, form="tensorrt", pictures=few, say=said.append)
    assert set(made.graphs) == {"local", "global", "joint"}
    assert made.gate.passed
    assert made.emulated == made.gate.emulated == (precision != "fp32")
    assert made.calibration is None
    assert str(made.gate) in said


@pytest.mark.parametrize("form", ["tensorrt", "cpu"])
def test_int8_names_its_pictures_and_what_stays_float32(
    form: str, classifier: Bundle, few: Pictures
) -> None:
    made = graphs_at(classifier, "int8", form=form, pictures=few, accept_error=True)
    assert set(made.graphs) == {"local", "global", "joint"}
    assert made.calibration == few.calibration_sha256
    kept = {"network.output"} if form == "cpu" else set()
    assert kept <= set(made.float_nodes) <= set(made.costs) | kept
    assert not made.emulated


def test_over_the_limit_is_refused_with_the_figures_unless_accepted(
    regression: Bundle, few: Pictures
) -> None:
    tight = Limits(1e-9, 1e-9)
    with pytest.raises(PrecisionError, match=r"mean 0\.\d+, worst picture .*--accept-error"):
        graphs_at(regression, "bf16", form="tensorrt", pictures=few, limits=tight)
    made = graphs_at(
        regression, "bf16", form="tensorrt", pictures=few, limits=tight, accept_error=True
    )
    assert not made.gate.passed
    assert made.gate.accepted


def test_another_precision_is_a_value_error(regression: Bundle) -> None:
    with pytest.raises(ValueError, match="fp64"):
        graphs_at(regression, "fp64", form="tensorrt")  # type: ignore[arg-type]


def test_without_onnx_one_sentence_says_what_to_install() -> None:
    program = """
import sys
sys.modules["onnx"] = None
from trtcolor.bundle import open_bundle
from trtcolor.errors import PrecisionError
from trtcolor.precision.forms import graphs_at
try:
    graphs_at(open_bundle(), "fp16", form="tensorrt")
except PrecisionError as error:
    print(error)
"""
    done = subprocess.run(
        [sys.executable, "-P", "-c", program], capture_output=True, text=True, check=True
    )
    assert "onnx was needed" in done.stdout
    assert 'pip install "trtcolor[engines]"' in done.stdout
