"""Whose engines are run: they are executable code, so only what nobody else could have put there.

NVIDIA says of plans, and it holds for their timing and runtime caches: never deserialise one from
an untrusted source.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path

import platformdirs


def engines_folder() -> Path:
    """The user's own cache of engines: ``TRTCOLOR_ENGINES``, else the platform's place for it."""
    named = os.environ.get("TRTCOLOR_ENGINES")
    return Path(named) if named else platformdirs.user_cache_path("trtcolor") / "engines"


def trusted(path: Path) -> str | None:
    """Why an engine's folder, or a file in one, is not to be loaded; None: it may be.

    It may be if it lies in `engines_folder` and neither that, nor the engine's folder, nor a file
    in it belongs to, or can be written by, anyone but the user and root.
    """
    try:
        home, found = engines_folder().resolve(), path.resolve(strict=True)
        if home not in found.parents:
            return f"{path} is not in {home}, your own cache of engines"
        folders = found.parents[: found.parents.index(home) + 1]
        for part in (*reversed(folders), found, *(found.iterdir() if found.is_dir() else ())):
            reason = not_private(part)
            if reason is not None:
                return reason
    except (OSError, RuntimeError) as error:  # RuntimeError: links that lead in a circle
        return f"{path} cannot be looked at ({error})"
    return None


def make_private(folder: Path) -> None:
    """Make a folder that only its user can enter; one that is there stays as it is.

    Raises:
        OSError: it cannot be made, or a file has its name.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    folder.mkdir(mode=0o700, exist_ok=True)


def not_private(path: Path) -> str | None:
    """Why somebody else could have put this file or folder there, or changed it; None: nobody.

    Raises:
        OSError: it cannot be looked at.
    """
    found = path.stat()
    if found.st_uid not in (os.geteuid(), 0):
        return f"{path} belongs to another user (number {found.st_uid})"
    if found.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        return f"{path} can be written by others (mode {stat.S_IMODE(found.st_mode):o})"
    return None
