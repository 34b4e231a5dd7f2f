"""What an engine is and where it runs, exactly enough that two of one identity are the same."""

from __future__ import annotations

import hashlib
import json
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from trtcolor.backends.available import PRECISIONS
from trtcolor.backends.frame_plans import FRAME_GRAPHS
from trtcolor.engines.config import BUILDERS, EngineConfig, check_sha256
from trtcolor.spec import GRAPH_NAMES

RECIPE = 2
"""Of the code that makes a graph at a precision and builds it: raised whenever the same bundle and
`EngineConfig` would give another engine, so that the ones from before are not used any more."""
LONGEST_NAME = 140
"""Of a file or folder, in characters, all ASCII: what even encrypted file systems take."""
FOLDER_NAME = re.compile(
    rf"[a-z0-9_-]+\.({'|'.join(PRECISIONS)})\.({'|'.join(BUILDERS)})-[a-z0-9_.-]+\.[0-9a-f]{{12}}"
)
"""What every `Identity.folder_name` looks like: nothing else in a cache is an engine's."""
_RESERVED = re.compile(r"(con|prn|aux|nul|com[0-9]|lpt[0-9])", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True)
class Gpu:
    """The GPU that an engine was built on and for.

    Attributes:
        name: as the driver gives it, e.g. ``"NVIDIA GeForce RTX 4090"``.
        compute_capability: e.g. ``"8.9"``.
        driver: its version, e.g. ``"580.65.06"``.

    Raises:
        ValueError: an entry is empty, or the compute capability has another form.
    """

    name: str
    compute_capability: str
    driver: str

    def __post_init__(self) -> None:
        _check_texts(GPU=self.name, driver=self.driver)
        if not re.fullmatch(r"[1-9][0-9]?\.[0-9]", self.compute_capability):
            raise ValueError(
                f"compute capability is {self.compute_capability!r}; two numbers such as 8.9 were "
                "needed; give these"
            )

    def __str__(self) -> str:
        return f"{self.name} ({self.compute_capability}, driver {self.driver})"


