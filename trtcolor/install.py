"""Models into and out of the user's own folder, `trtcolor.bundle.model_folders`' first.

A bundle is put together in a hidden folder beside the others, verified there, and renamed: whoever
lists or opens models meanwhile sees it whole or not at all.
"""

from __future__ import annotations

import os
import re
import shutil
from dataclasses import dataclass, replace
from pathlib import Path

from trtcolor.archives import unpack_bundle
from trtcolor.bundle import SPEC_FILE, Bundle, model_folders, open_bundle, refuse_taken
from trtcolor.errors import BackendError, BundleError, UnknownModelError
from trtcolor.files import put_folder_in_place, temporary_folder, to_disk

CARDS = ("README.md", "LICENSE", "LICENSE.md", "LICENSE.txt")
"""Files that may go with a bundle though ``model.json`` does not list them."""
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]{0,99}")


@dataclass(frozen=True)
class Installed:
    """What `install_bundle` did.

    Attributes:
        path: the new folder; its name is the model's.
        hides: whether a bundled model of that name is no longer found by it.
        loaded: whether ONNX Runtime was there to open its graphs.
    """

    path: Path
    hides: bool
    loaded: bool


def install_bundle(
    source: str | os.PathLike[str], *, name: str | None = None, overwrite: bool = False
) -> Installed:
    """Copy a bundle into the user's folder of models.

    Every file is held against its SHA-256 before it is copied and after, and ONNX Runtime, where
    it is installed, opens every graph. Whatever goes wrong leaves the folder as it was.

    Args:
        source: the bundle's folder, or a ``.zip``, ``.tar`` or ``.tar.gz`` of it.
        name: to call the model by; None: the one in its ``model.json``.
        overwrite: replace a model of that name, or hide a bundled one.

    Raises:
        BundleError: no bundle, an altered or incomplete one, an unsafe archive, an impossible name
            or a bundled model's, or it could not be written.
        BackendError: ONNX Runtime does not open a graph.
        OutputExistsError: the name is taken and `overwrite` is false.
    """
    source = Path(source)
    if not source.exists():
        raise BundleError(
            f"{source} does not exist; a bundle's folder or an archive of one was needed; give "
            "its path"
        )
    if name is not None:
        check_target(name, overwrite=overwrite)
    try:
        with temporary_folder(model_folders()[0]) as staging:
            if source.is_dir():
                _copy(open_bundle(source.absolute()), staging)
            else:
                unpack_bundle(source, staging)
            return publish(staging, source, name=name, overwrite=overwrite)
    except OSError as error:
        raise BundleError(
            f"{source} was not installed in {model_folders()[0]} ({error}); a readable bundle and "
            "a writable folder with free space were needed; make room, or name another folder in "
            "TRTCOLOR_MODELS"
        ) from None


def publish(
    staging: Path, source: Path, *, name: str | None = None, overwrite: bool = False
) -> Installed:
    """Verify a bundle that lies in a temporary folder of the user's models and give it its name.

    Args:
        staging: from `trtcolor.files.temporary_folder`.
        source: where it came from, for errors.
        name, overwrite: as for `install_bundle`.

    Raises:
        BundleError, BackendError, OutputExistsError, OSError: as from `install_bundle`.
    """
    try:
        bundle = open_bundle(staging)
        loaded = check_graphs(bundle)
    except (BundleError, BackendError) as error:
        raise type(error)(str(error).replace(str(staging), str(source))) from None
    name = name or bundle.spec.name
    hides = check_target(name, overwrite=overwrite)
    if name != bundle.spec.name:
        text = replace(bundle.spec, name=name).to_json()
        (staging / SPEC_FILE).write_text(text, encoding="utf-8")
    keep = {SPEC_FILE, *bundle.spec.files, *CARDS}
    for file in staging.iterdir():
        if file.name not in keep:
            file.unlink()
        else:
            file.chmod(0o644)
            to_disk(file)
    staging.chmod(0o755)
    path = staging.parent / name
    put_folder_in_place(staging, path, overwrite=overwrite)
    return Installed(path, hides, loaded)


