"""Why one engine is not another: each entry of their identities in words."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, NamedTuple

from trtcolor.engines.identity import Identity


def differences(wanted: Identity, found: Identity, *, ignoring: Collection[str] = ()) -> list[str]:
    """What of `found` is not as `wanted`, one short phrase for each, e.g. to say why it is unused.

    Args:
        ignoring: entries of `Identity` and `EngineConfig` that do not matter, by their names.

    Returns:
        Phrases such as ``"builder tensorrt_rtx 1.7.0, wanted 1.7.1"``; none: the same but for what
        is ignored.
    """
    told = []
    ours, theirs = _facts(wanted), _facts(found)
    for name in ours:
        if name not in ignoring and theirs[name].value != ours[name].value:
            told.append(f"{theirs[name].words}, wanted {ours[name].short}")
    if "files" not in ignoring:
        told += _file_differences(wanted.files, found.files)
    return told


class _Fact(NamedTuple):
    value: Any
    what: str
    short: str

    @property
    def words(self) -> str:
        return f"{self.what} {self.short}"


def _facts(identity: Identity) -> dict[str, _Fact]:
    """Every entry but the files, by its name in `Identity` or `EngineConfig`."""
    config = identity.config
    graphs = ", ".join(f"{name} in {file}" for name, file in identity.graphs.items())
    profiles = tuple(map(str, config.profiles))
    space = "unlimited" if config.workspace is None else f"{config.workspace} bytes"
    frame_profiles = tuple(map(str, config.frame_profiles))
    pictures = "none" if config.calibration is None else f"{config.calibration[:12]}..."
    builder, version = f"builder {identity.builder}", identity.builder_version
    return {
        "model": _Fact(identity.model, "model", repr(identity.model)),
        "graphs": _Fact(identity.graphs, "graphs", graphs),
        "backend": _Fact(config.backend, "backend", config.backend),
        "precision": _Fact(config.precision, "precision", config.precision),
        "profiles": _Fact(profiles, "profiles", " ".join(profiles)),
        "frames": _Fact(config.frames, "plans for frames", str(config.frames or "none")),
        "frame_profiles": _Fact(
            frame_profiles, "profiles of frames", " ".join(frame_profiles) or "none"
        ),
        "targets": _Fact(config.targets, "targets", ", ".join(config.targets) or "this machine"),
        "workspace": _Fact(config.workspace, "workspace", space),
        "calibration": _Fact(config.calibration, "calibration pictures", pictures),
        "builder_version": _Fact(version, builder, version),
        "os": _Fact(identity.os, "system", identity.os),
        "architecture": _Fact(identity.architecture, "architecture", identity.architecture),
        "gpu": _Fact(identity.gpu, "GPU", str(identity.gpu or "none")),
        "processor": _Fact(identity.processor, "processor", identity.processor or "any"),
        "recipe": _Fact(identity.recipe, "recipe", str(identity.recipe)),
    }


def _file_differences(wanted: Mapping[str, str], found: Mapping[str, str]) -> list[str]:
    told = []
    for name in sorted(set(wanted) | set(found)):
        ours, theirs = wanted.get(name, ""), found.get(name, "")
        if not theirs:
            told.append(f"no file {name}, wanted {ours[:12]}...")
        elif not ours:
            told.append(f"file {name}, wanted none")
        elif ours != theirs:
            told.append(f"file {name} with SHA-256 {theirs[:12]}..., wanted {ours[:12]}...")
    return told
