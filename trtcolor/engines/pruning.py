"""Engines that nobody needs any more, out of the store."""

from __future__ import annotations

import shutil
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from trtcolor.bundle import installed_bundles, read_spec
from trtcolor.engines.building import move_away
from trtcolor.engines.entry import Damaged, Entry, folder_bytes
from trtcolor.engines.here import builder_version
from trtcolor.engines.identity import FOLDER_NAME, RECIPE, Identity
from trtcolor.engines.store import Store
from trtcolor.errors import BundleError, EngineError


@dataclass(frozen=True)
class Pruned:
    """What `prune` met.

    Attributes:
        path: of an engine's folder, a leftover of a killed build, or a cache file.
        reason: why it goes.
        bytes: that it takes on the disk.
        busy: whether it stays because somebody is building it.
    """

    path: Path
    reason: str
    bytes: int
    busy: bool = False


def prune(
    store: Store,
    *,
    older_than: timedelta | None = None,
    stale: bool = False,
    everything: bool = False,
    dry_run: bool = False,
) -> list[Pruned]:
    """Delete engines; what somebody is building stays, and so does what is no engine's folder.

    What killed builds left goes in any case.

    Args:
        older_than: those built longer ago than this.
        stale: those that cannot be used: damaged, of a model that is not installed or has
            changed, of another version of the builder or of trtcolor's recipe.
        everything: all, and the caches of builders and runtimes.
        dry_run: delete nothing.

    Returns:
        What went, or would.

    Raises:
        EngineError: something could not be deleted, or filelock is not installed.
    """
    doomed = []
    for entry in store.entries():
        if FOLDER_NAME.fullmatch(entry.path.name):
            reason = _reason(entry, older_than, stale, everything)
            if reason is not None:
                doomed.append(Pruned(entry.path, reason, folder_bytes(entry.path)))
    left = [
        Pruned(folder, "left by a build that was killed", folder_bytes(folder))
        for folder in map(store.work.folder, store.work.leftovers())
    ]
    done = [_remove(store, one, dry_run) for one in doomed]
    gone = [_remove(store, one, dry_run) for one in left]
    done += [one for one in gone if not one.busy]  # that is no leftover
    if everything:
        done += [_remove_cache(file, dry_run) for file in store.caches()]
    return done


def why_stale(identity: Identity, bundle: str = "") -> str | None:
    """Why an engine is of no use any more on this machine; None: it may be.

    Args:
        bundle: path of the bundle that it was built from, for those that are not installed.
    """
    version = installed_version(identity.config.backend)
    if version is None:
        return f"{identity.builder} is not installed"
    if version != identity.builder_version:
        return f"built by {identity.builder} {identity.builder_version}, {version} is installed"
    if identity.recipe != RECIPE:
        return f"built by recipe {identity.recipe}, trtcolor has {RECIPE}"
    folders = list(installed_bundles())
    if bundle:
        folders.append(Path(bundle))
    if any(_is_from(identity, folder) for folder in folders):
        return None
    return f"no installed model is {identity.model!r} with the same files"


def installed_version(backend: str) -> str | None:
    """Version of the module that builds a backend's engines; None: it does not import."""
    try:
        return builder_version(backend)
    except Exception:  # a broken installation may raise anything
        return None


def _is_from(identity: Identity, folder: Path) -> bool:
    try:
        spec = read_spec(folder)
    except BundleError:
        return False
    graphs = {name: graph.file for name, graph in spec.graphs.items()}
    files = {name: spec.files.get(name) for name in identity.files}
    return graphs == identity.graphs and files == identity.files


def _reason(
    entry: Entry | Damaged, older_than: timedelta | None, stale: bool, everything: bool
) -> str | None:
    if isinstance(entry, Damaged):
        return "damaged" if stale or everything else None
    if stale:
        identity = entry.sidecar.identity
        reason = why_stale(identity, entry.sidecar.bundle)
        if reason is None and entry.problems():
            reason = "damaged"
        if reason is not None:
            return reason
    age = datetime.now(UTC) - entry.sidecar.built_at
    if older_than is not None and age > older_than:
        return f"built {age.days} days ago"
    return "all were to go" if everything else None


def _remove(store: Store, doomed: Pruned, dry_run: bool) -> Pruned:
    name = doomed.path.name
    try:
        with store.work.locked(name) as free:
            if not free:
                return Pruned(doomed.path, "somebody is building it", doomed.bytes, busy=True)
            if not dry_run:
                if doomed.path.parent == store.folder:
                    move_away(doomed.path, store.work.folder(name))
                with suppress(FileNotFoundError):
                    shutil.rmtree(store.work.folder(name))
    except OSError as error:
        if dry_run:
            return doomed  # a folder that is not writable takes no locks either
        raise _not_deleted(doomed.path, error) from None
    return doomed


def _remove_cache(file: Path, dry_run: bool) -> Pruned:
    try:
        doomed = Pruned(file, "all were to go", file.stat().st_size)
        if not dry_run:
            file.unlink()
    except OSError as error:
        raise _not_deleted(file, error) from None
    return doomed


def _not_deleted(path: Path, error: OSError) -> EngineError:
    return EngineError(
        f"{path} was not deleted ({error.strerror}); a writable folder was needed; delete it "
        "yourself"
    )
