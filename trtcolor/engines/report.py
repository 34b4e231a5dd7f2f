"""Engines in words, for people: a row each, or all that is known of one."""

from __future__ import annotations

import json
from collections.abc import Iterator

from trtcolor.engines.config import EngineConfig
from trtcolor.engines.entry import Damaged, Entry
from trtcolor.engines.identity import FOLDER_NAME
from trtcolor.engines.speed import ENGINE

COLUMNS = ("key", "model", "precision", "builder", "device", "size", "built", "speed", "state")


def table(entries: list[Entry | Damaged]) -> list[str]:
    """A heading and a line for each engine."""
    rows = [COLUMNS, *map(_row, entries)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]


def state(entry: Entry | Damaged) -> str:
    """Whether it has run and given the reference's colours, if its sidecar can be read."""
    if isinstance(entry, Damaged):
        return "damaged"
    if entry.sidecar.verification.status == "verified":
        return "verified"
    return "unverified (no GPU has run it)" if _needs_gpu(entry) else "unverified (not run yet)"


def plain(text: str) -> str:
    """A text of whatever origin without what would move a terminal's cursor."""
    return "".join(letter if letter.isprintable() else "?" for letter in text)


def megabytes(count: int) -> str:
    """A number of bytes as people read it."""
    return f"{count / 1e6:.1f} MB"


def frames_text(config: EngineConfig) -> str:
    """What an engine's plans for frames do."""
    if config.frames is None:
        return "none"
    profiles = ", ".join(map(str, config.frame_profiles))
    return f"{profiles}; render {config.frames.render}, gamut {config.frames.gamut}"


def lines(entry: Entry) -> Iterator[str]:
    """All that a sidecar says."""
    sidecar, identity = entry.sidecar, entry.sidecar.identity
    config = identity.config
    yield plain(entry.path.name)
    yield plain(f"  folder        {entry.path}")
    yield f"  key           {identity.key}"
    yield f"  model         {identity.model!r}"
    yield f"  built by      {identity.builder} {identity.builder_version}, trtcolor " + plain(
        f"{sidecar.trtcolor}, recipe {identity.recipe}"
    )
    yield f"  built at      {sidecar.created}"
    yield plain(f"  system        {identity.os}, {identity.architecture}")
    if identity.processor is not None:
        yield plain(f"  processor     {identity.processor}")
    yield plain(f"  runs on       {identity.gpu or ', '.join(config.targets) or 'the CPU'}")
    yield f"  precision     {config.precision}"
    if config.calibration is not None:
        yield f"  calibrated    on pictures of SHA-256 {config.calibration}"
    if config.workspace is not None:
        yield f"  workspace     {config.workspace} bytes"
    if config.frames is not None:
        yield f"  frames        {frames_text(config)}"
    if sidecar.flags:
        yield plain(f"  flags         {', '.join(sidecar.flags)}")
    for name, version in sidecar.tools.items():
        yield plain(f"  made with     {name} {version}")
    for name, graph in sidecar.graphs.items():
        yield f"  {name} graph".ljust(16) + graph.file
        yield plain(
            f"                {', '.join(graph.inputs)} -> {', '.join(graph.outputs)}; "
            f"{megabytes(graph.bytes)}, built in {graph.seconds:.1f} s"
        )
        for profile in graph.profiles:
            yield f"                profile {profile}"
        yield f"                SHA-256 {graph.sha256}"
        yield f"                from ONNX of SHA-256 {graph.onnx_sha256}"
    for name, digest in identity.files.items():
        yield plain(f"  bundle has    {name}, SHA-256 {digest}")
    if sidecar.gate is not None:
        yield f"  gate          {json.dumps(sidecar.gate)}"
    yield f"  state         {state(entry)}"
    if sidecar.speed is not None:
        yield plain(f"  speed         {sidecar.speed}, on {sidecar.speed.processor}")
    if sidecar.verification.figures:
        yield f"  figures       {json.dumps(sidecar.verification.figures)}"


def _row(entry: Entry | Damaged) -> tuple[str, ...]:
    name = entry.path.name
    if isinstance(entry, Damaged):
        key, model = (name[-12:], name.split(".")[0]) if FOLDER_NAME.fullmatch(name) else ("", name)
        return (key, plain(model), "", "", "", megabytes(entry.size), "", "", "damaged")
    identity = entry.sidecar.identity
    return (
        identity.key[:12],
        plain(name.split(".")[0]),
        identity.config.precision,
        plain(f"{identity.config.backend} {identity.builder_version}"),
        plain(identity.device),
        megabytes(entry.size),
        entry.sidecar.built_at.date().isoformat(),
        _speed(entry),
        entry.sidecar.verification.status if name == identity.folder_name else "damaged",
    )


def _speed(entry: Entry) -> str:
    """How many times as fast as ONNX Runtime in float32; empty: not measured."""
    speed = entry.sidecar.speed
    return "" if speed is None else f"{1 / speed.share(ENGINE):.2f}x"


def _needs_gpu(entry: Entry) -> bool:
    return entry.sidecar.identity.config.backend.startswith("tensorrt")
