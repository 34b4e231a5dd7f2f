"""How arithmetic is shared out among layers."""

from __future__ import annotations

import pytest

from trtcolor.bundle import Bundle
from trtcolor.precision.parts import layers
from trtcolor.precision.plain import plain_graph
from trtcolor.precision.rewrites import rewritten
from trtcolor.precision.work import shares


def test_the_parts_of_all_layers_add_up_to_one(classifier: Bundle) -> None:
    plain = plain_graph(classifier, "local")
    work = shares(plain, classifier.spec)
    assert list(work) == [node.name for node in layers(plain)]
    assert sum(work.values()) == pytest.approx(1)


def test_a_layer_of_twice_the_inputs_at_the_same_size_does_twice_the_work(
    classifier: Bundle,
) -> None:
    work = shares(plain_graph(classifier, "local"), classifier.spec)
    # 12 and 16 channels at a quarter and at an eighth of the size: 8 x 12 and 12 x 16 products.
    narrow, wide = work["network.encoder.1.0.layer"], work["network.encoder.2.0.layer"]
    assert narrow / wide == pytest.approx(4 * 8 * 12 / (12 * 16))


def test_a_rewritten_graph_can_be_counted(classifier: Bundle) -> None:
    work = shares(rewritten(plain_graph(classifier, "local"), "cpu", "int8"), classifier.spec)
    assert all(share > 0 for share in work.values())
