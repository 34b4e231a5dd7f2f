"""`evaluate_clip`: how steadily models colour the frames of a clip, each by itself."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field
from itertools import islice
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trtcolor import __version__, color
from trtcolor.colorizer import Colorizer
from trtcolor.dataset import MIN_MEAN_CHROMA
from trtcolor.evaluation.result import last_parts
from trtcolor.evaluation.systems import row_names
from trtcolor.geometry import Render
from trtcolor.metrics.clips import ColorDistributionConsistency, luma_error
from trtcolor.metrics.colourfulness import colourfulness
from trtcolor.video.cuts import with_cuts
from trtcolor.video.decode import VideoReader


@dataclass(frozen=True)
class ClipFigures:
    """What was measured of one row: a model's output, the grey frames, or the clip's own colours.

    Attributes:
        name: of the model, told apart from others of the same; ``"grey"`` or ``"original"``.
        files: SHA-256 of the model's files; empty for the others.
        consistency: CDC over all shots that have one, weighted by their frames (see
            `trtcolor.metrics.clips`); None where none is longer than a frame.
        shot_consistency: of each shot.
        colourfulness: Hasler and Suesstrunk, mean over frames.
        luma_error: |dY'| (BT.601) to the grey frame that the model saw, in codes of 0..255, mean
            over pixels, then over frames; None for the clip's own colours.
        luma_error_max: the largest of all pixels.
    """

    name: str
    files: Mapping[str, str]
    consistency: float | None
    shot_consistency: tuple[float | None, ...]
    colourfulness: float
    luma_error: float | None
    luma_error_max: float | None


@dataclass(frozen=True)
class ClipEvaluation:
    """Models measured on a clip.

    Attributes:
        clip: its file (`trtcolor.evaluation.result.last_parts`).
        settings: limit, saturation and render.
        frames: how many were coloured.
        shot_frames: how many of them each shot has.
        rows: the grey frames, then each model in the order given, then, where the clip has colours
            of its own, these.
        seconds: for all of it, decoding and measuring included.
    """

    clip: str
    settings: Mapping[str, Any]
    frames: int
    shot_frames: tuple[int, ...]
    rows: tuple[ClipFigures, ...]
    seconds: float

    def table(self) -> str:
        """Aligned text, a row each for the grey frames, the models and the clip's own colours."""
        width = max(len("model"), *(len(row.name) for row in self.rows))
        heads = ("CDC", "colourfulness", "luma error", "largest")
        lines = [
            f"{self.clip}: {_counted(self.frames, 'frame')}, "
            f"{_counted(len(self.shot_frames), 'shot')}",
            f"{'model':<{width}}" + "".join(f"{head:>15}" for head in heads),
        ]
        for row in self.rows:
            cells = (
                _shown(row.consistency, ".6f"),
                _shown(row.colourfulness, ".2f"),
                _shown(row.luma_error, ".3f"),
                _shown(row.luma_error_max, ".1f"),
            )
            lines.append(f"{row.name:<{width}}" + "".join(f"{cell:>15}" for cell in cells))
        lines += [
            "CDC: Jensen-Shannon divergence of R, G, B histograms 1, 2 and 4 frames apart, in",
            "nats, mean over each shot, then over shots by their frames; 0 is steady. The grey",
            "frames show how much of it is the light's own. Luma error: |dY'| to the grey frame,",
            "codes of 0..255, mean and largest of all pixels.",
            f"{self.seconds:.1f} s, {self.frames / max(self.seconds, 1e-9):.1f} frames/s, decoding "
            "and measuring included",
        ]
        return "\n".join(lines)

    def to_json(self) -> str:
        """Everything."""
        return json.dumps(asdict(self) | {"trtcolor": __version__}, allow_nan=False) + "\n"


