"""The scenes of a picture: a classifier's scores as its most probable classes (004, 3.3)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from trtcolor.errors import NoGlobalFeaturesError
from trtcolor.spec import ModelSpec


def check_classifies(spec: ModelSpec, top: int) -> None:
    """Refuse a model that knows no scenes, and a number of them that is none.

    Raises:
        NoGlobalFeaturesError: the model has no classifier.
        ValueError: ``top`` is no positive integer.
    """
    if isinstance(top, bool) or not isinstance(top, int) or top < 1:
        raise ValueError(f"top is {top!r}; a positive integer was needed; pass 1 or more")
    graph = spec.graphs.get("global")
    if graph is None or "class_logits" not in graph.outputs or not spec.classes:
        raise NoGlobalFeaturesError(
            f"model {spec.name!r} has no scene classifier; a model with one was needed; "
            "choose another model"
        )


def ranked(spec: ModelSpec, logits: NDArray[np.float32], top: int) -> list[tuple[str, float]]:
    """The `top` most probable classes of (C,) scores: name and softmax probability in 0..1."""
    scores = logits.astype(np.float64)
    odds = np.exp(scores - scores.max())
    probabilities = odds / odds.sum()
    best = np.argsort(-probabilities, kind="stable")[:top]
    return [(spec.classes[i], float(probabilities[i])) for i in best]
