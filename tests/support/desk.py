"""The folder that the blocks of a document find: small pictures, scans, a film, the checkout."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from clips import grainy, scene, write_clip
from PIL import Image

from trtcolor.demo import photographs

ROOT = Path(__file__).parents[2]


def lay_out(folder: Path) -> None:
    """Fill an empty folder.

    The pictures are photographs inside scikit-image, reduced to 192 pixels on the shorter side.
    """
    astronaut, chelsea, coffee, rocket, hubble = (_reduced(path) for path in photographs())
    for name, picture in {
        "photo.jpg": coffee.convert("L"),
        "old.png": chelsea.convert("L"),
        "sunset.jpg": rocket,
        "scans/box-1/astronaut.jpg": astronaut.convert("L"),
        "scans/box-1/rocket.tif": rocket.convert("L"),
        "scans/box-2/coffee.png": coffee.convert("L"),
        "pictures/astronaut.png": astronaut,
        "pictures/chelsea.png": chelsea,
        "pictures/coffee.png": coffee,
        "pictures/hubble.png": hubble,
    }.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        picture.save(path)
    frames = [grainy(scene(shot), 12 * shot + index, 2) for shot in (0, 1) for index in range(12)]
    write_clip(folder / "reel.mkv", frames, grey=True)
    for name in ("benchmarks", "tests", "train"):
        (folder / name).symlink_to(ROOT / name)


def environment(folder: Path) -> dict[str, str]:
    """Of a user who has nothing yet, and for whom ``trtcolor`` and ``python`` are these ones."""
    programs = folder / "programs"
    programs.mkdir()
    for name, command in (("trtcolor", "-P -m trtcolor.cli"), ("python", "")):
        (programs / name).write_text(f'#!/bin/sh\nexec {sys.executable} {command} "$@"\n')
        (programs / name).chmod(0o755)
    homes = ("HOME", "XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME")
    own = {name: str(folder / name.lower()) for name in homes}
    kept = {key: value for key, value in os.environ.items() if not key.startswith("TRTCOLOR_")}
    own |= {"PATH": f"{programs}{os.pathsep}{os.environ['PATH']}", "COLUMNS": "100"}
    # On cores that others use too, threads of OpenMP wait for each other at full speed.
    return kept | own | {"OMP_NUM_THREADS": "1"}


def _reduced(path: Path) -> Image.Image:
    with Image.open(path) as picture:
        colours = picture.convert("RGB")
    scale = 192 / min(colours.size)
    size = (round(colours.width * scale), round(colours.height * scale))
    return colours.resize(size, Image.Resampling.LANCZOS)
