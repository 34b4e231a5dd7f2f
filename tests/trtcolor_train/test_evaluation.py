"""An exported network evaluates as its training validated it, on the same pictures at one size."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from trainings import log_of, write_narrow_config

from trtcolor.evaluation.result import Settings
from trtcolor.evaluation.run import evaluate
from trtcolor_train.config import read_config
from trtcolor_train.export import export
from trtcolor_train.loop import train

BINS = {"color": "cross_entropy", "alpha": 0}


@pytest.mark.parametrize(
    ("family", "loss", "entropy"),
    [
        ("olah2022-cnn", BINS, "cross_entropy"),
        ("olah2022-unet", BINS | {"rebalance": True}, "weighted_cross_entropy"),
        ("hwang2016-classification", BINS, "cross_entropy"),
        ("lee2016", {}, None),
    ],
)
def test_evaluation_and_validation_agree(
    family: str, loss: dict[str, Any], entropy: str | None, shards: Path, tmp_path: Path
) -> None:
    path = write_narrow_config(tmp_path, family, loss=loss, training={"validation_pictures": 9})
    checkpoint = train(read_config(path), tmp_path / "run", data_root=shards)
    bundle, _ = export(checkpoint, tmp_path / "bundle", precision="float32")
    validation = log_of(tmp_path / "run")[-1]["validation"]
    found = evaluate([bundle], shards / "val-*.tar.gz", Settings(size=32))
    (row,) = found.bundles
    figures = {name: figure.value for name, figure in found.figures(row).items()}
    grey = found.figures(found.rows[1])
    assert figures["ciede2000"] == pytest.approx(validation["ciede2000"], rel=0.02)
    assert grey["ciede2000"].value == pytest.approx(validation["ciede2000_grey"], rel=0.02)
    assert figures["colourfulness"] == pytest.approx(validation["colourfulness"], rel=0.02)
    if entropy is None:
        assert figures["top1"] == validation["top1"]
    else:
        assert figures[entropy] == pytest.approx(validation["loss"], rel=1e-3)
    assert [other.kind for other in found.rows] == ["originals", "grey", "mean colour", "bundle"]
