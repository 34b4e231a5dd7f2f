"""The mean colour of the training sets: what any network must beat, without looking at a picture.

Recorded in the checkpoint and exported with it (``training.data.mean_chroma`` in ``model.json``);
for bundles of earlier trainings it is computed from the training pictures if these are given.
"""

from __future__ import annotations

import math
import os
from collections.abc import Mapping, Sequence
from typing import Any

from trtcolor import dataset
from trtcolor.evaluation.systems import OneColour, training_data
from trtcolor.spec import ModelSpec


def mean_colours(
    specs: Sequence[tuple[str, ModelSpec]],
    pictures: str | os.PathLike[str] | None,
    threads: int,
) -> tuple[list[OneColour], list[str]]:
    """A system for each distinct training set.

    Args:
        specs: each bundle's name and spec.
        pictures: training data of the bundles that do not say their mean colour, as
            `trtcolor.dataset.open_pictures` takes it; None: they have none.
        threads: how many decode these at once.

    Returns:
        The systems, and in words which training sets several are of and why any is missing.

    Raises:
        DataError: the training data have no colour picture.
    """
    sets: dict[Any, tuple[str, tuple[float, float]]] = {}
    lacking: list[tuple[str, ModelSpec]] = []
    for name, spec in specs:
        data = training_data(spec)
        mean = _mean(data)
        if mean is None:
            lacking.append((name, spec))
        else:
            sets.setdefault(data.get("fingerprint") or mean, (set_name(data), mean))
    notes = []
    if lacking and pictures is not None:
        side = max(spec.size.training_size for _, spec in lacking)
        kept, _ = dataset.drop_colourless(
            dataset.open_pictures(pictures), side=side, threads=threads
        )
        assert kept.mean_chroma is not None
        name = set_name(training_data(lacking[0][1])) or os.path.basename(os.fspath(pictures))
        sets.setdefault(kept.fingerprint, (name, kept.mean_chroma))
    elif lacking:
        names = ", ".join(name for name, _ in lacking)
        notes.append(
            f"mean colour of the training set left out for {names}: not recorded when it was "
            "trained; give its training pictures with --training-data"
        )
    if len(sets) == 1:
        ((_, mean),) = sets.values()
        return [OneColour("mean colour", "mean colour", mean)], notes
    # By numbers: what sets are called is long, and the same pictures at two sizes are two sets.
    means = []
    for number, (name, mean) in enumerate(sets.values(), 1):
        means.append(OneColour(f"mean colour {number}", "mean colour", mean))
        notes.append(f"mean colour {number}: of {name or 'training data without a description'}")
    return means, notes


def set_name(data: Mapping[str, Any]) -> str:
    """What a spec calls its training data, or where they came from; empty: it says neither."""
    return str(data.get("description") or data.get("source") or "")


def _mean(data: Mapping[str, Any]) -> tuple[float, float] | None:
    match data.get("mean_chroma"):
        case [int() | float() as a, int() | float() as b] if math.hypot(a, b) < 200:
            return float(a), float(b)
    return None
