"""The drawing: a PNG with the lines that there are figures for."""

from __future__ import annotations

import io
import sys

import pytest
from benched import report, row
from PIL import Image

from trtcolor.bench.plot import plot
from trtcolor.errors import BackendError

ROWS = (
    row((0.1, 0.12), flops=17 * 10**9),
    row((0.4, 0.41), size=(512, 512), flops=87 * 10**9),
)


def test_it_is_a_png_in_which_something_is_drawn() -> None:
    pytest.importorskip("matplotlib")
    picture = Image.open(io.BytesIO(plot(report(*ROWS, remark="untrained"))))
    assert picture.format == "PNG"
    assert picture.width > 600
    assert len(picture.convert("RGB").getcolors(10**6) or []) > 20


def test_the_paper_s_lines_are_drawn_beside_its_own_network_only() -> None:
    pytest.importorskip("matplotlib")
    assert plot(report(*ROWS)) != plot(report(*ROWS, family="other"))


def test_without_matplotlib_it_is_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(BackendError, match=r'pip install "trtcolor\[bench\]"'):
        plot(report(*ROWS))