def check_target(name: str, *, overwrite: bool) -> bool:
    """Refuse a name that no model can be installed by.

    Returns:
        Whether a bundled model has it, which the new one is going to hide.

    Raises:
        BundleError: no name for a folder, "default", or a bundled model's without `overwrite`.
        OutputExistsError: an installed model has it and `overwrite` is false.
    """
    if not _NAME.fullmatch(name) or name == "default":
        raise BundleError(
            f"{name!r} came as a model's name; letters, digits, '.', '_', '+' and '-', 100 at "
            "most, and not 'default' were needed; give it another name (here: --name)"
        )
    user, package = model_folders()
    hides = (package / name / SPEC_FILE).is_file()
    refuse_taken(user / name, overwrite=overwrite)
    if hides and not overwrite:
        raise BundleError(
            f"a bundled model is called {name!r} and would be hidden by the new one; a free name "
            "was needed; give it another (here: --name) or allow that (--overwrite)"
        )
    return hides


def check_graphs(bundle: Bundle) -> bool:
    """Let ONNX Runtime open every graph of a bundle.

    Returns:
        False: it is not installed, and nothing was checked.

    Raises:
        BackendError: it does not open one.
        BundleError: a graph has not the inputs and outputs that ``model.json`` says.
    """
    from trtcolor.backends.onnxruntime import OnnxRuntimeRunner

    try:
        runner = OnnxRuntimeRunner(bundle)
    except BackendError:
        return False
    try:
        for graph, said in bundle.spec.graphs.items():
            inputs, outputs = runner.names(graph)
            if inputs != set(said.inputs) or not outputs >= set(said.outputs):
                raise BundleError(
                    f"{bundle.graph_path(graph)} has the inputs {sorted(inputs)} and the outputs "
                    f"{sorted(outputs)}, model.json says {sorted(said.inputs)} and "
                    f"{sorted(said.outputs)}; the same were needed; export the model again"
                )
    finally:
        runner.close()
    return True


def remove_bundle(name: str) -> bool:
    """Delete a model from the user's folder of models.

    Returns:
        Whether a bundled model of that name is found again.

    Raises:
        UnknownModelError: none of that name there.
        BundleError: it is a bundled one, or could not be deleted.
    """
    user, package = model_folders()
    folder = user / name
    bundled = bool(_NAME.fullmatch(name)) and (package / name / SPEC_FILE).is_file()
    if not _NAME.fullmatch(name) or not (folder / SPEC_FILE).is_file():
        if bundled:
            raise BundleError(
                f"{name!r} is bundled with trtcolor; an installed model was needed; leave it, or "
                "install another by its name to hide it"
            )
        known = ", ".join(sorted(file.parent.name for file in user.glob(f"[!.]*/{SPEC_FILE}")))
        raise UnknownModelError(
            f"no model {name!r} in {user}; one that is installed there was needed "
            f"({known or 'none is'}); see 'trtcolor models'"
        )
    try:
        if folder.is_symlink():  # the user's own arrangement: what it points to is not ours
            folder.unlink()
            return bundled
        with temporary_folder(user) as aside:
            os.rename(folder, aside / name)
            shutil.rmtree(aside / name)
    except OSError as error:
        raise BundleError(
            f"{folder} could not be deleted ({error}); a writable folder was needed; delete it "
            "yourself"
        ) from None
    return bundled


def _copy(bundle: Bundle, folder: Path) -> None:
    for name in (SPEC_FILE, *bundle.spec.files):
        shutil.copyfile(bundle.path / name, folder / name)
    for name in CARDS:
        if name not in bundle.spec.files and (bundle.path / name).is_file():
            shutil.copyfile(bundle.path / name, folder / name)
