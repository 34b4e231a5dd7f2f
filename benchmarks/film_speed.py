"""Whether the stages of a film overlap: wall time against the least that their work allows.

    python benchmarks/film_speed.py CLIP [--size WxH] [--runs N] [--limit N] [--json FILE]

CLIP is decoded by PyAV, coloured by `color_frames` and encoded as FFV1 (``--codec`` names another
encoder) into nothing, all in one run, whose stages are timed as they go: decode, prepare, network,
steady, merge, encode. ``ratio`` is wall time over max(slowest stage, CPU seconds of the whole
process / cores), which no order of the work could go below but for threads that are idle at the
ends; ``network alone`` is the same network on the same frames with nothing beside it, run in turns
with the whole. On a machine that others use, wall time is theirs as well: medians of the runs.
"""

from __future__ import annotations

import io
import json
import statistics
import time
from collections.abc import Iterator
from contextlib import closing
from fractions import Fraction
from itertools import islice
from pathlib import Path
from typing import Any

import av
import click
import numpy as np

from trtcolor.colorizer import Colorizer
from trtcolor.measure import machine
from trtcolor.planes import lightness_from_luma
from trtcolor.stages import Stages
from trtcolor.video.frames import ColouredFrame, LumaFrame, Signal
from trtcolor.video.stream import color_frames


@click.command()
@click.argument("clip")
@click.option("--size", help="Scale the frames to WxH while decoding.")
@click.option("--runs", type=int, default=3, show_default=True)
@click.option("--limit", type=int, default=200, show_default=True, help="Frames of a run.")
@click.option("--codec", default="ffv1", show_default=True)
@click.option("--render", type=int, help="Pixels of the shorter side that the network sees.")
@click.option("--backend")
@click.option("--json", "json_file", type=click.Path(path_type=Path))
def main(
    clip: str,
    size: str | None,
    runs: int,
    limit: int,
    codec: str,
    render: int | None,
    backend: str | None,
    json_file: Path | None,
) -> None:
    """Print the stages of each run on CLIP, and the medians."""
    results = []
    with Colorizer(backend=backend, render=render or "auto") as colorizer:
        film(colorizer, clip, size, min(limit, 20), codec)  # sessions, arenas, pages
        for _ in range(runs):
            stages = film(colorizer, clip, size, limit, codec)
            alone = network_alone(colorizer, clip, size, limit)
            print(stages.table())
            results.append(figures(stages, alone))
            print("  ".join(f"{name} {value:.3f}" for name, value in results[-1].items()))
    names = ("ratio", "of_network_fps", "network_share")
    medians = {name: statistics.median(run[name] for run in results) for name in names}
    print("medians: " + "  ".join(f"{name} {value:.3f}" for name, value in medians.items()))
    if json_file is not None:
        settings = {"clip": Path(clip).name, "size": size, "limit": limit, "codec": codec}
        settings |= {"render": render, "backend": backend}
        result = {"settings": settings, "machine": machine(), "runs": results, "medians": medians}
        json_file.write_text(json.dumps(result, indent=2) + "\n")


def figures(stages: Stages, alone: tuple[float, float]) -> dict[str, float]:
    """Of one run. ``alone``: wall and CPU seconds a frame of the network by itself."""
    frames = stages.stages["network"].frames
    return {
        "wall_seconds": stages.seconds,
        "cpu_seconds": stages.cpu_seconds,
        "bound_seconds": stages.bound,
        "ratio": stages.seconds / stages.bound,
        "frames_per_second": frames / stages.seconds,
        "network_alone_per_second": 1 / alone[0],
        "of_network_fps": alone[0] * frames / stages.seconds,
        "network_share": alone[1] * frames / stages.cpu_seconds,
    }


def film(colorizer: Colorizer, clip: str, size: str | None, limit: int, codec: str) -> Stages:
    """One run of everything."""
    stages = Stages()
    frames = color_frames(colorizer, decoded(clip, size, limit), stages=stages)
    with closing(frames), av.open(io.BytesIO(), "w", format="matroska") as container:
        stream: Any = None
        for frame in frames:
            with stages.timed("encode"):
                if stream is None:
                    stream = container.add_stream(codec, rate=24)
                    stream.height, stream.width = frame.luma.shape
                    stream.pix_fmt = "yuv420p"
                for packet in stream.encode(picture(frame)):
                    container.mux(packet)
        with stages.timed("encode", frames=0):
            container.mux(stream.encode(None))
    stages.stop()
    return stages


def network_alone(
    colorizer: Colorizer, clip: str, size: str | None, limit: int
) -> tuple[float, float]:
    """Wall and CPU seconds a frame of the network on the same frames, prepared before."""
    seen = []
    for frame in decoded(clip, size, min(limit, 50)):
        lightness = lightness_from_luma(frame.luma)
        features = np.zeros(1, np.float32)
        if colorizer.spec.has_global_features:
            features = colorizer.predictor.describe(lightness, "global_features")
        given = features if colorizer.spec.has_global_features else None
        seen.append(colorizer.predictor.see(lightness, colorizer.render, global_features=given))
    start, cpu = time.perf_counter(), time.process_time()
    for one in seen:
        colorizer.predictor.predict(one)
    return (
        (time.perf_counter() - start) / len(seen),
        (time.process_time() - cpu) / len(seen),
    )


def decoded(clip: str, size: str | None, limit: int) -> Iterator[LumaFrame]:
    """The Y' planes of a clip, again and again until there are enough."""
    count = 0
    while count < limit:
        with av.open(clip) as container:
            container.streams.video[0].thread_type = "AUTO"
            for frame in islice(container.decode(video=0), limit - count):
                if size is not None:
                    width, height = map(int, size.split("x"))
                    frame = frame.reformat(width=width, height=height, format="yuv420p")
                plane = frame.planes[0]
                rows = np.frombuffer(memoryview(plane), np.uint8).reshape(-1, plane.line_size)
                yield LumaFrame(
                    rows[: frame.height, : frame.width], Signal(), Fraction(count, 24), frame
                )
                count += 1


def picture(frame: ColouredFrame) -> av.VideoFrame:
    """The planes as PyAV takes them."""
    planes = [frame.luma, frame.u, frame.v]
    made = av.VideoFrame(frame.luma.shape[1], frame.luma.shape[0], "yuv420p")
    for target, source in zip(made.planes, planes, strict=True):
        padded = np.zeros((source.shape[0], target.line_size), np.uint8)
        padded[:, : source.shape[1]] = source
        target.update(padded.tobytes())
    assert frame.time is not None
    made.pts, made.time_base = int(frame.time * 24), Fraction(1, 24)
    return made


if __name__ == "__main__":
    main()
