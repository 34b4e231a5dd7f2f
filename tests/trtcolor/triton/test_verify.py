"""Graphs that do not colour as the Colorizer does are not exported."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from trtcolor.bundle import open_bundle
from trtcolor.end_to_end.graph import end_to_end_graph
from trtcolor.errors import ExportError
from trtcolor.triton import verify
from trtcolor.triton.repository import export_triton
from trtcolor.triton.verify import check_colors

MakeBundle = Callable[..., Path]
SETTINGS: dict[str, Any] = {"render": "auto", "gamut": "reduce", "saturation": 1.0, "channels": 3}


def test_the_right_graph_passes(make_bundle: MakeBundle) -> None:
    bundle = open_bundle(make_bundle())
    check_colors(bundle, [end_to_end_graph(bundle)], **SETTINGS)


def test_a_graph_of_other_colours_is_refused(make_bundle: MakeBundle) -> None:
    bundle = open_bundle(make_bundle())
    with pytest.raises(ExportError, match=r"differ from the Colorizer by up to \d+ of 255"):
        check_colors(bundle, [end_to_end_graph(bundle, saturation=2.0)], **SETTINGS)


@pytest.mark.parametrize(
    ("differences", "allowed"),
    [
        ([2] + [1] * 9_999, True),
        ([2, 2] + [0] * 9_998, False),
        ([3] + [0] * 99_999, False),
        ([1] * 10_000, True),
    ],
    ids=["one of 2", "two of 2", "one of 3", "all of 1"],
)
def test_the_limit_is_two_and_one_in_ten_thousand_beyond_one(
    differences: list[int], allowed: bool
) -> None:
    array = np.array(differences, np.int16)
    if allowed:
        verify._judge(array)
    else:
        with pytest.raises(ExportError):
            verify._judge(array)


def test_nothing_is_written_then(
    make_bundle: MakeBundle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = end_to_end_graph(open_bundle(make_bundle("other", seed=1)))
    monkeypatch.setattr("trtcolor.end_to_end.graph.end_to_end_graph", lambda *a, **k: other)
    with pytest.raises(ExportError):
        export_triton(make_bundle(), tmp_path / "repository")
    assert not (tmp_path / "repository").exists()
