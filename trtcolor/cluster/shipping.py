"""A model's bundle, carried to every machine: none needs its path, or has it installed."""

from __future__ import annotations

import hashlib
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


@dataclass(frozen=True)
class Shipped:
    """A bundle in the cluster's object store; it travels to workers as an argument.

    Attributes:
        name: of the model.
        spec: SHA-256 of its ``model.json``, which has that of every other file.
        files: a reference to the bytes of each, by name.
    """

    name: str
    spec: str
    files: Mapping[str, Any]

    def unpacked(self) -> Path:
        """The bundle's folder on this machine, verified; it is written there once.

        Raises:
            ClusterError: it cannot be written.
        """
        parent = platformdirs.user_cache_path("trtcolor") / "shipped"
        folder = parent / f"{self.name}-{self.spec[:16]}"
        try:
            if self._is_whole(folder):
                return folder
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


def ship(bundle: Bundle) -> Shipped:
    """Put a verified bundle into the object store of the cluster that is connected."""
    ray = import_ray()
    data = {name: (bundle.path / name).read_bytes() for name in (SPEC_FILE, *bundle.spec.files)}
    return Shipped(
        name=bundle.spec.name,
        spec=hashlib.sha256(data[SPEC_FILE]).hexdigest(),
        files={name: ray.put(content) for name, content in data.items()},
    )
