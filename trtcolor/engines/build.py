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
from contextlib import AbstractContextManager, closing, nullcontext
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

import trtcolor
from trtcolor.backends.available import Precision
from trtcolor.backends.base import Runner
from trtcolor.bundle import Bundle, open_bundle
from trtcolor.engines.building import Build
from trtcolor.engines.caches import read_cache, write_cache
from trtcolor.engines.config import EngineConfig
from trtcolor.engines.entry import Entry
from trtcolor.engines.graphs import optimised_graph
from trtcolor.engines.here import Builder, check_precision, find_builder, identity_here, targets_of
from trtcolor.engines.profile import ShapeProfile, default_profiles
from trtcolor.engines.progress import Report
from trtcolor.engines.runners import engine_runner, why_not_here
from trtcolor.engines.sidecar import EngineGraph, Sidecar, Verification
from trtcolor.engines.speed import Speed, measure_speed
from trtcolor.engines.store import Store
from trtcolor.engines.tensorrt import build_plan
from trtcolor.engines.verify import verify
from trtcolor.errors import PrecisionError
from trtcolor.measure import peak_memory
from trtcolor.precision.forms import graphs_at
from trtcolor.precision.pictures import Pictures, find_pictures

if TYPE_CHECKING:
    import onnx

TOOLS = ("onnx", "onnxruntime", "numpy")
"""Modules that make a graph at a precision, besides trtcolor."""
Bar = Callable[[str], AbstractContextManager[Report | None]]
"""Given a label, a context in which progress is reported, e.g. `trtcolor.engines.progress.bar`."""


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
        ValueError: a profile, target or workspace that cannot be.
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
            work = _Work(bundle, builder, build, store, bar, say)
            entry, warnings = work.run(looked_at, accept_error)
    return Built(
        entry,
        builder,
        build.found is not None,
        time.perf_counter() - start,
        peak_memory(),
        tuple(dict.fromkeys(warnings)),
    )


@dataclass(frozen=True)
class _Work:
    """The steps of one build, while the engine's lock is held."""

    bundle: Bundle
    builder: Builder
    build: Build
    store: Store
    bar: Bar
    say: Callable[[str], None]

    def run(self, pictures: Pictures, accept_error: bool) -> tuple[Entry, list[str]]:
        identity = self.build.identity
        config = identity.config
        precise = graphs_at(
            self.bundle,
            config.precision,
            form="tensorrt" if self.builder.is_tensorrt else "cpu",
            pictures=pictures,
            accept_error=accept_error,
            say=self.say,
        )
        built: dict[str, EngineGraph] = {}
        flags: list[str] = []
        warnings: list[str] = []
        for name, graph in precise.graphs.items():
            if self.builder.is_tensorrt:
                built[name], more_flags, more_warnings = self._plan(name, graph)
                flags += more_flags
                warnings += more_warnings
            else:
                built[name] = self._optimised(name, graph)
        sidecar = Sidecar(
            identity=identity,
            graphs=built,
            verification=self._verified(built, pictures, precise.gate.passed),
            created=datetime.now(UTC).isoformat(timespec="seconds"),
            trtcolor=trtcolor.__version__,
            gate={
                **precise.gate.to_dict(),
                "float_layers": list(precise.float_nodes),
                "costs": dict(precise.costs),
            },
            flags=tuple(dict.fromkeys(flags)),
            tools={name: str(import_module(name).__version__) for name in TOOLS},
            bundle=str(self.bundle.path.resolve()),
            speed=self._speed(built, pictures),
        )
        return self.build.publish(sidecar), warnings

    def _plan(
        self, name: str, graph: onnx.ModelProto
    ) -> tuple[EngineGraph, tuple[str, ...], tuple[str, ...]]:
        config = self.build.identity.config
        data = graph.SerializeToString()
        cache = self.store.timing_cache(self.build.identity)
        with self.bar(f"{name} graph") as report:
            plan = build_plan(
                config.backend,
                data,
                config.profiles,
                name=name,
                targets=config.targets,
                workspace=config.workspace,
                report=report,
                timing_cache=read_cache(cache) or None,
            )
        if plan.timing_cache:
            write_cache(cache, plan.timing_cache)
        entry = self.build.write(
            name,
            plan.data,
            onnx_sha256=hashlib.sha256(data).hexdigest(),
            inputs=tuple(plan.inputs),
            outputs=tuple(plan.outputs),
            profiles=tuple(_frames(meant["lightness"]) for meant in plan.profiles),
            seconds=plan.seconds,
        )
        return entry, plan.flags, plan.warnings

    def _optimised(self, name: str, graph: onnx.ModelProto) -> EngineGraph:
        config = self.build.identity.config
        start = time.perf_counter()
        data = optimised_graph(graph, config.backend, bundle=self.bundle, graph=name)
        return self.build.write(
            name,
            data,
            onnx_sha256=hashlib.sha256(graph.SerializeToString()).hexdigest(),
            inputs=[value.name for value in graph.graph.input],
            outputs=[value.name for value in graph.graph.output],
            profiles=config.profiles,
            seconds=time.perf_counter() - start,
        )

    def _verified(
        self, built: dict[str, EngineGraph], pictures: Pictures, gate_passed: bool
    ) -> Verification:
        """Run what was built, before anybody else can; where that cannot be, say why."""
        identity = self.build.identity
        reason = why_not_here(identity)
        if reason is not None:
            self.say(f"unverified: {reason}")
            return Verification(status="unverified", figures={"reason": reason})
        with closing(self._runner(built)) as runner:
            return verify(
                self.bundle,
                runner,
                identity.config.profiles,
                identity.config.precision,
                pictures.gate,
                enforce=gate_passed,
                say=self.say,
            )

    def _speed(self, built: dict[str, EngineGraph], pictures: Pictures) -> Speed | None:
        """Of an engine that runs on the CPU; a plan always comes before these."""
        if self.builder.is_tensorrt:
            return None
        shape = self.build.identity.config.profiles[0].optimum
        with closing(self._runner(built)) as runner:
            speed = measure_speed(self.bundle, runner, shape, pictures.gate[0])
        self.say(f"speed: {speed}")
        return speed

    def _runner(self, built: dict[str, EngineGraph]) -> Runner:
        files = {
            name: (self.build.folder / graph.file).read_bytes() for name, graph in built.items()
        }
        return engine_runner(self.bundle, self.build.identity.config.backend, files)


def _frames(shapes: Sequence[tuple[int, ...]]) -> ShapeProfile:
    """The (N, 1, H, W) minimum, optimum and maximum of a graph's lightness as a profile."""
    minimum, optimum, maximum = ((n, h, w) for n, _, h, w in shapes)
    return ShapeProfile(minimum, optimum, maximum)


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
