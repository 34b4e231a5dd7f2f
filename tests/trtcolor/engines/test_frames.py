"""Engines whose plans take frames and give frames: built for real, run by ONNX Runtime here."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import command_line
import numpy as np
import pytest
from numpy.typing import NDArray

from trtcolor.backends.frame_plans import MERGE, FramePlans
from trtcolor.backends.onnxruntime import OnnxRuntimeRunner
from trtcolor.bundle import Bundle, open_bundle
from trtcolor.engines.build import build_engine
from trtcolor.engines.config import EngineConfig
from trtcolor.engines.frames import (
    check_frame_profiles,
    default_frame_profiles,
    frame_graphs,
    graph_profiles,
)
from trtcolor.engines.here import find_builder, present_target, targets_of
from trtcolor.engines.profile import ShapeProfile, default_profiles
from trtcolor.engines.store import Store
from trtcolor.engines.verify import verify
from trtcolor.errors import BackendError, EngineError
from trtcolor.spec import SizeRule

MakeBundle = Callable[..., Path]
PROFILES = (ShapeProfile.parse("8:32:64"),)
FRAMES = (ShapeProfile.parse("1:60x40:2x120x120"),)
RULE = SizeRule(
    multiple=8, chroma_scale=2, training_size=32, global_size=32, render_size=32, halo=16
)
PICTURES = [
    (100 * np.random.default_rng(seed).random((50, 70))).astype(np.float32) for seed in range(3)
]


class FrameRunner(OnnxRuntimeRunner):
    """ONNX Runtime with the graphs for frames beside the bundle's; what one gives can be changed.

    Attributes:
        changes: by graph, a function of each array that it gives.
        ran: graphs in order, with the shape of the first input.
    """

    def __init__(self, bundle: Bundle, frames: FramePlans) -> None:
        made = frame_graphs(bundle.spec, frames)
        super().__init__(bundle)
        self.changes: dict[str, Callable[[NDArray[Any]], NDArray[Any]]] = {}
        self.ran: list[tuple[str, tuple[int, ...]]] = []
        self._sessions = {name: _session(graph.SerializeToString()) for name, graph in made.items()}

    def run(
        self, graph: str, inputs: Mapping[str, NDArray[Any]], outputs: Sequence[str]
    ) -> list[NDArray[Any]]:
        self.ran.append((graph, next(iter(inputs.values())).shape))
        if graph in self._sessions:
            found = self._sessions[graph].run(outputs, dict(inputs))
        else:
            found = super().run(graph, inputs, outputs)
        change = self.changes.get(graph, lambda array: array)
        return [change(array) for array in found]


def _session(graph: bytes) -> Any:
    import onnxruntime

    return onnxruntime.InferenceSession(graph, providers=["CPUExecutionProvider"])


def config(**entries: Any) -> EngineConfig:
    return EngineConfig(
        **{
            "backend": "tensorrt-rtx",
            "precision": "fp32",
            "profiles": PROFILES,
            "targets": ("sm89",),
            "frames": FramePlans(32),
            "frame_profiles": FRAMES,
        }
        | entries
    )


@pytest.fixture
def bundle(make_bundle: MakeBundle) -> Bundle:
    return open_bundle(make_bundle(global_size=16, classes=("sea", "town")))


# ---- which sizes -------------------------------------------------------------------------------


def test_frames_that_are_reduced_go_up_to_4096_by_default() -> None:
    (profile,) = default_frame_profiles(RULE, "auto", PROFILES)
    assert str(profile) == "1x1:1920x1080:4096x4096"
    wide = (ShapeProfile.parse("8:2x32x32:4x2048x2048"),)
    assert str(default_frame_profiles(RULE, 32, wide)[0]) == "1x1:2x1920x1080:4x4096x4096"


@pytest.mark.parametrize("render", ["full", "auto"])
def test_frames_at_full_size_go_as_far_as_the_network_does(render: Any) -> None:
    rule = replace(RULE, render_size=None) if render == "auto" else RULE
    (profile,) = default_frame_profiles(rule, render, PROFILES)
    assert str(profile) == "1x1:32x32:64x64"


def test_frames_that_the_network_would_not_take_are_refused_with_what_it_would_get() -> None:
    check_frame_profiles(FRAMES, RULE, 32, (ShapeProfile.parse("8:2x48x48:2x64x64"),))
    with pytest.raises(ValueError, match=r"^frames of 2x120x120 came, .* as 2x120x120; a size"):
        check_frame_profiles(FRAMES, RULE, "full", PROFILES)


def test_the_merge_takes_every_chroma_that_the_network_gives_for_such_frames() -> None:
    (found,) = graph_profiles(MERGE, FRAMES, RULE, 32, PROFILES)
    assert isinstance(found, Mapping)
    assert str(found["lightness"]) == "1x1:60x40:2x120x120"
    assert str(found["chroma"]) == "1x1:24x16:2x32x32"


# ---- building ----------------------------------------------------------------------------------


@pytest.mark.parametrize("render", ["auto", "full", 24])
def test_plans_for_frames_are_built_and_kept_beside_the_network(
    render: Any, bundle: Bundle, store: Store
) -> None:
    pytest.importorskip("tensorrt_rtx", reason="tensorrt-rtx is not installed")
    wide = (ShapeProfile.parse("8:32:2x128x128"),)
    options: dict[str, Any] = {"backend": "tensorrt-rtx", "target": "sm89", "profiles": wide}
    plain = build_engine(bundle.path, **options)
    options |= {"frames": FramePlans(render), "frame_profiles": FRAMES}
    built = build_engine(bundle.path, **options)
    assert built.entry.path != plain.entry.path
    sidecar = built.entry.sidecar
    assert set(sidecar.graphs) == {
        *plain.entry.sidecar.graphs,
        *("prepare", "prepare_grey", "merge"),
    }
    assert built.entry.problems() == []
    assert sidecar.graphs["prepare"].inputs == ("frames",)
    assert sidecar.graphs["prepare"].outputs == (
        *("lightness", "network_lightness", "global_lightness"),
    )
    assert sidecar.graphs["prepare_grey"].profiles == FRAMES
    assert sidecar.graphs["merge"].inputs == ("lightness", "chroma", "saturation")
    assert sidecar.graphs["merge"].outputs == ("rgb",)
    assert build_engine(bundle.path, **options).found
    other = build_engine(bundle.path, **options | {"frames": FramePlans(render, "clip")})
    assert not other.found
    assert (built.entry.path / sidecar.graphs["merge"].file).read_bytes() != (
        other.entry.path / other.entry.sidecar.graphs["merge"].file
    ).read_bytes()


def test_plans_for_frames_of_the_default_model_build_in_its_default_profiles() -> None:
    pytest.importorskip("tensorrt_rtx", reason="tensorrt-rtx is not installed")
    from trtcolor.engines.tensorrt import build_plan

    spec = open_bundle("default").spec
    frames, network = FramePlans(), default_profiles(spec)
    sizes = default_frame_profiles(spec.size, frames.render, network)
    check_frame_profiles(sizes, spec.size, frames.render, network)
    for name, graph in frame_graphs(spec, frames).items():
        ranges = graph_profiles(name, sizes, spec.size, frames.render, network)
        plan = build_plan(
            *("tensorrt-rtx", graph.SerializeToString(), ranges), name=name, targets=("sm89",)
        )
        assert len(plan.data) > 10_000
        assert plan.warnings == ()


def test_frames_on_a_cpu_are_refused(bundle: Bundle, store: Store) -> None:
    with pytest.raises(ValueError, match="backend onnxruntime, which runs on the CPU"):
        build_engine(
            bundle.path, backend="onnxruntime", profiles=PROFILES, frames=FramePlans("full")
        )
    with pytest.raises(ValueError, match=r"plans for frames \(None\) came with"):
        build_engine(bundle.path, backend="onnxruntime", profiles=PROFILES, frame_profiles=FRAMES)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--render", "full", "--gamut", "clip"], "--render, --gamut came without --frames"),
        (["--frame-profile", "64"], "--frame-profile came without --frames"),
        (["--frames", "--gamut", "wide"], "'wide' is not one of"),
        (["--frames", "--render", "0"], "render is 0"),
    ],
)
def test_the_command_refuses_what_says_nothing(arguments: list[str], words: str) -> None:
    done = command_line.run("build-engine", *arguments)
    assert done.returncode == 2
    assert words in " ".join(done.stderr.split())


def test_the_command_builds_plans_for_frames_and_tells_of_them(
    bundle: Bundle, store: Store
) -> None:
    pytest.importorskip("tensorrt_rtx", reason="tensorrt-rtx is not installed")
    done = command_line.run(
        *("build-engine", bundle.path, "--backend", "tensorrt-rtx", "--target", "sm89"),
        *("--precision", "fp32", "--profile", "8:32:128", "--frames", "--render", "32"),
        *("--frame-profile", "1:64x48:128", "--gamut", "clip"),
    )
    assert done.returncode == 0, done.stderr
    assert "  frames     1x1:64x48:128x128; render 32, gamut clip" in done.stdout.splitlines()
    assert "prepare_grey 0." in done.stdout
    (entry,) = store.entries()
    told = command_line.run("engines", "inspect", entry.path.name).stdout
    assert "  frames        1x1:64x48:128x128; render 32, gamut clip" in told.splitlines()
    assert "  merge graph" in told


# ---- verifying ---------------------------------------------------------------------------------


@pytest.mark.parametrize("frames", [FramePlans(32), FramePlans("full", "clip"), FramePlans(24)])
def test_frames_of_rgb_and_grey_are_run_at_the_ends_and_the_optimum(
    frames: FramePlans, bundle: Bundle
) -> None:
    runner = FrameRunner(bundle, frames)
    found = verify(bundle, runner, config(frames=frames), PICTURES)
    ways = {way: f for way, f in found.figures["ways"].items() if way.startswith("frames")}
    sizes = ("1x1", "60x40", "2x120x120")
    assert set(ways) == {f"frames {size} of {c}" for size in sizes for c in (3, 1)}
    assert max(figures["worst"] for figures in ways.values()) < 0.01
    shapes = [shape for graph, shape in runner.ran if graph == "prepare"]
    assert shapes == [(1, 1, 1, 3), (1, 40, 60, 3), (2, 120, 120, 3)]


def test_frames_of_other_colours_are_refused(bundle: Bundle) -> None:
    runner = FrameRunner(bundle, FramePlans(32))
    runner.changes["merge"] = lambda rgb: 255 - rgb
    with pytest.raises(EngineError, match="gives other colours than float32"):
        verify(bundle, runner, config(), PICTURES)


def test_frames_of_another_shape_or_not_finite_are_refused(bundle: Bundle) -> None:
    runner = FrameRunner(bundle, FramePlans(32))
    runner.changes["merge"] = lambda rgb: rgb[:, ::2]
    with pytest.raises(EngineError, match=r"'merge' of the engine .* gives frames of shape"):
        verify(bundle, runner, config(frame_profiles=(ShapeProfile.parse("40"),)), PICTURES)
    runner = FrameRunner(bundle, FramePlans(32))
    runner.changes["prepare_grey"] = lambda array: array * np.nan
    with pytest.raises(EngineError, match="'prepare_grey' of the engine gives lightness that is"):
        verify(bundle, runner, config(), PICTURES)


@pytest.mark.gpu
@pytest.mark.parametrize("backend", ["tensorrt", "tensorrt-rtx"])
def test_an_engine_for_frames_is_verified_with_them_when_it_is_built(
    backend: str, bundle: Bundle, store: Store
) -> None:
    if present_target() is None:
        pytest.skip("no NVIDIA GPU answers")
    try:
        targets_of(find_builder(backend), "this")
    except BackendError as error:
        pytest.skip(str(error))
    built = build_engine(
        bundle.path,
        backend=backend,
        precision="fp32",
        profiles=(ShapeProfile.parse("8:32:2x256x256"),),
        frames=FramePlans("full"),
        frame_profiles=(ShapeProfile.parse("1:101x67:2x256x256"),),
    )
    verification = built.entry.sidecar.verification
    assert verification.status == "verified"
    ways = {way: f for way, f in verification.figures["ways"].items() if way.startswith("frames")}
    assert len(ways) == 6
    assert max(figures["worst"] for figures in ways.values()) < 0.1
    caches = [path for path in store.caches() if path.suffix == ".runtime"]
    assert len(caches) == (backend == "tensorrt-rtx")
