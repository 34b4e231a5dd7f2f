"""What a model is, as data: `ModelSpec` and `SizeRule`, frozen, JSON in and out.

The runtime knows a network only through its spec: which sizes it takes, on which grid its chroma
comes out, what its graphs are called. A spec that could not work is refused in the constructor.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from trtcolor.errors import BundleError

FORMAT_VERSION = 1
GRAPH_NAMES = ("local", "global", "joint")
LARGEST_SIDE = 16384
"""Of anything in a `SizeRule`, in pixels or bytes: a larger one could only exhaust the memory."""


@dataclass(frozen=True)
class SizeRule:
    """Which frame sizes a network takes and where its output samples lie.

    Attributes:
        multiple: height and width of the frame given to the local graph are multiples of this.
        chroma_scale: pixels of the frame per chroma sample along each axis (2: an H/2 x W/2 grid).
        training_size: side in pixels of the square crops that the network was trained on.
        global_size: side in pixels of the square copy that the global graph takes; None for a
            network without global features.
        render_size: shorter side in pixels that a frame is reduced to before the network sees it
            when the caller asks for ``render="auto"``; None renders at full size.
        halo: pixels of context that a tile needs on each side; None where not tileable or not
            measured.
        map_bytes: bytes of memory that the local graph's maps take per pixel of its input, measured
            in ONNX Runtime; None where not measured.
    """

    multiple: int
    chroma_scale: int
    training_size: int
    global_size: int | None = None
    render_size: int | None = None
    halo: int | None = None
    map_bytes: int | None = None

    def __post_init__(self) -> None:
        for entry in fields(self):
            value = getattr(self, entry.name)
            optional = entry.name in ("global_size", "render_size", "halo", "map_bytes")
            if value is None and optional:
                continue
            whole = isinstance(value, int) and not isinstance(value, bool)
            if not whole or not 1 <= value <= LARGEST_SIDE:
                raise BundleError(
                    f"size rule entry {entry.name} is {value!r}; a positive integer up to "
                    f"{LARGEST_SIDE} was needed{' (or null)' if optional else ''}; mend "
                    "model.json or export the model again"
                )
        if self.multiple % self.chroma_scale:
            raise BundleError(
                f"size rule has multiple {self.multiple} and chroma scale {self.chroma_scale}; "
                "the multiple must be divisible by the scale; export the model again"
            )


@dataclass(frozen=True)
class GraphSpec:
    """One ONNX graph of a bundle: its file name and its inputs and outputs in order."""

    file: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]

    def __post_init__(self) -> None:
        _check_text("graph file", self.file)
        object.__setattr__(self, "inputs", _names("graph inputs", self.inputs))
        object.__setattr__(self, "outputs", _names("graph outputs", self.outputs))


@dataclass(frozen=True)
class ModelSpec:
    """All that the runtime and a reader need to know of a model (DESIGN.md, "A model is a bundle").

    Attributes:
        name: the model's own name, as in ``trtcolor colorize --model NAME``.
        family: name in the training package's list of networks.
        version: of this model, as its maker counts.
        configuration: the network's dimensions, enough to build it again for training.
        size: the `SizeRule`.
        graphs: ``local`` always; ``global`` and ``joint`` where there are global features.
        decoder: how chroma comes out of the network: ``{"kind": "regression"}``, or for colour bins
            ``mode``, ``mean`` or ``annealed-mean`` with their number, temperature and smoothing;
            ``space`` says what ``bin_logits`` are the scores of: ``ab``, bins with the ``centres``
            (Q x 2, a*b*) and, where rare colours weighed more, ``class_weights`` (Q); or ``luv``,
            equal bins over -100..100 of u*, then of v*.
        precision: storage of the weights in the file, ``float32`` or ``float16``; graphs compute
            in float32 either way.
        classes: scene names by index of ``class_logits``; empty without a classifier.
        training: data, steps, seconds and settings it was trained with, and what its weights were
            at the start.
        licence: of the weights (not of the code).
        metrics: measured figures, each with the command that prints it.
        files: SHA-256 by file name, of every file of the bundle besides ``model.json``.
    """

    name: str
    family: str
    version: str
    configuration: Mapping[str, Any]
    size: SizeRule
    graphs: Mapping[str, GraphSpec]
    decoder: Mapping[str, Any]
    precision: str
    licence: str
    files: Mapping[str, str]
    classes: tuple[str, ...] = ()
    training: Mapping[str, Any] = field(default_factory=dict)
    metrics: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "classes", _names("classes", self.classes))
        for entry in ("name", "family", "version", "licence"):
            _check_text(entry, getattr(self, entry))
        for entry in ("configuration", "decoder", "files", "training", "metrics"):
            if not isinstance(getattr(self, entry), Mapping):
                raise BundleError(
                    f"model.json entry {entry} is {getattr(self, entry)!r}; an object was needed; "
                    "export the model again"
                )
        for file, digest in self.files.items():
            _check_text("SHA-256 of " + file, digest)
        if "local" not in self.graphs or not set(self.graphs) <= set(GRAPH_NAMES):
            raise BundleError(
                f"model {self.name!r} lists the graphs {sorted(self.graphs)}; 'local' and no other "
                f"than {', '.join(GRAPH_NAMES)} were needed; export the model again"
            )
        if ("global" in self.graphs) != (self.size.global_size is not None):
            raise BundleError(
                f"model {self.name!r} has a global graph without a global size or the other way "
                "round; both or neither were needed; export the model again"
            )
        if self.precision not in ("float32", "float16"):
            raise BundleError(
                f"model {self.name!r} stores its weights as {self.precision!r}; float32 or float16 "
                "was needed; export the model again"
            )

    @property
    def has_global_features(self) -> bool:
        """Whether the network fuses a vector computed from the whole picture (004, 3.2.2)."""
        return "global" in self.graphs

    def to_json(self) -> str:
        """The text of ``model.json``."""
        return json.dumps({"format_version": FORMAT_VERSION, **asdict(self)}, indent=2) + "\n"

    @classmethod
    def from_json(cls, text: str, *, source: str = "model.json") -> ModelSpec:
        """Parse ``model.json``.

        Args:
            text: the file's content.
            source: what to call the file in an error.

        Raises:
            BundleError: no JSON, another format version, or an entry missing, unknown or wrong.
        """
        try:
            entries = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise BundleError(
                f"{source} is not JSON ({error}); a model.json was needed; export the model again"
            ) from None
        version = entries.pop("format_version", None) if isinstance(entries, dict) else None
        if version != FORMAT_VERSION:
            raise BundleError(
                f"{source} has format version {version!r}; this trtcolor reads version "
                f"{FORMAT_VERSION}; export the model again or use the trtcolor that wrote it"
            )
        try:
            entries["size"] = SizeRule(**entries["size"])
            entries["graphs"] = {k: GraphSpec(**v) for k, v in entries["graphs"].items()}
            return cls(**entries)
        except BundleError as error:
            raise BundleError(f"{source}: {error}") from None
        except (KeyError, TypeError, AttributeError) as error:
            raise BundleError(
                f"{source} does not fit the format ({error}); a complete model.json was needed; "
                "export the model again"
            ) from None


def _check_text(entry: str, value: Any) -> None:
    if not isinstance(value, str) or not value:
        raise BundleError(
            f"model.json entry {entry} is {value!r}; a text was needed; export the model again"
        )


def _names(entry: str, value: Any) -> tuple[str, ...]:
    if not isinstance(value, (list, tuple)) or not all(isinstance(name, str) for name in value):
        raise BundleError(
            f"model.json entry {entry} is {value!r}; a list of names was needed; export the model "
            "again"
        )
    return tuple(value)
