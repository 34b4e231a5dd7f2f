"""The bundled model as one graph gives the colours that the Colorizer gives."""

from __future__ import annotations

import numpy as np
import onnx
import onnxruntime
import pytest

from trtcolor.bundle import open_bundle
from trtcolor.colorizer import Colorizer
from trtcolor.demo import photographs
from trtcolor.end_to_end.graph import end_to_end_graph, features_graph
from trtcolor.images import read_picture


def test_photographs_come_out_as_from_the_colorizer() -> None:
    model = end_to_end_graph(open_bundle("default"))
    onnx.checker.check_model(model, full_check=True)
    session = onnxruntime.InferenceSession(model.SerializeToString())
    with Colorizer("default") as colorizer:
        for file in photographs():
            picture = read_picture(file).rgb8
            (coloured,) = session.run(None, {"frames": picture[None]})
            distance = np.abs(coloured[0].astype(int) - colorizer.colorize(picture))
            assert distance.max() <= 1


@pytest.mark.parametrize("size", [(1, 1), (97, 300)])
def test_global_features_are_those_of_the_colorizer(size: tuple[int, int]) -> None:
    model = features_graph(open_bundle("default"))
    session = onnxruntime.InferenceSession(model.SerializeToString())
    picture = np.random.default_rng(0).integers(0, 256, (*size, 3), np.uint8)
    (features,) = session.run(None, {"frames": picture[None]})
    with Colorizer("default") as colorizer:
        expected = colorizer.global_features(picture)
    np.testing.assert_allclose(features[0], expected, atol=1e-4)
