"""What an evaluation found: rows of values picture by picture, their figures, and JSON of both."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from functools import cached_property
from pathlib import PurePath
from typing import Any

from trtcolor import __version__
from trtcolor.dataset import FilterCounts
from trtcolor.evaluation.figures import (
    MEASURES,
    Column,
    Figure,
    compared,
    reduced,
    scene_figures,
)
from trtcolor.evaluation.picture import Picture
from trtcolor.evaluation.systems import Kind
from trtcolor.geometry import Render, checked_render
from trtcolor.spec import ModelSpec


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What pictures are measured and how they are coloured.

    Attributes:
        limit: only the first so many pictures of the data (of the class, if one is chosen), the
            colourless ones counted; None: all.
        size: pictures are scaled to this many pixels square before anything else, as in training;
            None: as they are.
        only_class: only the pictures of the class of this name; None: all.
        saturation: factor on a* and b* of the networks, 0 to 10.
        render: how large the networks see a picture (`trtcolor.geometry.plan_render`).

    Raises:
        ValueError: a number below 1, or a render size that is none.
    """

    limit: int | None = None
    size: int | None = None
    only_class: str | None = None
    saturation: float = 1.0
    render: Render = "auto"

    def __post_init__(self) -> None:
        check_positive(limit=self.limit, size=self.size)
        checked_render(self.render)

    def given(self) -> dict[str, Any]:
        """Those that are not None, as plain data."""
        return {name: value for name, value in asdict(self).items() if value is not None}


def check_positive(**numbers: int | None) -> None:
    """Raise ValueError about the first number that is neither positive nor None."""
    for name, value in numbers.items():
        if value is not None and value < 1:
            raise ValueError(f"{name} is {value}; a positive number was needed")


def last_parts(path: str | os.PathLike[str]) -> str:
    """The last two parts of a path: the whole of it has no place in published results."""
    given = PurePath(path)
    if given.name in ("", ".."):  # the folder that one is in, or one above it
        given = PurePath(os.path.abspath(path))
    return "/".join([part for part in given.parts if part not in (given.anchor, "..")][-2:])


@dataclass(frozen=True)
class Row:
    """One system's values.

    Attributes:
        name, kind, spec, left_out: of the system (`trtcolor.evaluation.systems.System`).
        values: of each measure, a value a picture in the order of the data, None where it is not
            defined; ``rank`` is the place from 1 of the true scene.
        whole: figures of all pictures at once.
    """

    name: str
    kind: Kind
    spec: ModelSpec | None
    left_out: tuple[str, ...]
    values: Mapping[str, Column]
    whole: Mapping[str, Figure] = field(default_factory=dict)


@dataclass(frozen=True)
class Evaluation:
    """Systems measured on the same pictures.

    Attributes:
        data: where the pictures came from (`last_parts`).
        settings: what was asked.
        keys: of every picture kept, in the order of the data.
        counts: pictures kept, dropped as colourless, and unreadable.
        unreadable: keys of the unreadable ones.
        rows: originals, grey, mean colours, then the bundles in the order given.
        notes: what was left out of all, and what measured features.
        seconds: for all of it, decoding and measuring included.
        shown: of the first pictures kept, the grey, each bundle's and the original, as on a sheet.
    """

    data: str
    settings: Settings
    keys: tuple[str, ...]
    counts: FilterCounts
    unreadable: tuple[str, ...]
    rows: tuple[Row, ...]
    notes: tuple[str, ...]
    seconds: float
    shown: tuple[tuple[Picture, ...], ...] = field(default=(), compare=False, repr=False)

    @property
    def bundles(self) -> tuple[Row, ...]:
        """The rows of bundles."""
        return tuple(row for row in self.rows if row.kind == "bundle")

    def figures(self, row: Row) -> dict[str, Figure]:
        """A row's figures by the names of `MEASURES`, in their order, those that it has."""
        return self._figures[self.rows.index(row)]

    @cached_property
    def _figures(self) -> list[dict[str, Figure]]:
        found = []
        for row in self.rows:
            own: dict[str, Figure] = dict(row.whole)
            for name, values in row.values.items():
                if name == "rank":
                    own |= scene_figures(values)
                elif (figure := reduced(name, values)) is not None:
                    own[name] = figure
            found.append(own)
        grey = next(own for row, own in zip(self.rows, found, strict=True) if row.kind == "grey")
        originals = found[0]["colourfulness"]
        for row, own in zip(self.rows, found, strict=True):
            if row.kind != "originals":
                own |= compared(own, grey["ciede2000"], originals)
        return [{name: own[name] for name in (*MEASURES, *own) if name in own} for own in found]

    def flat(self, row: Row) -> dict[str, Any]:
        """A bundle's figures as ``model.json`` keeps them: numbers by name, and their pictures."""
        figures = self.figures(row)
        rows = {other.kind: self.figures(other) for other in self.rows}
        entries: dict[str, Any] = {}
        for name, figure in figures.items():
            entries[name] = figure.value
            if figure.pictures != self.counts.kept:
                entries[f"{name}_pictures"] = figure.pictures
            if name in ("ciede2000", "ciede2000_p90", "psnr", "ssim"):
                entries[f"{name}_grey"] = rows["grey"][name].value
        entries["colourfulness_original"] = rows["originals"]["colourfulness"].value
        return {
            **entries,
            "pictures": self.counts.kept,
            "colourless": self.counts.colourless,
            "unreadable": self.counts.unreadable,
            "data": self.data,
            **self.settings.given(),
            "trtcolor": __version__,
        }

    def to_dict(self) -> dict[str, Any]:
        """Everything as plain data, the values of each picture included."""
        return {
            "trtcolor": __version__,
            "data": self.data,
            "settings": asdict(self.settings),
            "counts": asdict(self.counts),
            "unreadable": list(self.unreadable),
            "notes": list(self.notes),
            "seconds": self.seconds,
            "pictures": list(self.keys),
            "rows": [
                {
                    "name": row.name,
                    "kind": row.kind,
                    "left_out": list(row.left_out),
                    "figures": {name: asdict(f) for name, f in self.figures(row).items()},
                    "values": {name: list(values) for name, values in row.values.items()},
                    **_about(row.spec),
                }
                for row in self.rows
            ],
        }


def _about(spec: ModelSpec | None) -> dict[str, Any]:
    if spec is None:
        return {}
    told = {"kind", "temperature", "smoothing", "rebalancing", "saturation"}
    return {
        "model": spec.name,
        "family": spec.family,
        "decoder": {name: value for name, value in spec.decoder.items() if name in told},
        "training": dict(spec.training),
        "files": dict(spec.files),
    }
