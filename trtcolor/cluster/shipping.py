"""A model's bundle, carried to every machine: none needs its path, or has it installed."""

from __future__ import annotations

import hashlib
import os
import shutil
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import platformdirs

from trtcolor.bundle import SPEC_FILE, Bundle, open_bundle
from trtcolor.cluster.connection import import_ray
from trtcolor.errors import BundleError, ClusterError, OutputExistsError
from trtcolor.files import put_folder_in_place, temporary_folder

DAYS_UNUSED = 30
"""After which a bundle that came here is removed, when another comes."""


@dataclass(frozen=True)
class Shipped:
    """A bundle in the cluster's object store; it travels to workers as an argument.

    Attributes:
        spec: SHA-256 of its ``model.json``, which has that of every other file.
        files: a reference to the bytes of each, by name.
    """

    spec: str
    files: Mapping[str, Any]

    def unpacked(self) -> Path:
        """The bundle's folder on this machine, verified; it is written there once.

        Those that were not asked for in `DAYS_UNUSED` are removed when it is written.

        Raises:
            ClusterError: it cannot be written.
        """
        parent = platformdirs.user_cache_path("trtcolor") / "shipped"
        folder = parent / self.spec[:16]
        try:
            with suppress(FileNotFoundError):
                os.utime(folder)  # it is used
            if self._is_whole(folder):
                return folder
            _remove_unused(parent)
            with temporary_folder(parent) as staging:
                for name, reference in self.files.items():
                    (staging / name).write_bytes(import_ray().get(reference))
                with suppress(OutputExistsError):  # by another worker of this machine, meanwhile
                    put_folder_in_place(staging, folder, overwrite=folder.exists())
        except OSError as error:
            raise ClusterError(
                f"the model cannot be written to {folder} ({error}); a folder with room was "
                "needed; set XDG_CACHE_HOME on that machine"
            ) from None
        if not self._is_whole(folder):
            raise ClusterError(
                f"{folder} does not hold what was written there; a disk that keeps it was needed; "
                "look at that machine"
            )
        return folder

    def _is_whole(self, folder: Path) -> bool:
        try:
            spec = hashlib.sha256((folder / SPEC_FILE).read_bytes()).hexdigest()
            return spec == self.spec and bool(open_bundle(folder))
        except (BundleError, FileNotFoundError):
            return False


def _remove_unused(parent: Path) -> None:
    """Also what a worker had half-written when it was killed."""
    for folder in parent.glob("*"):
        with suppress(OSError):  # of another worker of this machine, which does the same
            if time.time() - folder.stat().st_mtime > DAYS_UNUSED * 86_400:
                shutil.rmtree(folder)


def ship(bundle: Bundle) -> Shipped:
    """Put a verified bundle into the object store of the cluster that is connected."""
    ray = import_ray()
    data = {name: (bundle.path / name).read_bytes() for name in (SPEC_FILE, *bundle.spec.files)}
    return Shipped(
        spec=hashlib.sha256(data[SPEC_FILE]).hexdigest(),
        files={name: ray.put(content) for name, content in data.items()},
    )
