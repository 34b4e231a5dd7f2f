"""Engines from the store, checked before they run: whose, of which model, whole, for this machine.

The order matters: an engine is executable code, so where it lies is looked at before what is in it,
and its hashes before anything of it is deserialised.
"""

from __future__ import annotations

import os
import shlex
import warnings
from contextlib import closing
from pathlib import Path

from trtcolor.backends._tensorrt import MODULES
from trtcolor.backends.available import Precision
from trtcolor.backends.base import BackendRunner, Runner
from trtcolor.bundle import Bundle, installed_bundles, open_bundle
from trtcolor.engines.config import EngineConfig
from trtcolor.engines.differences import differences
from trtcolor.engines.entry import Damaged, Entry, open_entry
from trtcolor.engines.here import builder_version, check_precision, identity_here
from trtcolor.engines.identity import Identity
from trtcolor.engines.profile import default_profiles
from trtcolor.engines.runners import engine_runner, why_not_here
from trtcolor.engines.store import Store
from trtcolor.errors import EngineError

CHOSEN_BY_USER = (
    *("profiles", "workspace", "calibration", "targets", "precision", "gpu"),
    *("frames", "frame_profiles"),
)
"""What an engine may have as it likes; targets and GPU are compared with the machine instead."""


def open_engine(
    bundle: Bundle,
    backend: str,
    *,
    precision: Precision | None = None,
    threads: int | None = None,
    store: Store | None = None,
) -> BackendRunner:
    """The runner of a model's newest engine in the store that this machine can run.

    Args:
        bundle: verified.
        backend: ``tensorrt``, ``tensorrt-rtx``, ``onnxruntime`` or ``openvino``.
        precision: ``fp32``, ``fp16``, ``bf16`` or ``int8``; None: any.
        threads: within one run, on a CPU.
        store: None: the user's own.

    Raises:
        EngineError: there is none, and what the nearest one differs in; or it is damaged, or has
            failed when it was first run here.
        PrecisionError: the backend does not compute in it.
        BackendError: the backend is not installed, or no GPU answers.
    """
    store = store or Store()
    if precision is not None:
        check_precision(backend, precision)
    wanted = _wanted(bundle, backend, precision)
    ignored = CHOSEN_BY_USER if precision is None else _without(CHOSEN_BY_USER, "precision")
    nearest = ""
    for entry, told in store.candidates(wanted, ignoring=ignored):
        problem = told[0] if told else why_not_here(entry.sidecar.identity)
        if problem is None:
            return _opened(bundle, entry, store, trust=False, threads=threads)
        nearest = nearest or f"; the nearest, {entry.path.name}, has {problem}"
    damaged = sum(isinstance(entry, Damaged) for entry in store.entries())
    if damaged:
        nearest += f"; damaged engines there, of whatever model: {damaged}"
    asked = f"{backend} at {precision}" if precision else backend
    option = f" --precision {precision}" if precision else ""
    raise EngineError(
        f"model {bundle.spec.name!r} has no engine for {asked} that runs here (in {store.folder}"
        f"{nearest}); one was needed; run: trtcolor build-engine {_called(bundle)} --backend "
        f"{backend}{option}"
    )


def open_engine_folder(
    bundle: Bundle, folder: Path, *, trust: bool = False, threads: int | None = None
) -> BackendRunner:
    """The runner of the engine in a folder, which must be this model's and for this machine.

    Args:
        bundle: verified.
        folder: of the engine.
        trust: whether it may lie elsewhere than in the user's own cache: engines are executable.
        threads: within one run, on a CPU.

    Raises:
        EngineError: it is another model's, another machine's, damaged, or not trusted.
        BackendError: its backend is not installed, or no GPU answers.
    """
    entry = open_entry(Path(os.path.realpath(folder)))  # a link could become another's meanwhile
    identity = entry.sidecar.identity
    wanted = _wanted(bundle, identity.config.backend, identity.config.precision)
    told = differences(wanted, identity, ignoring=CHOSEN_BY_USER)
    problem = told[0] if told else why_not_here(identity)
    if problem is not None:
        raise EngineError(
            f"engine {entry.path.name} does not fit ({problem}); one of model "
            f"{bundle.spec.name!r} for this machine was needed; build it here"
        )
    return _opened(bundle, entry, Store(entry.path.parent), trust=trust, threads=threads)


def run_unverified(entry: Entry, *, trust: bool = False) -> Entry:
    """Verify an engine that nothing has run yet, with the bundle that it was built from.

    Returns:
        The entry as it is now; as it was where it is verified already, or cannot run here.

    Raises:
        EngineError: its colours are not right, its bundle has changed, or it is not trusted.
        BundleError: its bundle is gone or altered.
    """
    identity = entry.sidecar.identity
    if entry.sidecar.verification.status == "verified" or why_not_here(identity) is not None:
        return entry
    bundle = open_bundle(entry.sidecar.bundle)
    open_engine_folder(bundle, entry.path, trust=trust).close()  # the first load verifies
    return open_entry(entry.path)


def _called(bundle: Bundle) -> str:
    """A bundle as a command line names it: by its name if it is installed, else by its folder."""
    installed = bundle.path in installed_bundles()
    return shlex.quote(bundle.path.name if installed else str(bundle.path))


def _wanted(bundle: Bundle, backend: str, precision: Precision | None) -> Identity:
    """What an engine of a model has to be here, whatever it was asked to be besides."""
    config = EngineConfig(
        backend=backend,
        precision=precision or "fp32",
        profiles=default_profiles(bundle.spec),
        targets=("sm89",) if backend in MODULES else (),  # as good as any: it is not compared
        calibration="0" * 64 if precision == "int8" else None,
    )
    return identity_here(bundle, config, builder_version(backend))


def _opened(
    bundle: Bundle, entry: Entry, store: Store, *, trust: bool, threads: int | None
) -> BackendRunner:
    """Trusted, then hashed, then loaded: what does not load is refused here, not while it runs."""
    identity = entry.sidecar.identity
    if not trust:
        entry.check_trusted()
    entry.check()
    files = {name: entry.read(name, trust=trust) for name in entry.sidecar.graphs}
    if entry.sidecar.verification.status == "unverified":
        # with the kernels that a shape ends up with: lazily they come only behind its first runs
        with closing(
            engine_runner(bundle, identity, files, threads=threads, specialization="eager")
        ) as trial:
            verify_entry(bundle, entry, trial, store)
    runner = engine_runner(bundle, identity, files, threads=threads)
    try:
        runner.load("local")
    except BaseException:
        runner.close()
        raise
    return runner


def verify_entry(bundle: Bundle, entry: Entry, runner: Runner, store: Store) -> Entry:
    """Run an engine that nothing has run yet, and write down that its colours are right.

    Raises:
        EngineError: they are not.
        DataError: no pictures to run it on: scikit-image is not installed.
    """
    from trtcolor.engines.verify import verify
    from trtcolor.precision.pictures import find_pictures

    config = entry.sidecar.identity.config
    accepted = (entry.sidecar.gate or {}).get("passed") is False
    found = verify(
        bundle,
        runner,
        config,
        find_pictures().gate,
        enforce=not accepted,
    )
    try:
        return store.record(entry, found)
    except EngineError as error:  # a cache that cannot be written to is no reason not to colour
        warnings.warn(f"verified, but not written down: {error}", RuntimeWarning, stacklevel=2)
        return Entry(entry.path, entry.sidecar)


def _without(names: tuple[str, ...], name: str) -> tuple[str, ...]:
    return tuple(other for other in names if other != name)
