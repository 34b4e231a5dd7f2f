"""`build_engine`: a bundle's graphs at a precision, built for a backend, run, and then published.

bundle -> graphs at the precision, held against float32 (trtcolor.precision)
       -> plans or optimised ONNX files -> run where this machine can (verify.py)
       -> the store, under the name that says what they are
"""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path

from trtcolor.backends.available import Precision
from trtcolor.backends.frame_plans import FramePlans
from trtcolor.bundle import Bundle, open_bundle
from trtcolor.engines.config import EngineConfig
from trtcolor.engines.entry import Entry
from trtcolor.engines.frames import check_frame_profiles, default_frame_profiles
from trtcolor.engines.here import Builder, check_precision, find_builder, identity_here, targets_of
from trtcolor.engines.making import Bar, Making
from trtcolor.engines.profile import ShapeProfile, default_profiles
from trtcolor.engines.store import Store
from trtcolor.errors import PrecisionError
from trtcolor.measure import peak_memory
from trtcolor.precision.pictures import Pictures, find_pictures


@dataclass(frozen=True)
class Built:
    """An engine and how it came to be.

    Attributes:
        entry: in the store.
        builder: that was taken.
        found: it was there already.
        seconds: that all of it took.
        peak_memory: largest resident size of the process so far, in bytes; None where the system
            does not tell.
        warnings: of the builder, each once.
    """

    entry: Entry
    builder: Builder
    found: bool
    seconds: float
    peak_memory: int | None
    warnings: tuple[str, ...] = ()


def build_engine(
    model: str | os.PathLike[str] = "default",
    *,
    backend: str = "auto",
    precision: Precision | None = None,
    profiles: Sequence[ShapeProfile] = (),
    frames: FramePlans | None = None,
    frame_profiles: Sequence[ShapeProfile] = (),
    target: str = "this",
    workspace: int | None = None,
    pictures: str | os.PathLike[str] | None = None,
    accept_error: bool = False,
    folder: Path | None = None,
    bar: Bar = lambda _: nullcontext(None),
    say: Callable[[str], None] = lambda _: None,
) -> Built:
    """Build the engine of a model, or find it built.

    Nothing is published that colours otherwise than float32 does, as far as this machine can tell:
    the graphs at the precision are held against it first, then the engine itself is run. Where a
    plan cannot be run, for want of a GPU, its sidecar says ``unverified`` and the first load on one
    verifies it.

    Args:
        model: ``"default"``, the name of an installed bundle, or a path to a bundle folder.
        backend: ``"auto"`` (`trtcolor.engines.here.find_builder`), ``"tensorrt"``,
            ``"tensorrt-rtx"``, ``"onnxruntime"`` or ``"openvino"``.
        precision: ``"fp32"``, ``"fp16"``, ``"bf16"`` or ``"int8"``; None: fp16 for the TensorRTs,
            fp32 for the others, which know that and int8.
        profiles: that the engine takes; none: `trtcolor.engines.profile.default_profiles`.
        frames: also build the plans around the network that let frames in GPU memory stay there,
            for this render size and gamut (the TensorRTs); None: none.
        frame_profiles: sizes of these frames; none:
            `trtcolor.engines.frames.default_frame_profiles`.
        target: ``"this"``, or compute capabilities by comma, as in ``"sm89,sm120"``.
        workspace: bytes of GPU memory for intermediate results; None: the builder's default.
        pictures: a folder or shards to calibrate int8 on and to judge by; None: the photographs
            inside scikit-image.
        accept_error: publish an engine whose graphs are further from float32 than the precision
            may be; what is not finite is never published.
        folder: of engines, to put it in; None: the user's own cache.
        bar: for the progress of each plan.
        say: is given a line about each thing done.

    Raises:
        UnknownModelError, BundleError: no such model, or an altered one.
        ValueError: a profile, target or workspace that cannot be, or frames for a CPU.
        PrecisionError: the precision costs too much, or the backend does not compute in it.
        DataError: no pictures.
        BackendError: the builder is not installed, or refuses graph, profiles or target.
        EngineError: what was built gives other colours than float32, or cannot be kept.
        KeyboardInterrupt: after Ctrl-C, when the builder has stopped; nothing is left behind.
    """
    start = time.perf_counter()
    bundle = open_bundle(model)
    builder = find_builder(backend)
    if builder.reason is not None:
        say(f"backend {builder.backend}: {builder.reason}")
    precision = precision or ("fp16" if builder.is_tensorrt else "fp32")
    check_precision(builder.backend, precision)
    taken = tuple(profiles) or default_profiles(bundle.spec)
    for profile in taken:
        profile.check(bundle.spec.size)
    targets = targets_of(builder, target)
    looked_at = find_pictures(pictures)
    config = EngineConfig(
        backend=builder.backend,
        precision=precision,
        profiles=taken,
        targets=targets,
        workspace=workspace,
        calibration=_pictures_sha256(looked_at) if precision == "int8" else None,
        frames=frames,
        frame_profiles=_frame_profiles(bundle, frames, frame_profiles, taken),
    )
    identity = identity_here(bundle, config, builder.version)
    # A folder that the user names is the user's to judge; loading from it asks for trust again.
    store = Store(folder, trust=folder is not None)
    warnings: Iterable[str] = ()
    with store.building(identity, waiting=say) as build:
        for problem in build.replaces:
            say(f"the engine that is there is damaged ({problem}) and will be replaced")
        if build.found is not None:
            entry = build.found
            _check_accepted(entry, accept_error)
        else:
            making = Making(bundle, builder, build, store, bar, say)
            entry, warnings = making.run(looked_at, accept_error), making.warnings
    return Built(
        entry,
        builder,
        build.found is not None,
        time.perf_counter() - start,
        peak_memory(),
        tuple(dict.fromkeys(warnings)),
    )


def _frame_profiles(
    bundle: Bundle,
    frames: FramePlans | None,
    given: Sequence[ShapeProfile],
    profiles: Sequence[ShapeProfile],
) -> tuple[ShapeProfile, ...]:
    if frames is None:
        return tuple(given)  # which are then refused
    rule, render = bundle.spec.size, frames.render
    taken = tuple(given) or default_frame_profiles(rule, render, profiles)
    check_frame_profiles(taken, rule, render, profiles)
    return taken


def _pictures_sha256(pictures: Pictures) -> str:
    """Of both parts: int8's ranges come from one, which layers stay float32 from the other."""
    both = f"{pictures.calibration_sha256} {pictures.gate_sha256}"
    return hashlib.sha256(both.encode("ascii")).hexdigest()


def _check_accepted(entry: Entry, accept_error: bool) -> None:
    """An engine whose error was once accepted is not another user's answer."""
    gate = entry.sidecar.gate or {}
    if gate.get("passed") is False and not accept_error:
        raise PrecisionError(
            f"engine {entry.path.name} is there, built with --accept-error: it is further from "
            "float32 than its precision may be; choose another precision, or accept the error too"
        )
