"""What `trtcolor models` lists: every model that is found by name, with the figures that matter."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from trtcolor.bundle import DEFAULT_MODEL, SPEC_FILE, installed_bundles, model_folders, read_spec
from trtcolor.errors import BundleError
from trtcolor.spec import ModelSpec


@dataclass(frozen=True)
class Listed:
    """A model that ``--model NAME`` finds.

    Attributes:
        name: of its folder.
        folder: where it is.
        size: of ``model.json`` and the files that it lists, in bytes; those that lack count 0.
        bundled: whether it came with the package.
        default: whether ``--model default`` is this one.
        hides: whether a bundled model has the same name and is not found because of this one.
        spec: from its ``model.json``; None: that cannot be used.
        problem: why not.
    """

    name: str
    folder: Path
    size: int
    bundled: bool
    default: bool
    hides: bool
    spec: ModelSpec | None
    problem: str | None

    def lines(self) -> list[str]:
        """For people: a heading, the licence and the figures."""
        if self.spec is None:
            return [f"{self.name}  cannot be used: {self.problem}"]
        tags = ["bundled" if self.bundled else "installed"]
        if self.default:
            tags.append("the default")
        if self.hides:
            tags.append("hides the bundled one")
        about = f"{self.spec.family}, {self.size / 1e6:.1f} MB, {self.spec.precision}"
        return [
            f"{self.name}  {about} ({', '.join(tags)})",
            f"    licence: {self.spec.licence}",
            f"    {figures(self.spec.metrics)}",
        ]

    def to_dict(self) -> dict[str, Any]:
        """Everything as plain data, ``model.json`` included."""
        return {
            "name": self.name,
            "folder": str(self.folder),
            "bytes": self.size,
            "bundled": self.bundled,
            "default": self.default,
            "hides_bundled": self.hides,
            "problem": self.problem,
            "model": None if self.spec is None else json.loads(self.spec.to_json()),
        }


def catalogue() -> list[Listed]:
    """Every model of `trtcolor.bundle.model_folders`, those that cannot be used too."""
    return [_listed(folder) for folder in installed_bundles()]


def _listed(folder: Path) -> Listed:
    package = model_folders()[1]
    bundled = folder.parent == package
    spec = problem = None
    try:
        spec = read_spec(folder)
    except BundleError as error:  # the others are to be listed all the same
        problem = str(error)
    return Listed(
        name=folder.name,
        folder=folder,
        size=sum(_size(folder / name) for name in (SPEC_FILE, *(spec.files if spec else ()))),
        bundled=bundled,
        default=folder.name == DEFAULT_MODEL,
        hides=not bundled and (package / folder.name / SPEC_FILE).is_file(),
        spec=spec,
        problem=problem,
    )


def _size(file: Path) -> int:
    try:
        return file.stat().st_size
    except (OSError, ValueError):  # a NUL in the name
        return 0


def figures(metrics: Mapping[str, Any]) -> str:
    """One line of a model's recorded ``metrics``: those of its colours, and what they are from."""
    shown = (
        ("ciede2000", "CIEDE2000 {:.2f}"),
        ("ciede2000_ratio", "{:.3f} of grey pictures'"),
        ("colourfulness_ratio", "colourfulness {:.3f} of the originals'"),
        ("top5", "top-5 {:.1%}"),
    )
    told = [form.format(metrics[name]) for name, form in shown if _is_number(metrics.get(name))]
    if not told:
        return "not measured; 'trtcolor evaluate NAME DATA --record' does"
    if "data" in metrics:
        told.append(f"on {metrics.get('pictures', '?')} pictures of {metrics['data']}")
    return ", ".join(told)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
