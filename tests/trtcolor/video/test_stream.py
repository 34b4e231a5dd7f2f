"""Frames of a film come out in colour, in order, with their own Y', and every thread ends."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from clips import grainy, scene
from numpy.typing import NDArray

from trtcolor import Colorizer
from trtcolor.errors import BackendError, NoGlobalFeaturesError
from trtcolor.planes import chroma_planes
from trtcolor.stages import STAGES, Stages
from trtcolor.video.frames import ColouredFrame, LumaFrame, Signal
from trtcolor.video.records import STEP, rounded_chroma
from trtcolor.video.steady import KEY_FRAMES
from trtcolor.video.stream import color_frames, planes_from_chroma

MakeBundle = Callable[..., Path]
LIMITED = Signal()


def ours() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name.startswith("trtcolor ")]


@pytest.fixture(autouse=True)
def no_thread_is_left() -> Iterator[None]:
    yield
    assert ours() == []


@pytest.fixture
def colorizer(make_bundle: MakeBundle) -> Iterator[Colorizer]:
    """Without global features, chroma at half the resolution."""
    with Colorizer(make_bundle()) as made:
        yield made


@pytest.fixture
def fused(make_bundle: MakeBundle) -> Iterator[Colorizer]:
    """With global features, a joint graph for 16x16, and frames seen at 16 pixels."""
    with Colorizer(make_bundle("fused", global_size=16, render_size=16)) as made:
        yield made


def shot(
    seed: int, length: int, signal: Signal = LIMITED, size: tuple[int, int] = (72, 96)
) -> list[LumaFrame]:
    """A still scene under grain, as planes."""
    picture = scene(seed, *size)
    greys = [grainy(picture, seed + index).mean(axis=-1) for index in range(length)]
    factor = 1 << signal.depth - 8
    return [
        LumaFrame((grey * factor).astype(signal.dtype), signal, Fraction(index, 24), tag=index)
        for index, grey in enumerate(greys)
    ]


def colored(colorizer: Colorizer, frames: Any, **options: Any) -> list[ColouredFrame]:
    return list(color_frames(colorizer, frames, **options))


def one_by_one(colorizer: Colorizer, frame: LumaFrame) -> tuple[NDArray[Any], NDArray[Any]]:
    signal = frame.signal
    return colorizer.colorize_yuv(
        frame.luma,
        depth=signal.depth,
        range=signal.range,
        matrix=signal.matrix,
        subsampling=signal.subsampling,
        siting=signal.siting,
    )


SIGNALS = [
    Signal(),
    Signal(range="full", matrix="bt601", subsampling=444, siting="center"),
    Signal(depth=10, matrix="bt2020", siting="topleft"),
    Signal(depth=16, subsampling=422),
]


@pytest.mark.parametrize("signal", SIGNALS)
@pytest.mark.parametrize("size", [(1, 1), (17, 23), (72, 96)])
@pytest.mark.parametrize("name", ["colorizer", "fused"])
def test_without_steadiness_each_frame_is_coloured_as_by_itself(
    signal: Signal, size: tuple[int, int], name: str, request: pytest.FixtureRequest
) -> None:
    colorizer: Colorizer = request.getfixturevalue(name)
    frames = shot(1, 6, signal, size)
    copies = [frame.luma.copy() for frame in frames]
    out = colored(colorizer, iter(frames), steady=0)
    assert len(out) == 6
    for frame, copy, coloured in zip(frames, copies, out, strict=True):
        assert coloured.luma is frame.luma
        assert np.array_equal(frame.luma, copy)
        assert (coloured.time, coloured.tag, coloured.signal) == (frame.time, frame.tag, signal)
        u, v = one_by_one(colorizer, frame)
        assert u.shape == signal.chroma_size(size)
        assert u.dtype == v.dtype == frame.luma.dtype
        assert np.array_equal(coloured.u, u)
        assert np.array_equal(coloured.v, v)


def test_cuts_are_told_and_nothing_crosses_them(fused: Colorizer) -> None:
    first, second = shot(1, 9), shot(2, 11)
    out = colored(fused, first + second, steady=1.0)
    assert [index for index, frame in enumerate(out) if frame.cut] == [0, 9]
    alone = colored(fused, second, steady=1.0)
    for one, other in zip(out[9:], alone, strict=True):
        assert np.array_equal(one.chroma, other.chroma)
        assert np.array_equal(one.u, other.u)


def test_a_still_shot_keeps_its_colours(fused: Colorizer) -> None:
    frames = shot(3, 30)

    def change(steady: float) -> float:
        chroma = [frame.chroma for frame in colored(fused, frames, steady=steady)]
        return float(np.abs(np.diff(chroma, axis=0)).mean())

    by_frame, gently, firmly = change(0), change(0.5), change(1.0)
    assert firmly < gently < 0.7 * by_frame


@pytest.mark.parametrize(("steady", "looks"), [(0.0, 20), (0.5, 3)])
def test_the_global_network_runs_once_in_so_many_frames(
    steady: float, looks: int, fused: Colorizer, monkeypatch: pytest.MonkeyPatch
) -> None:
    graphs: list[str] = []
    run = fused._runner.run

    def noted(graph: str, *rest: Any) -> Any:
        graphs.append(graph)
        return run(graph, *rest)

    monkeypatch.setattr(fused._runner, "run", noted)
    frames = shot(4, 20)
    assert len(frames) <= 3 * KEY_FRAMES
    colored(fused, frames, steady=steady)
    assert (graphs.count("global"), graphs.count("local")) == (looks, 20)


def test_a_frame_of_another_size_begins_a_shot(colorizer: Colorizer) -> None:
    frames = shot(5, 5) + shot(5, 5, size=(40, 60))
    out = colored(colorizer, frames)
    assert [frame.cut for frame in out] == [index in (0, 5) for index in range(10)]


def test_no_frames_give_none(colorizer: Colorizer) -> None:
    assert colored(colorizer, []) == []


def test_style_and_saturation_are_those_of_single_frames(fused: Colorizer) -> None:
    frames = shot(6, 3)
    style = fused.global_features(scene(7))
    out = colored(fused, frames, steady=0, style=style, saturation=0.5)
    for frame, coloured in zip(frames, out, strict=True):
        u, v = fused.colorize_yuv(frame.luma, global_features=style, saturation=0.5)
        assert np.array_equal(coloured.u, u)
        assert np.array_equal(coloured.v, v)
    grey = colored(fused, frames, saturation=0)
    assert all((frame.u == 128).all() and (frame.v == 128).all() for frame in grey)


def test_saturation_does_not_add_up_along_a_shot(colorizer: Colorizer) -> None:
    frames = shot(8, 12)
    plain, double = colored(colorizer, frames), colored(colorizer, frames, saturation=2)
    for one, other in zip(plain, double, strict=True):
        assert np.abs(2 * one.chroma - other.chroma).max() <= 1.5 * STEP


def test_render_is_how_large_the_network_sees_a_frame(colorizer: Colorizer) -> None:
    (frame,) = colored(colorizer, shot(9, 1), render=24)
    assert frame.chroma.shape == (2, 12, 16)


@pytest.mark.parametrize(
    ("frame", "grid", "scale"),
    [
        ((17, 23), (9, 12), 2),
        ((17, 23), (5, 6), 4),
        ((17, 23), (17, 23), 1),
        ((17, 23), (6, 8), None),
    ],
)
def test_chroma_of_a_file_is_merged_as_it_was_in_the_run(
    frame: tuple[int, int], grid: tuple[int, int], scale: Any
) -> None:
    (plain,) = shot(10, 1, size=frame)
    chroma = np.random.default_rng(1).normal(0, 20, (2, *grid)).astype(np.float32)
    coloured = planes_from_chroma(plain, chroma, cut=False)
    u, v = chroma_planes(plain.luma, rounded_chroma(chroma), scale=scale)
    assert np.array_equal(coloured.u, u)
    assert np.array_equal(coloured.v, v)
    assert coloured.luma is plain.luma


def test_what_a_run_gave_is_merged_again_to_the_same(fused: Colorizer) -> None:
    frames = shot(11, 8, size=(37, 53))
    for frame, coloured in zip(frames, colored(fused, frames), strict=True):
        again = planes_from_chroma(frame, coloured.chroma, cut=coloured.cut)
        assert np.array_equal(again.u, coloured.u)
        assert np.array_equal(again.v, coloured.v)


# ---- errors and ends ---------------------------------------------------------------------------


class OddError(Exception):
    pass


@pytest.mark.parametrize("at", [0, 1, 2, 7])
def test_an_error_of_the_source_comes_behind_the_frames_before_it(
    at: int, colorizer: Colorizer
) -> None:
    def source() -> Iterator[LumaFrame]:
        yield from shot(12, at)
        raise OddError

    out: list[ColouredFrame] = []
    with pytest.raises(OddError):
        out.extend(color_frames(colorizer, source()))
    assert [frame.tag for frame in out] == list(range(at))


def test_what_is_no_frame_is_an_error_behind_the_frames_before_it(colorizer: Colorizer) -> None:
    out: list[NDArray[Any]] = []
    frames = [scene(13), scene(13), np.zeros((4, 4))]
    with pytest.raises(TypeError, match="uint8 or uint16 was needed"):
        out.extend(colorizer.stream(frames))
    assert len(out) == 2


def test_an_error_of_the_network_reaches_the_caller(
    colorizer: Colorizer, monkeypatch: pytest.MonkeyPatch
) -> None:
    run, calls = colorizer._runner.run, 0

    def failing(*arguments: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls == 4:
            raise BackendError("the network failed; it was to run; try again")
        return run(*arguments)

    monkeypatch.setattr(colorizer._runner, "run", failing)
    out: list[ColouredFrame] = []
    with pytest.raises(BackendError, match="try again"):
        out.extend(color_frames(colorizer, shot(14, 30)))
    assert [frame.tag for frame in out] == [0, 1, 2]


def test_a_colorizer_closed_midway_is_an_error(make_bundle: MakeBundle) -> None:
    colorizer = Colorizer(make_bundle())
    frames = color_frames(colorizer, shot(15, 40), ahead=1)
    next(frames)
    colorizer.close()
    with pytest.raises(BackendError, match="closed"):
        list(frames)


def test_a_slow_caller_holds_up_the_source(colorizer: Colorizer) -> None:
    taken = 0

    def source() -> Iterator[LumaFrame]:
        nonlocal taken
        for frame in shot(16, 80):
            taken += 1
            yield frame

    with closing(color_frames(colorizer, source(), ahead=2)) as frames:
        for given, _ in enumerate(frames, 1):
            # Five queues of two, one frame in each of five hands, two that wait for the detector.
            assert taken - given <= 5 * 2 + 5 + 2


@pytest.mark.parametrize("after", [1, 5])
def test_closing_midway_ends_every_thread(after: int, colorizer: Colorizer) -> None:
    frames = color_frames(colorizer, iter(shot(17, 60)))
    for _ in range(after):
        next(frames)
    assert len(ours()) == 5
    frames.close()
    assert ours() == []


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"steady": 2}, "steady is 2"),
        ({"saturation": -1}, "saturation is -1"),
        ({"render": 0}, "render is 0"),
        ({"ahead": 0}, "ahead is 0"),
    ],
)
def test_wrong_arguments_are_refused_at_once(
    wrong: dict[str, Any], message: str, colorizer: Colorizer
) -> None:
    for begin in (color_frames, Colorizer.stream):
        with pytest.raises(ValueError, match=message):
            begin(colorizer, [], **wrong)


def test_a_style_for_a_network_without_global_features_is_refused_at_once(
    colorizer: Colorizer,
) -> None:
    with pytest.raises(NoGlobalFeaturesError):
        color_frames(colorizer, [], style=np.zeros(3))


# ---- arrays ------------------------------------------------------------------------------------


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_a_stream_of_arrays_without_steadiness_is_what_colorize_gives(
    channels: int, dtype: type, fused: Colorizer
) -> None:
    rng = np.random.default_rng(18)
    frames = [rng.integers(0, np.iinfo(dtype).max, (20, 30, channels), dtype) for _ in range(5)]
    out = list(fused.stream(iter(frames), steady=0, saturation=0.7))
    for frame, coloured in zip(frames, out, strict=True):
        assert np.array_equal(coloured, fused.colorize(frame, saturation=0.7))


def test_a_stream_of_arrays_has_the_upsampling_of_the_colorizer(make_bundle: MakeBundle) -> None:
    frame = np.random.default_rng(21).integers(0, 256, (40, 60), np.uint8)
    out = {}
    for way in ("bilinear", "joint-bilateral"):
        with Colorizer(make_bundle(way), render=16, upsampling=way) as colorizer:
            (out[way],) = colorizer.stream(iter([frame]), steady=0)
            assert np.array_equal(out[way], colorizer.colorize(frame))
    assert (out["bilinear"] != out["joint-bilateral"]).any()


def test_arrays_are_held_steady_as_planes_are(fused: Colorizer) -> None:
    planes = shot(19, 20, Signal(range="full"))
    greys = [np.repeat(frame.luma[..., None], 3, axis=2) for frame in planes]
    out = list(fused.stream(greys))
    change = np.abs(np.diff(np.array(out, float), axis=0)).mean()
    single = np.abs(np.diff([fused.colorize(grey).astype(float) for grey in greys], axis=0)).mean()
    assert change < single


def test_threads_may_stream_from_one_colorizer(fused: Colorizer) -> None:
    films = [shot(seed, 25) for seed in range(20, 24)]
    expected = [colored(fused, film) for film in films]
    with ThreadPoolExecutor(len(films)) as pool:
        found = list(pool.map(lambda film: colored(fused, film), films))
    for film, same in zip(expected, found, strict=True):
        assert all(np.array_equal(a.u, b.u) for a, b in zip(film, same, strict=True))


# ---- times -------------------------------------------------------------------------------------


def test_each_stage_of_a_run_is_timed(fused: Colorizer) -> None:
    stages = Stages()
    for _ in color_frames(fused, shot(25, 12), stages=stages):
        with stages.timed("encode"):
            pass
    stages.stop()
    assert tuple(stages.stages) == STAGES
    assert {stage.frames for stage in stages.stages.values()} == {12}
    assert all(stage.own_cpu_seconds >= 0 for stage in stages.stages.values())
    assert (
        0
        < stages.stages["network"].busy_seconds
        <= stages.bound
        <= max(stages.seconds, stages.cpu_seconds)
    )
    whole = stages.seconds
    assert stages.seconds == whole
    assert all(name in stages.table() for name in STAGES)
    assert stages.to_dict()["stages"]["merge"]["frames"] == 12
