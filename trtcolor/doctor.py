"""`examine`: what is installed here, what works and why the rest does not, on one screen."""

from __future__ import annotations

import textwrap
from dataclasses import asdict, dataclass
from typing import Any

from trtcolor.backends.available import CUDA, PACKAGES, TENSORRT, available
from trtcolor.backends.driver import Gpu, gpus
from trtcolor.backends.onnxruntime import two_distributions
from trtcolor.bundle import installed_bundles, model_folders, open_bundle
from trtcolor.engines.ranking import unengined, usable_ways
from trtcolor.engines.trust import engines_folder
from trtcolor.errors import BackendError, BundleError
from trtcolor.kernels import _color
from trtcolor.measure import machine
from trtcolor.trial import Outcome, try_backend

WIDTH = 100
INDENT = 18


@dataclass(frozen=True)
class BackendReport:
    """One backend: its name, the version installed (None: none, or unknown), how its trial went."""

    name: str
    version: str | None
    outcome: Outcome

    def line(self) -> str:
        version = f"{self.version}  " if self.version else ""
        state = {"fails": "does not work: ", "works": "works: "}.get(self.outcome.state, "")
        return f"{version}{state}{self.outcome.detail}"


@dataclass(frozen=True)
class Report:
    """What `examine` found.

    Attributes:
        machine: as from `trtcolor.measure.machine`, and the variant of the ``kernels``.
        gpus: those that the driver shows.
        no_gpu: why there are none; None: there are.
        backends: each of `trtcolor.backends.available.PACKAGES`, in its order.
        ways: to run the default model on the CPU: backend and what is known, the fastest first.
        conflict: packages that overwrite each other's files; None: no such.
        models: names of those that are found, the default first.
        default_problem: why the default model cannot be used; None: its files are whole.
        places: folders by what is kept there: ``models``, ``bundled models``, ``engines``.
    """

    machine: dict[str, Any]
    gpus: tuple[Gpu, ...]
    no_gpu: str | None
    backends: tuple[BackendReport, ...]
    ways: tuple[tuple[str, str], ...]
    conflict: str | None
    models: tuple[str, ...]
    default_problem: str | None
    places: dict[str, str]

    @property
    def working(self) -> list[str]:
        """Names of the backends that have just coloured a frame."""
        return [found.name for found in self.backends if found.outcome.state == "works"]

    @property
    def automatic(self) -> str | None:
        """The backend that ``--backend auto`` takes for the default model; None: none works."""
        names = (*TENSORRT, *CUDA, *(backend for backend, _ in self.ways))
        return next((name for name in names if name in self.working), None)

    @property
    def automatic_text(self) -> str:
        """The same in words, with what is known of its speed and error."""
        if self.automatic is None:
            return "finds no backend that works"
        return f"takes {dict(reversed(self.ways)).get(self.automatic, self.automatic)}"

    def to_dict(self) -> dict[str, Any]:
        """Everything as plain data."""
        return {**asdict(self), "working": self.working, "auto": self.automatic}

    def text(self) -> str:
        """One screen for people; only a path may be longer than `WIDTH`."""
        about = self.machine
        entries = [
            ("trtcolor", f"{about['trtcolor']}, Python {about['python']}, {about['platform']}"),
            ("processor", f"{about['processor']}, {_count(about['cores'], 'core')}"),
            ("kernels", about["kernels"]),
            *(("GPU", str(gpu)) for gpu in self.gpus),
            *((("GPU", f"none: {self.no_gpu}"),) if self.no_gpu else ()),
            ("", ""),
            *((found.name, found.line()) for found in self.backends),
            ("auto", self.automatic_text),
            *((("conflict", self.conflict),) if self.conflict else ()),
            ("", ""),
            ("default model", self.default_problem or "whole: every file has its SHA-256"),
            ("models", ", ".join(self.models) or "none"),
            *self.places.items(),
        ]
        return "\n".join(_paragraph(name, text) for name, text in entries)


def examine() -> Report:
    """Look at the installation and try every backend; takes a second or two for each.

    Longer where the default model has an engine that no GPU has run yet: it is verified first.
    """
    try:
        found, no_gpu = tuple(gpus()), None
    except BackendError as error:
        found, no_gpu = (), str(error)
    try:
        bundle = open_bundle("default")
        default, problem, ways = bundle.path.name, None, usable_ways(bundle)[0]
    except BundleError as error:
        default, problem, ways = "", str(error), unengined()
    names = sorted(
        (folder.name for folder in installed_bundles()), key=lambda name: name != default
    )
    user, package = model_folders()
    return Report(
        machine={**machine(), "kernels": _color.variant()},
        gpus=found,
        no_gpu=no_gpu,
        backends=tuple(_backend(name, no_gpu) for name in PACKAGES),
        ways=tuple((way.backend, str(way)) for way in ways),
        conflict=two_distributions(),
        models=tuple(names),
        default_problem=problem,
        places={
            "own models": str(user),
            "bundled models": str(package),
            "engines": str(engines_folder()),
        },
    )


def _backend(name: str, no_gpu: str | None) -> BackendReport:
    outcome = try_backend(name)
    if outcome.state == "builds" and no_gpu is not None:
        outcome = Outcome("builds", f"{outcome.detail}, runs none here (no GPU, see above)")
    return BackendReport(name, available(name).version, outcome)


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


def _paragraph(name: str, text: str) -> str:
    return textwrap.fill(
        text,
        WIDTH,
        initial_indent=f"{name:<{INDENT}}",
        subsequent_indent=" " * INDENT,
        break_long_words=False,  # a path is to be copied
        break_on_hyphens=False,
    )
