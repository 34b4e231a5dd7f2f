"""Folders of whole and broken pictures, and what a run made of them."""

from __future__ import annotations

import hashlib
import json
import os
import random
from dataclasses import dataclass, field
from pathlib import Path

from noise import picture
from PIL import Image

SUFFIXES = (".png", ".jpg", ".tif", ".webp", ".bmp")
BREAKS = ("empty", "text", "cut", "head")


@dataclass
class Archive:
    """Names of pictures below a folder: of those that are whole, and of the others."""

    whole: set[str] = field(default_factory=set)
    broken: set[str] = field(default_factory=set)


def make_archive(folder: Path, count: int, source: Path | None = None, seed: int = 0) -> Archive:
    """Fill a folder: of ten pictures two are broken, each in one of four ways.

    Args:
        folder: made; it has folders in it.
        count: of pictures.
        source: a folder with pictures to copy, in turn, in the place of noise.
    """
    chance = random.Random(seed)
    given = [] if source is None else sorted(p for p in source.rglob("*") if p.suffix in SUFFIXES)
    archive = Archive()
    for number in range(count):
        suffix = given[number % len(given)].suffix if given else SUFFIXES[number % len(SUFFIXES)]
        name = f"box {number % 7}/{number:04}{suffix}"
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if given:
            path.write_bytes(given[number % len(given)].read_bytes())
        else:
            size = chance.randint(20, 90), chance.randint(20, 90)
            Image.fromarray(picture(*size, seed=number)).save(path)
        if number % 5 == 3:
            _break(path, BREAKS[number // 5 % len(BREAKS)], chance)
            archive.broken.add(name)
        else:
            archive.whole.add(name)
    return archive


def _break(path: Path, how: str, chance: random.Random) -> None:
    data = path.read_bytes()
    if how == "empty":
        data = b""
    elif how == "text":
        data = b"this is no picture\n" * 20
    elif how == "cut":
        data = data[: len(data) // 2]
    else:
        data = chance.randbytes(64) + data[64:]
    path.write_bytes(data)


def tree(folder: Path) -> dict[str, str]:
    """SHA-256 of every file below a folder by its name, ``.trtcolor`` apart."""
    found = {}
    for root, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if name != ".trtcolor"]  # a run may be in there
        for name in names:
            path = Path(root, name)
            if path.is_file():  # not a pipe, which would be waited for
                digest = hashlib.sha256(path.read_bytes()).hexdigest()
                found[path.relative_to(folder).as_posix()] = digest
    return found


def records(output: Path) -> list[dict[str, object]]:
    """The lines of a folder's journal, without the first."""
    lines = (output / ".trtcolor" / "results.jsonl").read_text("ascii").splitlines()
    return [json.loads(line) for line in lines[1:]]


def outcomes(output: Path) -> dict[str, tuple[str, str]]:
    """The last outcome of each picture and its reason, by the output's name."""
    return {
        str(line["output"]): (str(line["outcome"]), str(line["reason"])) for line in records(output)
    }