def evaluate_clip(
    models: Sequence[str | os.PathLike[str]],
    clip: str | os.PathLike[str],
    *,
    limit: int | None = None,
    saturation: float = 1.0,
    render: Render = "auto",
    threads: int | None = None,
    progress: Callable[[int, int | None], None] | None = None,
) -> ClipEvaluation:
    """Colour the frames of a clip one by one with each model, and measure what comes out.

    A clip in colour is coloured anew from its L*, and its own colours are a row to compare with.
    One whose mean chroma is below that of a colour picture (`trtcolor.dataset`) is taken for black
    and white and has no such row. A few frames are held at a time, however long the clip.

    Args:
        models: each as for `trtcolor.colorizer.Colorizer`.
        clip: a video file that PyAV reads (extra ``video``).
        limit: take only the first so many frames.
        saturation, render, threads: as for the Colorizer.
        progress: is given the numbers of frames done and to be done, None where the file does not
            say.

    Raises:
        ValueError: no model, a limit below 1, or as from the Colorizer.
        VideoError: the clip cannot be read.
        TrtcolorError: as from the Colorizer, or PyAV is not installed.
    """
    if not models:
        raise ValueError("no model came; at least one was needed; name one")
    if limit is not None and limit < 1:
        raise ValueError(f"limit is {limit}; a positive number was needed")
    start = time.perf_counter()
    with ExitStack() as stack:
        reader = stack.enter_context(VideoReader(clip))
        colorizers = [
            stack.enter_context(Colorizer(model, threads=threads, render=render))
            for model in models
        ]
        declared = reader.declared_frames
        total = limit if declared is None else min(declared, limit or declared)
        grey, original = _Row("grey"), _Row("original")
        rows = [
            _Row(name, dict(colorizer.spec.files))
            for name, colorizer in zip(row_names(models, colorizers), colorizers, strict=True)
        ]
        chroma = []
        for done, (frame, cut) in enumerate(with_cuts(islice(reader, limit)), 1):
            lab = color.lab_from_rgb(frame)
            grey_frame = _grey(lab)
            grey.add(grey_frame, cut, grey_frame)
            original.add(frame, cut, None)
            chroma.append(float(np.hypot(lab[..., 1], lab[..., 2]).mean()))
            for row, colorizer in zip(rows, colorizers, strict=True):
                row.add(colorizer.colorize(frame, saturation=saturation), cut, grey_frame)
            if progress is not None:
                progress(done, total)
    has_colours = np.mean(chroma) >= MIN_MEAN_CHROMA
    return ClipEvaluation(
        clip=last_parts(clip),
        settings={"limit": limit, "saturation": saturation, "render": render},
        frames=len(chroma),
        shot_frames=tuple(frames for frames, _ in grey.consistency.shots()),
        rows=tuple(r.figures() for r in (grey, *rows, *([original] if has_colours else []))),
        seconds=time.perf_counter() - start,
    )


@dataclass
class _Row:
    """Sums of one row's figures, frame after frame."""

    name: str
    files: Mapping[str, str] = field(default_factory=dict)
    consistency: ColorDistributionConsistency = field(default_factory=ColorDistributionConsistency)
    vividness: list[float] = field(default_factory=list)
    luma_errors: list[tuple[float, float]] = field(default_factory=list)

    def add(self, frame: NDArray[np.uint8], cut: bool, grey: NDArray[np.uint8] | None) -> None:
        self.consistency.update(frame, cut)
        self.vividness.append(colourfulness(frame))
        if grey is not None:
            self.luma_errors.append(luma_error(frame, grey))

    def figures(self) -> ClipFigures:
        means, largest = zip(*self.luma_errors, strict=True) if self.luma_errors else ((), ())
        return ClipFigures(
            name=self.name,
            files=self.files,
            consistency=self.consistency.result(),
            shot_consistency=tuple(value for _, value in self.consistency.shots()),
            colourfulness=float(np.mean(self.vividness)),
            luma_error=float(np.mean(means)) if means else None,
            luma_error_max=max(largest) if largest else None,
        )


def _grey(lab: NDArray[np.float32]) -> NDArray[np.uint8]:
    """The grey frame of a frame's L*, (H, W, 3)."""
    none = np.zeros((2, 1, 1), np.float32)
    return color.merge_lab(np.ascontiguousarray(lab[..., 0]), none, scale=None)


def _counted(number: int, thing: str) -> str:
    return f"{number} {thing}" if number == 1 else f"{number} {thing}s"


def _shown(value: float | None, form: str) -> str:
    return "-" if value is None else f"{value:{form}}"
