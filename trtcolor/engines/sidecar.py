"""``engine.json``, which lies beside an engine's files and says all that is known of them."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any, Literal

from trtcolor.engines.config import check_sha256
from trtcolor.engines.identity import Identity, to_entries
from trtcolor.engines.profile import ShapeProfile
from trtcolor.engines.speed import Speed
from trtcolor.errors import ConfigError, EngineError
from trtcolor.sections import LARGEST_INTEGER, section

FORMAT_VERSION = 1
SIDECAR_FILE = "engine.json"
LARGEST_SIDECAR = 1 << 22
"""In bytes; a real one has some thousands."""
_DEEPEST = 32


@dataclass(frozen=True, kw_only=True)
class EngineGraph:
    """One graph of an engine.

    Attributes:
        file: its name in the engine's folder.
        sha256, bytes: of that file.
        onnx_sha256: of the ONNX graph, at the engine's precision, that it was built from.
        inputs, outputs: names of its tensors.
        profiles: the shapes that it takes; of a graph of fixed size, one.
        seconds: that building it took.

    Raises:
        ValueError: an entry is impossible.
    """

    file: str
    sha256: str
    bytes: int
    onnx_sha256: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    profiles: tuple[ShapeProfile, ...]
    seconds: float

    def __post_init__(self) -> None:
        object.__setattr__(self, "seconds", float(self.seconds))
        check_sha256(f"SHA-256 of {self.file!r}", self.sha256)
        check_sha256(f"SHA-256 of the graph behind {self.file!r}", self.onnx_sha256)
        if not 0 < self.bytes <= LARGEST_INTEGER:
            raise ValueError(f"size of {self.file!r} is {self.bytes}; 1 byte at least was needed")
        if not 0 <= self.seconds < math.inf:
            raise ValueError(f"seconds of {self.file!r} are {self.seconds}; 0 or more were needed")
        if not all((self.inputs, self.outputs, *self.inputs, *self.outputs)):
            raise ValueError(f"tensors of {self.file!r} have no names; all of these were needed")
        if not self.profiles:
            raise ValueError(f"profiles of {self.file!r} are none; one at least was needed")


@dataclass(frozen=True, kw_only=True)
class Verification:
    """Whether the engine has run and given the reference's colours.

    Attributes:
        status: ``"verified"``, or ``"unverified"`` where nothing here could run it.
        figures: what was measured on what; of an unverified one, perhaps why.
    """

    status: Literal["verified", "unverified"]
    figures: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        _check_plain("figures of the verification", self.figures)


@dataclass(frozen=True, kw_only=True)
class Sidecar:
    """All that is known of an engine.

    Attributes:
        identity: what it is; its key is in the file too.
        graphs: `EngineGraph` by name, for every one of `Identity.built_graphs`.
        verification: see `Verification`.
        created: when it was built, ISO 8601 with its time zone.
        trtcolor: the version that built it.
        gate: what the precision cost, as ``GateReport.to_dict`` gives it; None for fp32.
        flags: of the builder and the network.
        tools: versions of what else made it, by name, e.g. of onnx.
        bundle: path of the bundle that it was built from; empty: not said.
        speed: of one that runs on a CPU; None: not measured.

    Raises:
        ValueError: entries are impossible or contradict each other.
    """

    identity: Identity
    graphs: Mapping[str, EngineGraph]
    verification: Verification
    created: str
    trtcolor: str
    gate: Mapping[str, Any] | None = None
    flags: tuple[str, ...] = ()
    tools: Mapping[str, str] = field(default_factory=dict)
    bundle: str = ""
    speed: Speed | None = None

    def __post_init__(self) -> None:
        if set(self.graphs) != set(self.identity.built_graphs):
            raise ValueError(
                f"graphs are {', '.join(self.graphs) or 'none'}; the engine's, "
                f"{', '.join(self.identity.built_graphs)}, were needed"
            )
        for name, graph in self.graphs.items():
            if graph.file != self.identity.file_name(name):
                raise ValueError(
                    f"file of graph {name} is {graph.file!r}; {self.identity.file_name(name)!r} "
                    "was needed"
                )
        _check_plain("gate", self.gate)
        if self.built_at.tzinfo is None:
            raise ValueError(f"created is {self.created!r}; a time with its zone was needed")

    @property
    def built_at(self) -> datetime:
        """`created` as a time.

        Raises:
            ValueError: it is none.
        """
        try:
            return datetime.fromisoformat(self.created)
        except ValueError:
            raise ValueError(f"created is {self.created!r}; an ISO 8601 time was needed") from None

    def to_json(self) -> str:
        """The text of ``engine.json``; the SHA-256 in it is of all the rest."""
        entries = {"format_version": FORMAT_VERSION, "key": self.identity.key, **asdict(self)}
        entries["identity"] = to_entries(self.identity)
        if self.speed is None:
            del entries["speed"]  # as sidecars were before it was measured
        for name, graph in self.graphs.items():
            entries["graphs"][name]["profiles"] = [str(profile) for profile in graph.profiles]
        digest = hashlib.sha256(json.dumps(entries, allow_nan=False).encode("ascii")).hexdigest()
        return json.dumps({**entries, "sha256": digest}, indent=2) + "\n"

    @classmethod
    def from_json(cls, text: str, *, source: str = SIDECAR_FILE) -> Sidecar:
        """Parse ``engine.json``.

        Args:
            text: the file's content.
            source: what to call the file in an error.

        Raises:
            EngineError: no JSON, another format version, or an entry missing, unknown or wrong.
        """
        try:
            entries = json.loads(text, object_pairs_hook=_once, parse_constant=_no_constant)
        except (ValueError, RecursionError) as error:
            raise _refusal(source, f"is no sidecar ({error})") from None
        version = entries.pop("format_version", None) if isinstance(entries, dict) else None
        if version != FORMAT_VERSION or isinstance(version, bool):
            raise _refusal(
                source,
                f"has format version {str(version)[:40]}; this trtcolor reads version "
                f"{FORMAT_VERSION}",
            )
        for checked_below in ("key", "sha256"):
            entries.pop(checked_below, None)
        try:
            sidecar = section(cls, entries, "it")
        except (ConfigError, ValueError) as error:
            reason = str(error).removesuffix("; mend the file")
            raise _refusal(source, f"does not fit: {reason}") from None
        if text != sidecar.to_json():
            raise _refusal(source, "is not as trtcolor wrote it, entry for entry; it was altered")
        return sidecar


def _refusal(source: str, reason: str) -> EngineError:
    """A sentence of bounded length without control characters, whatever the file holds."""
    plain = "".join(letter if letter.isprintable() else " " for letter in reason)
    return EngineError(f"{source} {plain[:600]}; build the engine again")


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    entries = dict(pairs)
    if len(entries) != len(pairs):
        raise ValueError("an entry is there twice")
    return entries


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is no number")


def _check_plain(what: str, value: Any, deep: int = 0) -> None:
    """Raise ValueError unless `value` is what JSON can hold and give back."""
    if deep > _DEEPEST:
        raise ValueError(f"{what} is nested deeper than {_DEEPEST}; flat figures were needed")
    if isinstance(value, Mapping):
        for name, part in value.items():
            if not isinstance(name, str):
                raise ValueError(f"{what} has the name {name!r}; texts were needed")
            _check_plain(what, part, deep + 1)
    elif isinstance(value, list | tuple):
        for part in value:
            _check_plain(what, part, deep + 1)
    elif isinstance(value, int | float) and not isinstance(value, bool):
        if not abs(value) <= (LARGEST_INTEGER if isinstance(value, int) else 1e300):
            raise ValueError(f"{what} has a number without a finite value; such were needed")
    elif not isinstance(value, str | bool | None):
        raise ValueError(f"{what} has a {type(value).__name__}; texts and numbers were needed")
