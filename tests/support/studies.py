"""Studies of plain pictures, which tell by their colour what they are, and their server."""

from __future__ import annotations

import csv
import re
import secrets
import subprocess
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

from command_line import command
from PIL import Image

from trtcolor.study.answers import FILE, HEADING, Answer
from trtcolor.study.folder import COUNTS, PICTURES, SECRET, SIDE, Approach, Scene, Study

APPROACHES = ("ground truth", "model", "baseline")
SYSTEMS = {"ground truth": "Ground Truth", "model": "Proposed", "baseline": "Baseline"}


def colour_of(scene: int, approach: int) -> tuple[int, int, int]:
    """The one colour of a picture."""
    return 20 + 12 * scene, 40 + 60 * approach, 128


def make_study(
    folder: Path, scenes: int = 6, approaches: Sequence[str] = APPROACHES, seed: int = 7
) -> Study:
    """A prepared study in a new folder."""
    (folder / PICTURES).mkdir(parents=True)
    versions = []
    for scene in range(scenes):
        pictures = [secrets.token_hex(16) for _ in approaches]
        for approach, picture in enumerate(pictures):
            image = Image.new("RGB", (SIDE, SIDE), colour_of(scene, approach))
            image.save(folder / PICTURES / f"{picture}.png", compress_level=0)
        versions.append(Scene(f"scene {scene}.jpg", tuple(pictures)))
    study = Study(
        folder=folder,
        approaches=tuple(
            Approach(name, "bundle" if number else "originals", SYSTEMS.get(name))
            for number, name in enumerate(approaches)
        ),
        scenes=tuple(versions),
        seed=seed,
        data="some/pictures",
        settings={"pictures": scenes},
        counts=dict.fromkeys(COUNTS, 0) | {"kept": scenes},
        prepared="2026-11-27T04:00:00.000Z",
        trtcolor="0",
    )
    study.write(folder)
    (folder / SECRET).write_text(secrets.token_hex(32) + "\n", encoding="ascii")
    return study


def store(study: Study, answers: Iterable[Answer]) -> None:
    """Add answers at once, without waiting for the disk."""
    path = study.folder / FILE
    new = not path.exists()
    with path.open("a", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerows([HEADING] * new)
        writer.writerows(answer.row() for answer in answers)


class Served(NamedTuple):
    """A server's process, the links that it printed, and what it said before them."""

    process: subprocess.Popen[str]
    links: list[str]
    said: str

    @property
    def base(self) -> str:
        """Scheme, host and port."""
        return "/".join(self.links[0].split("/")[:3])

    @property
    def port(self) -> int:
        return int(self.base.rpartition(":")[2])


@contextmanager
def served(folder: Path, *options: object, links: int = 1) -> Iterator[Served]:
    """``trtcolor study serve FOLDER`` in a process of its own, at any free port unless told."""
    given = options if "--port" in options else ("--port", 0, *options)
    process = subprocess.Popen(
        command("study", "serve", folder, *given),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    try:
        lines: list[str] = []
        said = ""
        while len(lines) < links:
            line = process.stdout.readline()
            assert line, process.stderr and process.stderr.read()
            said += line
            if found := re.search(r"https?://\S+", line):
                lines.append(found[0])
        yield Served(process, lines, said)
    finally:
        process.terminate()
        with suppress(subprocess.TimeoutExpired):
            process.wait(timeout=10)
        process.kill()
        process.wait()
        for stream in (process.stdout, process.stderr):
            if stream is not None:
                stream.close()
