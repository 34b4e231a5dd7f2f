"""Model bundles on disk: find one, open it, verify it, list the installed ones."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import platformdirs

from trtcolor.errors import BundleError, UnknownModelError
from trtcolor.files import refuse_existing, whole_file
from trtcolor.spec import ModelSpec

DEFAULT_MODEL = "trtcolor-base"
SPEC_FILE = "model.json"


@dataclass(frozen=True)
class Bundle:
    """A folder with a model in it whose every file has been checked against its SHA-256."""

    path: Path
    spec: ModelSpec

    def graph_path(self, name: str) -> Path:
        """Path of the ONNX file of graph ``local``, ``global`` or ``joint``.

        Raises:
            KeyError: the model has no such graph.
        """
        return self.path / self.spec.graphs[name].file


def file_sha256(path: Path) -> str:
    """SHA-256 of a file's content, in hexadecimal."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def model_folders() -> tuple[Path, ...]:
    """Folders that are searched for bundles by name: the user's own first, then the package's."""
    user = os.environ.get("TRTCOLOR_MODELS") or platformdirs.user_data_path("trtcolor") / "models"
    return Path(user), Path(__file__).parent / "models"


def installed_bundles() -> Iterator[Path]:
    """Every folder with a ``model.json`` in `model_folders`, unverified, first come first.

    Hidden folders are passed over: they are bundles on their way in or out (install.py).
    """
    seen: set[str] = set()
    for folder in model_folders():
        for spec_file in sorted(folder.glob(f"*/{SPEC_FILE}")):
            name = spec_file.parent.name
            if name not in seen and not name.startswith("."):
                seen.add(name)
                yield spec_file.parent


def find_bundle(model: str | os.PathLike[str]) -> Path:
    """The folder of a model given by name or by path.

    Args:
        model: ``"default"``, the name of an installed bundle, or a path to a bundle folder.

    Raises:
        UnknownModelError: neither such a name nor such a folder.
    """
    name = os.fspath(model)
    if name == "default":
        name = DEFAULT_MODEL
    folder = Path(name)
    if folder.is_dir():
        return folder
    if folder.name == name:
        for installed in installed_bundles():
            if installed.name == name:
                return installed
    known = ", ".join(path.name for path in installed_bundles()) or "none"
    raise UnknownModelError(
        f"no model {name!r}; a bundle folder or an installed model was needed "
        f"(installed: {known}); give one of these or a path"
    )


def read_spec(folder: Path) -> ModelSpec:
    """The spec in a bundle's folder; the files that it lists are not looked at.

    Raises:
        BundleError: no ``model.json`` there, or one that cannot be used.
    """
    spec_file = folder / SPEC_FILE
    try:
        text = spec_file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise BundleError(
            f"{folder} has no readable {SPEC_FILE} ({error}); a bundle folder was needed; "
            "write one with 'trtcolor export CHECKPOINT BUNDLE/'"
        ) from None
    return ModelSpec.from_json(text, source=str(spec_file))


def open_bundle(model: str | os.PathLike[str] = "default") -> Bundle:
    """Find a bundle, read its spec and verify the SHA-256 of every file it lists.

    Args:
        model: as for `find_bundle`.

    Raises:
        UnknownModelError: nothing of that name.
        BundleError: no ``model.json`` in the folder, or a file missing, altered or outside it.
    """
    folder = find_bundle(model)
    spec_file = folder / SPEC_FILE
    spec = read_spec(folder)
    unlisted = {graph.file for graph in spec.graphs.values()} - set(spec.files)
    if unlisted:
        raise BundleError(
            f"{spec_file} gives no SHA-256 for {', '.join(sorted(unlisted))}; every graph's was "
            "needed; export the model again"
        )
    for name, expected in spec.files.items():
        if Path(name).name != name or name in ("", "..") or "\0" in name:
            raise BundleError(
                f"{spec_file} lists the file {name!r}; plain names inside the bundle were needed; "
                "do not use this bundle"
            )
        try:
            found = file_sha256(folder / name)
        except OSError as error:
            raise BundleError(
                f"{folder} lacks {name} ({error.strerror}); all files of the bundle were needed; "
                "copy it again or export the model again"
            ) from None
        if found != expected:
            raise BundleError(
                f"{folder / name} has SHA-256 {found[:12]}..., model.json says {expected[:12]}...; "
                "an unaltered file was needed; copy it again or export the model again"
            )
    return Bundle(folder, spec)


def refuse_taken(folder: Path, *, overwrite: bool) -> None:
    """Refuse to write a bundle where one is, or where anything else is.

    Raises:
        OutputExistsError: something is there and `overwrite` is false.
        BundleError: something is there that is no bundle.
    """
    if os.path.lexists(folder) and not (folder / SPEC_FILE).is_file():
        raise BundleError(
            f"{folder} is there and no bundle; only a bundle is overwritten; choose another name"
        )
    if not overwrite:
        refuse_existing(folder)


def record_metrics(model: str | os.PathLike[str], metrics: Mapping[str, Any]) -> None:
    """Write measured figures into a bundle's ``model.json``, in the place of earlier ones.

    Args:
        model: as for `find_bundle`.
        metrics: plain data: figures by name, with what they were measured on.

    Raises:
        UnknownModelError, BundleError: as from `open_bundle`.
    """
    bundle = open_bundle(model)
    text = replace(bundle.spec, metrics=dict(metrics)).to_json()
    with whole_file(bundle.path / SPEC_FILE, overwrite=True) as stream:
        stream.write(text.encode("utf-8"))
