"""What is measured: pictures left grey, the mean colour of a training set, a bundle's network.

Each is a `System`: it colours an original's lightness and says what it found.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np

from trtcolor import color
from trtcolor.colorizer import Colorizer, Prepared
from trtcolor.evaluation.bins import bin_scorer
from trtcolor.evaluation.picture import Original, Picture, measure
from trtcolor.metrics.gamut import share_outside_gamut
from trtcolor.predictor import Prediction
from trtcolor.spec import ModelSpec

Kind = Literal["originals", "grey", "mean colour", "bundle"]
Values = dict[str, float | None]


class System:
    """A row of the table; base of those below.

    Attributes:
        name: of the row.
        kind: of the system.
        spec: of the model; None where there is none.
        left_out: what is not measured of it, and why.
    """

    name: str
    kind: Kind
    spec: ModelSpec | None = None
    left_out: Sequence[str] = ()

    def run(self, original: Original, label: int | None) -> tuple[Values, Picture]:
        """Colour a picture.

        Args:
            original: whose lightness is coloured.
            label: the data's index of its scene, if known.

        Returns:
            Values by the names of `trtcolor.evaluation.figures.MEASURES` (and ``rank``, the place
            from 1 of the true scene), and the coloured picture.
        """
        raise NotImplementedError


class Originals(System):
    """The originals themselves, of which only colourfulness says anything."""

    name = "originals"
    kind: Kind = "originals"

    def run(self, original: Original, label: int | None) -> tuple[Values, Picture]:
        return {"colourfulness": original.colourfulness}, original.rgb


class OneColour(System):
    """The same a*b* under every pixel's lightness: left grey, or a training set's mean.

    Args:
        name, kind: of the row.
        chroma: a* and b* in real units.
    """

    def __init__(self, name: str, kind: Kind, chroma: Sequence[float]) -> None:
        self.name, self.kind = name, kind
        self.chroma = np.array(chroma, np.float32).reshape(2, 1, 1)

    def run(self, original: Original, label: int | None) -> tuple[Values, Picture]:
        picture = color.merge_lab(original.lightness, self.chroma, scale=None, threads=1)
        values = measure(picture, original)
        values["out_of_gamut"] = share_outside_gamut(original.lightness, self.chroma, scale=None)
        return values, picture


class Network(System):
    """A bundle's network as the Colorizer runs it, once a picture.

    Args:
        name: of the row.
        colorizer: open; it stays its owner's.
        saturation: factor on a* and b*.
        scenes: the model's index of each of the data's labels, or why there is none.
    """

    kind: Kind = "bundle"
    spec: ModelSpec

    def __init__(
        self,
        name: str,
        colorizer: Colorizer,
        saturation: float,
        scenes: Sequence[int] | str,
    ) -> None:
        self.name, self.spec = name, colorizer.spec
        self._colorizer, self._saturation = colorizer, saturation
        self._scorer, self._scenes = bin_scorer(colorizer.spec), scenes
        self.left_out = [
            f"{what} left out: {reason}"
            for what, reason in (("scene accuracy", scenes), ("bin measures", self._scorer))
            if isinstance(reason, str)
        ]

    def run(self, original: Original, label: int | None) -> tuple[Values, Picture]:
        prepared = self._colorizer.prepare(original.rgb)
        found = self._colorizer.predict_all(prepared)
        picture = self._colorizer.merge(prepared, found.chroma, saturation=self._saturation)
        values = measure(picture, original)
        values["out_of_gamut"] = share_outside_gamut(
            prepared.frame.lightness,
            found.chroma * np.float32(self._saturation),
            scale=prepared.plan.merge_scale,
        )
        return values | self._scores(prepared, found, original, label), picture

    def _scores(
        self, prepared: Prepared, found: Prediction, original: Original, label: int | None
    ) -> Values:
        values: Values = {}
        if found.bin_logits is not None and not isinstance(self._scorer, str):
            scores = self._scorer(found.bin_logits, original, prepared.plan)
            values["cross_entropy"] = scores.cross_entropy
            if scores.weighted_cross_entropy is not None:
                values["weighted_cross_entropy"] = scores.weighted_cross_entropy
            values["bin_accuracy"] = scores.accuracy
        if found.class_logits is not None and not isinstance(self._scenes, str):
            values["rank"] = None
            if label is not None:
                order = np.argsort(-found.class_logits, kind="stable")
                values["rank"] = float(np.flatnonzero(order == self._scenes[label])[0]) + 1
        return values


def row_names(
    models: Sequence[str | os.PathLike[str]], colorizers: Sequence[Colorizer]
) -> list[str]:
    """A name for each model's row: its own, with its folder where another has the same."""
    names = [colorizer.spec.name for colorizer in colorizers]
    found: list[str] = []
    for model, name in zip(models, names, strict=True):
        if names.count(name) > 1:
            name = f"{name} ({os.path.basename(os.path.normpath(os.fspath(model)))})"
        while name in found:
            name += "'"
        found.append(name)
    return found


def scenes_of(spec: ModelSpec, classes: Sequence[str], labelled: bool) -> Sequence[int] | str:
    """How the data's labels are named by the model.

    Args:
        spec: the model's.
        classes: the data's class names by label.
        labelled: whether any picture has a label.

    Returns:
        The model's index of each label, or in words why its scenes cannot be held against them.
    """
    if not any("class_logits" in graph.outputs for graph in spec.graphs.values()):
        return "the model has no scene classifier"
    if not spec.classes:
        return "the bundle does not name its classes"
    if not labelled:
        return "the data has no labels"
    if set(spec.classes) != set(classes):
        strange = sorted(set(classes) - set(spec.classes)) or sorted(
            set(spec.classes) - set(classes)
        )
        side = "the model" if set(classes) - set(spec.classes) else "the data"
        return f"the data's classes are not the model's ({side} does not know {strange[0]!r})"
    return [spec.classes.index(name) for name in classes]


def training_data(spec: ModelSpec) -> Mapping[str, Any]:
    """What a model's spec says of its training data; empty where it says nothing."""
    data = spec.training.get("data")
    return data if isinstance(data, dict) else {}
