"""`evaluate`: how near a model's colours come to the true ones, against leaving pictures grey."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from trtcolor import color, dataset
from trtcolor.colorizer import Colorizer
from trtcolor.errors import DataError
from trtcolor.evaluation import Evaluation, PictureFigures
from trtcolor.geometry import Render
from trtcolor.images import check_output, write_picture
from trtcolor.measure import usable_cores
from trtcolor.metrics.colourfulness import colourfulness
from trtcolor.metrics.difference import ciede2000, psnr
from trtcolor.sheet import contact_sheet, fit
from trtcolor.spec import ModelSpec

SHEET_CELL = 128
TRIPLES_PER_ROW = 4

Triple = tuple[NDArray[np.uint8], ...]


def evaluate(
    model: str | os.PathLike[str],
    data: str | os.PathLike[str],
    *,
    limit: int | None = None,
    saturation: float = 1.0,
    render: Render = "auto",
    threads: int | None = None,
    sheet: Path | None = None,
    sheet_pictures: int = 40,
    overwrite: bool = False,
    progress: Callable[[int, int], None] | None = None,
) -> Evaluation:
    """Colour the grey copies of colour pictures and compare with these.

    Pictures that are grey themselves are left out, as in training (`trtcolor.dataset`).

    Args:
        model, saturation, render: as for `trtcolor.colorizer.Colorizer`.
        data: as for `trtcolor.dataset.open_pictures`.
        limit: take only the first so many pictures of the data, the colourless ones counted.
        threads: pictures at a time, each in one thread; None: one for each core.
        sheet: picture file for a sheet grey | coloured | original.
        sheet_pictures: how many pictures it shows, the first ones kept.
        overwrite: replace the sheet if it is there.
        progress: is given the numbers of pictures done and to be done.

    Raises:
        ValueError: a limit, threads or sheet_pictures below 1, or as from the Colorizer.
        DataError: no data, or no colour picture in it.
        PictureError, OutputExistsError: the sheet cannot be written.
        TrtcolorError: as from the Colorizer.
    """
    for name, value in (("limit", limit), ("threads", threads), ("sheet_pictures", sheet_pictures)):
        if value is not None and value < 1:
            raise ValueError(f"{name} is {value}; a positive number was needed")
    if sheet is not None:
        check_output(sheet, overwrite=overwrite)
    wanted = sheet_pictures if sheet is not None else 0
    start = time.perf_counter()
    source = dataset.open_pictures(data)
    samples = source.samples[:limit]
    kept: list[PictureFigures] = []
    triples: list[Triple] = []
    unreadable, colourless = list(source.unreadable), 0
    with Colorizer(model, threads=1, render=render) as colorizer:
        spec = colorizer.spec
        no_scenes = _why_no_scenes(spec, source)

        def work(sample: dataset.Sample) -> tuple[PictureFigures, Triple] | DataError | None:
            try:
                original = dataset.decode(sample)
            except DataError as error:
                return error
            lab = color.lab_from_rgb(original)
            if not dataset.is_colourful(lab):
                return None
            values, triple = _compare(colorizer, original, lab, saturation)
            rank = None
            if no_scenes is None and sample.label is not None:
                named = [name for name, _ in colorizer.classify(original, top=5)]
                truth = source.classes[sample.label]
                rank = named.index(truth) + 1 if truth in named else 0
            # Reduced here, as some data has large pictures. The main thread fills triples in order,
            # so they cannot be full before a picture that belongs on the sheet has been taken.
            if len(triples) >= wanted:
                triple = ()
            elif max(original.shape) > SHEET_CELL:
                triple = tuple(fit(picture, SHEET_CELL) for picture in triple)
            return PictureFigures(sample.key, values, rank), triple

        with ThreadPoolExecutor(threads or usable_cores()) as pool:
            results = zip(samples, pool.map(work, samples), strict=True)
            for done, (sample, result) in enumerate(results, 1):
                if isinstance(result, DataError):
                    unreadable.append(sample.key)
                elif result is None:
                    colourless += 1
                else:
                    kept.append(result[0])
                    if len(triples) < wanted:
                        triples.append(result[1])
                if progress is not None:
                    progress(done, len(samples))
    counts = dataset.FilterCounts(len(kept), colourless, len(unreadable))
    if not kept:
        raise DataError(
            f"no colour picture in {os.fspath(data)!r} ({counts}); readable colour pictures were "
            "needed; point at other data"
        )
    if sheet is not None:
        write_picture(sheet, _sheet(kept, triples), overwrite=overwrite)
    return Evaluation(
        model=spec.name,
        files=dict(spec.files),
        data=os.fspath(data),
        settings={"limit": limit, "saturation": saturation, "render": render},
        pictures=tuple(kept),
        counts=counts,
        unreadable=tuple(unreadable),
        no_scenes=no_scenes,
        seconds=time.perf_counter() - start,
    )


def _compare(
    colorizer: Colorizer,
    original: NDArray[np.uint8],
    lab: NDArray[np.float32],
    saturation: float,
) -> tuple[dict[str, float], Triple]:
    """A picture's values and (grey, coloured, original). The Colorizer takes RGB as its L*."""
    prepared = colorizer.prepare(original)
    chroma = colorizer.predict(prepared)
    coloured = colorizer.merge(prepared, chroma, saturation=saturation)
    grey = colorizer.merge(prepared, chroma, saturation=0)
    values = {}
    for ending, picture in (("", coloured), ("_grey", grey)):
        lab_picture = color.lab_from_rgb(picture)
        difference = ciede2000(lab, lab_picture)
        values[f"ciede2000{ending}"] = float(difference.mean())
        values[f"ciede2000_p90{ending}"] = float(np.percentile(difference, 90))
        values[f"psnr{ending}"] = psnr(picture, original)
        if picture is coloured:
            moved = np.abs(lab_picture[..., 0] - lab[..., 0])
            values["lightness_error"] = float(moved.mean())
            values["lightness_error_max"] = float(moved.max())
    values["colourfulness"] = colourfulness(coloured)
    values["colourfulness_original"] = colourfulness(original)
    return values, (grey, coloured, original)


def _why_no_scenes(spec: ModelSpec, source: dataset.PictureSet) -> str | None:
    """Why the model's scenes cannot be held against the data's labels; None where they can."""
    graph = spec.graphs.get("global")
    if not spec.classes or graph is None or "class_logits" not in graph.outputs:
        return "the model has no scene classifier"
    if all(sample.label is None for sample in source.samples):
        return "the data has no labels"
    if set(spec.classes) != set(source.classes):
        return "the data's classes are not the model's"
    return None


def _sheet(kept: Sequence[PictureFigures], triples: Sequence[Triple]) -> NDArray[np.uint8]:
    captions = [
        f"{figures.key}  CIEDE2000 {figures.values['ciede2000']:.1f} "
        f"(grey {figures.values['ciede2000_grey']:.1f})"
        for figures in kept[: len(triples)]
    ]
    starts = range(0, len(triples), TRIPLES_PER_ROW)
    return contact_sheet(
        [sum(triples[i : i + TRIPLES_PER_ROW], ()) for i in starts],
        headings=("grey", "coloured", "original") * min(len(triples), TRIPLES_PER_ROW),
        captions=[captions[i : i + TRIPLES_PER_ROW] for i in starts],
        cell=SHEET_CELL,
    )
