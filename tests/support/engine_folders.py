"""Engines as the store keeps them, of a few bytes each, and a process that builds one.

    python engine_folders.py ENGINES NAME LOG GATE

builds NAME, or finds it. It prints what it is told if it has to wait, and at last ``built`` or
``found``; before it builds it appends a line to LOG, and it publishes once there is a file GATE.
"""

from __future__ import annotations

import sys
import time
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from trtcolor.engines.building import Build
from trtcolor.engines.config import EngineConfig
from trtcolor.engines.entry import Entry
from trtcolor.engines.identity import Identity
from trtcolor.engines.profile import ShapeProfile
from trtcolor.engines.sidecar import Sidecar, Verification
from trtcolor.engines.store import Store

PROFILE = ShapeProfile((1, 64, 64), (1, 512, 512), (2, 2048, 2048))
CONFIG = EngineConfig(
    backend="tensorrt-rtx", precision="fp16", profiles=(PROFILE,), targets=("sm89",)
)
IDENTITY = Identity(
    model="tiny",
    graphs={"local": "local.onnx", "global": "global.onnx"},
    files={"local.onnx": "1" * 64, "global.onnx": "2" * 64, "weights.bin": "3" * 64},
    config=CONFIG,
    builder_version="1.7.1.116",
    os="linux",
    architecture="x86_64",
)
VERIFIED = Verification(status="verified", figures={"ciede2000": 0.25})


def sidecar(build: Build, contents: dict[str, bytes], **entries: Any) -> Sidecar:
    """Write the files of an engine and give its sidecar."""
    graphs = {
        name: build.write(
            name,
            data,
            onnx_sha256="4" * 64,
            inputs=("lightness",),
            outputs=("chroma",),
            profiles=(PROFILE,),
            seconds=1.5,
        )
        for name, data in contents.items()
    }
    known: dict[str, Any] = {
        "identity": build.identity,
        "graphs": graphs,
        "verification": Verification(status="unverified"),
        "created": "2026-11-26T17:00:00+00:00",
        "trtcolor": "0.1.0",
    }
    return Sidecar(**known | entries)


def keep(
    store: Store, identity: Identity = IDENTITY, contents: bytes = b"a plan", **entries: Any
) -> Entry:
    """Build an engine whose files are `contents` and the name of their graph."""
    with store.building(identity) as build:
        assert build.found is None
        files = {name: contents + name.encode() for name in identity.graphs}
        return build.publish(sidecar(build, files, **entries))


def named(model: str) -> Identity:
    return replace(IDENTITY, model=model)


def changed(**entries: Any) -> Identity:
    """Another identity: entries of `Identity`, or of its `EngineConfig`."""
    own = {name: value for name, value in entries.items() if hasattr(IDENTITY, name)}
    config = {name: value for name, value in entries.items() if name not in own}
    return replace(IDENTITY, config=replace(CONFIG, **config), **own)


def main(folder: str, model: str, log: str, gate: str) -> None:
    say = partial(print, flush=True)
    with Store(Path(folder)).building(named(model), waiting=say) as build:
        if build.found is None:
            written = sidecar(build, dict.fromkeys(build.identity.graphs, b"a plan"))
            with Path(log).open("a") as stream:
                stream.write("built\n")
            while not Path(gate).exists():
                time.sleep(0.01)
            build.publish(written)
        say("found" if build.found else "built")


if __name__ == "__main__":
    main(*sys.argv[1:])
