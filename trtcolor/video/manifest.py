"""The manifest of an unfinished film: whether it may be gone on with."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from trtcolor.errors import VideoError
from trtcolor.files import whole_file
from trtcolor.video.fragments import json_bytes

FORMAT = 2
"""Of the folder, and of the rule by which fragments end: 1 was every so many frames."""


def write_manifest(path: Path, settings: Mapping[str, Any]) -> None:
    """Say what the folder's film is.

    Raises:
        OSError: the disk is full, and so on.
    """
    with whole_file(path, overwrite=True) as stream:
        stream.write(json_bytes(dict(settings) | {"format": FORMAT}))


def check_manifest(path: Path, settings: Mapping[str, Any]) -> None:
    """Refuse to go on with the work of another film, model or settings.

    Raises:
        VideoError: it is, or the file is damaged.
    """
    stored, folder = _read(path), path.parent
    wanted = json.loads(json_bytes(dict(settings) | {"format": FORMAT}))
    old, new = dict(_entries(stored)), dict(_entries(wanted))
    changed = sorted(key for key in old.keys() | new.keys() if old.get(key) != new.get(key))
    if changed:
        was = ", ".join(f"{key} {old.get(key)!r}, now {new.get(key)!r}" for key in changed)
        raise VideoError(
            f"{folder} was begun otherwise ({was}); the same film, model and settings were needed; "
            "give them, or begin again with --overwrite"
        )


def _entries(table: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """What is in a table and in those within it, by their names."""
    for key, entry in table.items():
        if isinstance(entry, Mapping):
            yield from ((f"{key} {name}", inner) for name, inner in _entries(entry))
        else:
            yield key, entry


def _read(path: Path) -> dict[str, Any]:
    with suppress(ValueError):
        stored = json.loads(path.read_text("utf-8"))
        if isinstance(stored, dict):
            return stored
    raise VideoError(
        f"{path} is damaged; the manifest of an unfinished film was needed; begin again with "
        "--overwrite"
    )