@dataclass(frozen=True, kw_only=True)
class Identity:
    """All that can change what an engine computes or where it runs.

    Attributes:
        model: the model's own name, any text.
        graphs: of the bundle: file by name (``local``, ``global``, ``joint``).
        files: of the bundle, graphs and weights: SHA-256 by name.
        config: the `EngineConfig`.
        builder_version: of the module that built it, in full, e.g. ``"1.7.1.116"``.
        os: as ``sys.platform``, e.g. ``"linux"``.
        architecture: as ``platform.machine()``, e.g. ``"x86_64"``.
        gpu: that it was built on; None where it was built for ``config.targets`` or for a CPU.
        processor: what else than the architecture it needs of the CPU, e.g. instruction sets;
            None: nothing.
        recipe: `RECIPE` of the code that made it.

    Raises:
        ValueError: an entry is empty or impossible.
    """

    model: str
    graphs: Mapping[str, str]
    files: Mapping[str, str]
    config: EngineConfig
    builder_version: str
    os: str
    architecture: str
    gpu: Gpu | None = None
    processor: str | None = None
    recipe: int = RECIPE

    def __post_init__(self) -> None:
        object.__setattr__(self, "graphs", dict(sorted(self.graphs.items())))
        object.__setattr__(self, "files", dict(sorted(self.files.items())))
        texts = {"builder version": self.builder_version, "architecture": self.architecture}
        _check_texts(model=self.model, os=self.os, **texts)
        if not self.graphs or not set(self.graphs) <= set(GRAPH_NAMES):
            raise ValueError(
                f"graphs are {', '.join(self.graphs) or 'none'}; some of {', '.join(GRAPH_NAMES)} "
                "were needed; give these"
            )
        for name, digest in self.files.items():
            check_sha256(f"SHA-256 of {name}", digest)
        unknown = sorted(set(self.graphs.values()) - set(self.files))
        if unknown:
            raise ValueError(
                f"files have no {', '.join(unknown)}; every graph's was needed; give its SHA-256"
            )
        if self.gpu is not None and self.config.targets:
            raise ValueError(
                f"GPU {self.gpu.name} came with the targets {', '.join(self.config.targets)}; one "
                "of both was needed; leave the other out"
            )
        if not 0 < self.recipe < 1 << 31:
            raise ValueError(f"recipe is {self.recipe}; a positive number was needed; give one")

    @property
    def built_graphs(self) -> tuple[str, ...]:
        """Names of all graphs that the engine has: the bundle's, and those for frames."""
        return (*self.graphs, *(FRAME_GRAPHS if self.config.frames is not None else ()))

    @property
    def builder(self) -> str:
        """The module that built it, e.g. ``"tensorrt_rtx"``."""
        return BUILDERS[self.config.backend]

    @property
    def key(self) -> str:
        """SHA-256 in hexadecimal of every entry as canonical JSON."""
        text = json.dumps(
            to_entries(self), sort_keys=True, separators=(",", ":"), ensure_ascii=True
        )
        return hashlib.sha256(text.encode("ascii")).hexdigest()

    @property
    def folder_name(self) -> str:
        """For people and file systems: ``MODEL.PRECISION.BACKEND-VERSION.SYSTEM.DEVICE.KEY``."""
        return f"{_slug(self.model, 32)}.{self.readable}.{self.key[:12]}"

    def file_name(self, graph: str) -> str:
        """Of a graph's plan (``.plan``) or ONNX graph (``.onnx``) in the engine's folder."""
        suffix = "plan" if self.config.backend.startswith("tensorrt") else "onnx"
        return f"{_slug(self.model, 32)}.{graph}.{self.readable}.{suffix}"

    @property
    def readable(self) -> str:
        """The part of the names that says how and for what it was built."""
        backend = f"{self.config.backend}-{_slug(self.builder_version, 16, also='.')}"
        system = _slug(f"{self.os}-{self.architecture}", 16)
        return f"{self.config.precision}.{backend}.{system}.{_slug(self.device, 40)}"

    @property
    def device(self) -> str:
        """What it runs on, in a word or two: targets, the GPU, or ``cpu``."""
        if self.gpu is not None:
            name = re.sub(r"\b(nvidia|geforce)\b", "", self.gpu.name, flags=re.IGNORECASE)
            return f"sm{self.gpu.compute_capability.replace('.', '')}-{name.strip()}"
        targets = self.config.targets
        if len(targets) > 6:
            return f"{targets[0]}-and-{len(targets) - 1}-more"
        return "-".join(targets) or "cpu"

    @property
    def cache_name(self) -> str:
        """For the caches of the builder and the runtime: builder, version, system and device.

        What else differs between engines does not matter to them.
        """
        shared = {
            name: value
            for name, value in to_entries(self).items()
            if name in ("builder_version", "os", "architecture", "gpu", "processor")
        }
        shared |= {"builder": self.builder, "targets": list(self.config.targets)}
        digest = hashlib.sha256(json.dumps(shared, sort_keys=True).encode("ascii")).hexdigest()
        return f"{self.readable.split('.', 1)[1]}.{digest[:12]}"


def to_entries(identity: Identity) -> dict[str, Any]:
    """An identity as plain data, as the sidecar has it; a profile is its text.

    What concerns frames is left out where there are no plans for them, as it was before there were.
    """
    entries = asdict(identity)
    config = identity.config
    entries["config"]["profiles"] = [str(profile) for profile in config.profiles]
    entries["config"]["targets"] = list(config.targets)
    if config.frames is None:
        del entries["config"]["frames"], entries["config"]["frame_profiles"]
    else:
        entries["config"]["frames"] = str(config.frames)
        entries["config"]["frame_profiles"] = [str(profile) for profile in config.frame_profiles]
    return entries


def _check_texts(**texts: str) -> None:
    for what, text in texts.items():
        if not text:
            raise ValueError(f"{what} is empty; a text was needed; give one")


def _slug(text: str, longest: int, *, also: str = "") -> str:
    """Lower-case ASCII letters, digits, ``_`` and ``-`` (and `also`) that remind of any text."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode("ascii").lower()
    kept = re.sub(rf"[^a-z0-9_{re.escape(also)}]+", "-", plain)[:longest].strip("-" + also)
    if not kept:
        return "unnamed"
    return f"{kept}-"[:longest] if _RESERVED.fullmatch(kept) else kept
