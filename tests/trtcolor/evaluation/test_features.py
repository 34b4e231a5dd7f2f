"""FID and LPIPS through an evaluation, by small networks of ONNX nodes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
from colour_folders import fill, no_chroma, picture
from onnx import TensorProto, helper

from trtcolor.colorizer import Colorizer
from trtcolor.errors import DataError
from trtcolor.evaluation.run import evaluate
from trtcolor.evaluation.table import table
from trtcolor.metrics.distributions import frechet_distance

MakeBundle = Callable[..., Path]


@pytest.fixture
def means(tmp_path: Path) -> Path:
    """A network whose features are the means of R, G and B."""
    return _network(tmp_path / "means.onnx")


def _network(path: Path) -> Path:
    value = helper.make_tensor_value_info
    graph = helper.make_graph(
        [
            helper.make_node("GlobalAveragePool", ["rgb"], ["pooled"]),
            helper.make_node("Flatten", ["pooled"], ["features"]),
        ],
        "means",
        [value("rgb", TensorProto.FLOAT, ["N", 3, "H", "W"])],
        [value("features", TensorProto.FLOAT, ["N", 3])],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    onnx.save(model, path)
    return path


def test_each_row_has_its_own(means: Path, make_bundle: MakeBundle, tmp_path: Path) -> None:
    models = [make_bundle(), make_bundle("none", weights=no_chroma())]
    found = evaluate(models, fill(tmp_path / "data", 5), fid=means, lpips=means)
    with Colorizer(models[0]) as colorizer:
        coloured = [colorizer.colorize(picture(index)) for index in range(5)]
    true, painted = (
        np.array([p.mean(axis=(0, 1), dtype=float) for p in pictures])
        for pictures in ([picture(index) for index in range(5)], coloured)
    )
    moments = [m for s in (true, painted) for m in (s.mean(axis=0), np.cov(s, rowvar=False))]
    bundle, grey = found.bundles[0], found.rows[1]
    figures = found.figures(bundle)
    assert figures["fid"].value == pytest.approx(frechet_distance(*moments), rel=1e-3)
    assert figures["fid"].pictures == 5
    lpips = ((true - painted) ** 2).sum(axis=1)
    assert bundle.values["lpips"] == pytest.approx(lpips, rel=1e-3)
    assert found.figures(found.bundles[1])["fid"].value == pytest.approx(
        found.figures(grey)["fid"].value, rel=1e-6
    )
    assert "fid" not in found.figures(found.rows[0])


def test_file_backend_and_sample_count_are_stated(
    means: Path, make_bundle: MakeBundle, tmp_path: Path
) -> None:
    found = evaluate([make_bundle()], fill(tmp_path / "data", 3), fid=means, lpips=means)
    fid, lpips = found.notes[-2:]
    assert fid.startswith("FID by means.onnx on onnxruntime ")
    assert "3 pictures against 3 originals" in fid
    assert lpips.startswith("LPIPS by means.onnx on onnxruntime ")
    assert "FID" in table(found)


def test_fid_of_one_picture_is_refused(
    means: Path, make_bundle: MakeBundle, tmp_path: Path
) -> None:
    with pytest.raises(DataError, match="FID of 1 true and 1 coloured"):
        evaluate([make_bundle()], fill(tmp_path / "data", 1), fid=means)


def test_a_missing_network_is_refused_before_the_pictures(
    make_bundle: MakeBundle, tmp_path: Path
) -> None:
    with pytest.raises(DataError, match="a network's weights were needed"):
        evaluate([make_bundle()], fill(tmp_path / "data", 1), lpips=tmp_path / "none.onnx")
