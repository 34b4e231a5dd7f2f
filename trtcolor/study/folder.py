"""A study's folder: what was prepared, and where everything in it lies.

FOLDER/study.json       what was prepared; never changed afterwards
FOLDER/pictures/ID.png  every picture, under a random name
FOLDER/secret           what the links are made of; its owner alone can read it
FOLDER/users.csv        who takes part (trtcolor.study.users)
FOLDER/answers.csv      what they said (trtcolor.study.answers)
FOLDER/lock             held while the study is served
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

from trtcolor.errors import StudyError

SPEC_FILE = "study.json"
PICTURES = "pictures"
SECRET = "secret"
LOCK = "lock"
VERSION = 1

QUESTION = "Does this image look natural to you?"
"""004, section 4.3."""

SIDE = 224
"""Pixels of a picture's height and width (004, section 4.3)."""

COUNTS = ("kept", "colourless", "unreadable", "enlarged")
PICTURE_ID = re.compile(r"[0-9a-f]{32}")


@dataclass(frozen=True)
class Approach:
    """What a picture's colours are from.

    Attributes:
        name: in the answers and in the report; of its own.
        kind: the originals, or a bundle's network.
        system: the row of 004, Figure 5, that it is; None: it is not in the paper.
        model: name of the bundle's model; None: the originals.
        files: SHA-256 of the bundle's files by name.
    """

    name: str
    kind: Literal["originals", "bundle"]
    system: str | None = None
    model: str | None = None
    files: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Scene:
    """One picture of the data, in a version of each approach.

    Attributes:
        name: its key in the data, printable and of its own.
        pictures: IDs of its versions, in the order of the approaches.
    """

    name: str
    pictures: tuple[str, ...]


@dataclass(frozen=True)
class Study:
    """What was prepared.

    Attributes:
        folder: where it lies.
        approaches: the originals first, then the bundles in the order given.
        scenes: the pictures, in the order of the draw.
        seed: of the draw of pictures and of every user's order.
        data: the last parts of the path of the data.
        settings: how pictures were chosen and coloured, as plain data.
        counts: pictures of the data by `COUNTS`, as far as they were drawn.
        prepared: when, ISO 8601, UTC.
        trtcolor: the version that prepared it.
    """

    folder: Path
    approaches: tuple[Approach, ...]
    scenes: tuple[Scene, ...]
    seed: int
    data: str
    settings: Mapping[str, Any]
    counts: Mapping[str, int]
    prepared: str
    trtcolor: str

    @property
    def answers_of_a_user(self) -> int:
        return len(self.scenes) * len(self.approaches)

    def picture_file(self, scene: int, approach: int) -> Path:
        """Of a scene's version, both by index."""
        return self.folder / PICTURES / f"{self.scenes[scene].pictures[approach]}.png"

    def write(self, folder: Path) -> None:
        """Write ``study.json`` into a folder that is being prepared."""
        entries = {name: value for name, value in asdict(self).items() if name != "folder"}
        text = json.dumps({"study": VERSION, "question": QUESTION, **entries}, indent=1)
        (folder / SPEC_FILE).write_text(text + "\n", encoding="utf-8")

    def secret(self) -> bytes:
        """What the links are made of.

        Raises:
            StudyError: it is gone.
        """
        try:
            return bytes.fromhex((self.folder / SECRET).read_text(encoding="ascii").strip())
        except (OSError, ValueError) as error:
            raise StudyError(
                f"{self.folder / SECRET} cannot be used ({error}); the file that the study was "
                "prepared with was needed; copy it back"
            ) from None


def open_study(folder: str | os.PathLike[str]) -> Study:
    """Read what was prepared; pictures and answers are not looked at.

    Raises:
        StudyError: there is no study, or it is damaged or of another version.
    """
    file = Path(folder) / SPEC_FILE
    try:
        entries = json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise StudyError(
            f"{os.fspath(folder)} has no {SPEC_FILE}; a study's folder was needed; prepare one "
            "with 'trtcolor study BUNDLE... DATA -o FOLDER'"
        ) from None
    except (OSError, ValueError, RecursionError) as error:
        raise StudyError(
            f"{file} cannot be read ({error}); that of a study was needed; copy it again"
        ) from None
    version = entries.get("study") if isinstance(entries, dict) else None
    if version != VERSION:
        raise StudyError(
            f"{file} is of version {version}; version {VERSION} was needed; use the trtcolor that "
            "prepared it"
        )
    try:
        return _parsed(Path(folder), entries)
    except (KeyError, TypeError, ValueError) as error:
        raise StudyError(
            f"{file} is damaged ({type(error).__name__}: {error}); that of a study was needed; "
            "copy it again"
        ) from None


def _parsed(folder: Path, entries: Mapping[str, Any]) -> Study:
    approaches = tuple(Approach(**approach) for approach in entries["approaches"])
    scenes = tuple(Scene(str(s["name"]), tuple(s["pictures"])) for s in entries["scenes"])
    for scene in scenes:
        for picture in scene.pictures:
            if not PICTURE_ID.fullmatch(picture):
                raise ValueError(f"the picture {picture!r} is no ID")
        if len(scene.pictures) != len(approaches):
            raise ValueError(f"{scene.name!r} has {len(scene.pictures)} versions")
    for names in ([a.name for a in approaches], [s.name for s in scenes]):
        if not names or len(set(names)) < len(names):
            raise ValueError("names are missing or double")
    return Study(
        folder=folder,
        approaches=approaches,
        scenes=scenes,
        seed=int(entries["seed"]),
        data=str(entries["data"]),
        settings=dict(entries["settings"]),
        counts={name: int(entries["counts"][name]) for name in COUNTS},
        prepared=str(entries["prepared"]),
        trtcolor=str(entries["trtcolor"]),
    )
