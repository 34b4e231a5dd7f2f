"""The steps of one build: graphs at a precision, plans or ONNX files of them, run and kept."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, closing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib import import_module
from typing import TYPE_CHECKING

import trtcolor
from trtcolor.backends._profiles import InputRange
from trtcolor.backends.base import Runner
from trtcolor.backends.frame_plans import FRAME_GRAPHS
from trtcolor.bundle import Bundle
from trtcolor.engines.building import Build
from trtcolor.engines.caches import read_cache, write_cache
from trtcolor.engines.entry import Entry
from trtcolor.engines.frames import frame_graphs, graph_profiles
from trtcolor.engines.graphs import optimised_graph
from trtcolor.engines.here import Builder
from trtcolor.engines.profile import FRAMES, GraphProfile, ShapeProfile
from trtcolor.engines.progress import Report
from trtcolor.engines.runners import engine_runner, why_not_here
from trtcolor.engines.sidecar import EngineGraph, Sidecar, Verification
from trtcolor.engines.speed import Speed, measure_speed
from trtcolor.engines.store import Store
from trtcolor.engines.tensorrt import build_plan
from trtcolor.engines.verify import verify
from trtcolor.precision.forms import graphs_at
from trtcolor.precision.pictures import Pictures

if TYPE_CHECKING:
    import onnx

TOOLS = ("onnx", "onnxruntime", "numpy")
"""Modules that make a graph at a precision, besides trtcolor."""
Bar = Callable[[str], AbstractContextManager[Report | None]]
"""Given a label, a context in which progress is reported, e.g. `trtcolor.engines.progress.bar`."""


@dataclass(frozen=True)
class Making:
    """One build, while the engine's lock is held.

    Attributes:
        bundle, builder, build, store: of what, by what, and where to.
        bar: for the progress of each plan.
        say: is given a line about each thing done.
        flags, warnings: of the builder, as they come.
    """

    bundle: Bundle
    builder: Builder
    build: Build
    store: Store
    bar: Bar
    say: Callable[[str], None]
    flags: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    def run(self, pictures: Pictures, accept_error: bool) -> Entry:
        """Build the engine, run it where that can be, and publish it.

        Args:
            pictures: to calibrate int8 on and to judge by.
            accept_error: as for `trtcolor.engines.build.build_engine`.

        Raises:
            PrecisionError, BackendError, EngineError: as from `build_engine`.
        """
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
        built = {name: self._built(name, graph) for name, graph in precise.graphs.items()}
        if config.frames is not None:
            for name, graph in frame_graphs(self.bundle.spec, config.frames).items():
                built[name] = self._plan(name, graph)
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
            flags=tuple(dict.fromkeys(self.flags)),
            tools={name: str(import_module(name).__version__) for name in TOOLS},
            bundle=str(self.bundle.path.resolve()),
            speed=self._speed(built, pictures),
        )
        return self.build.publish(sidecar)

    def _built(self, name: str, graph: onnx.ModelProto) -> EngineGraph:
        return (self._plan if self.builder.is_tensorrt else self._optimised)(name, graph)

    def _plan(self, name: str, graph: onnx.ModelProto) -> EngineGraph:
        config = self.build.identity.config
        data = graph.SerializeToString()
        cache = self.store.timing_cache(self.build.identity)
        with self.bar(f"{name} graph") as report:
            plan = build_plan(
                config.backend,
                data,
                self._profiles(name),
                name=name,
                targets=config.targets,
                workspace=config.workspace,
                report=report,
                timing_cache=read_cache(cache) or None,
            )
        if plan.timing_cache:
            write_cache(cache, plan.timing_cache)
        self.flags.extend(plan.flags)
        self.warnings.extend(plan.warnings)
        return self.build.write(
            name,
            plan.data,
            onnx_sha256=hashlib.sha256(data).hexdigest(),
            inputs=tuple(plan.inputs),
            outputs=tuple(plan.outputs),
            profiles=tuple(map(_sizes, plan.profiles)),
            seconds=plan.seconds,
        )

    def _profiles(self, name: str) -> Sequence[GraphProfile]:
        config = self.build.identity.config
        if config.frames is None or name not in FRAME_GRAPHS:
            return config.profiles
        rule = self.bundle.spec.size
        return graph_profiles(
            name, config.frame_profiles, rule, config.frames.render, config.profiles
        )

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
                identity.config,
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
        return engine_runner(self.bundle, self.build.identity, files, specialization="eager")


def _sizes(meant: Mapping[str, InputRange]) -> ShapeProfile:
    """What a profile says of a graph's frames (N, H, W, C) or of its lightness (N, 1, H, W)."""
    of_frames = FRAMES in meant
    shapes = meant[FRAMES if of_frames else "lightness"]
    height = 1 if of_frames else 2
    minimum, optimum, maximum = ((s[0], s[height], s[height + 1]) for s in shapes)
    return ShapeProfile(minimum, optimum, maximum)
