"""`prepare_study`: pictures drawn from a data set, coloured by each model, put away for people."""

from __future__ import annotations

import os
import secrets
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path

from trtcolor import __version__, dataset
from trtcolor.colorizer import Colorizer
from trtcolor.errors import DataError
from trtcolor.evaluation.papers.iizuka import variant_of
from trtcolor.evaluation.result import check_positive, last_parts
from trtcolor.evaluation.systems import row_names
from trtcolor.files import put_folder_in_place, refuse_existing, temporary_folder
from trtcolor.gallery.names import readable
from trtcolor.geometry import Render, checked_render
from trtcolor.study.folder import COUNTS, PICTURES, SECRET, Approach, Scene, Study
from trtcolor.study.order import shuffled
from trtcolor.study.pictures import Painter, Picture, Versions
from trtcolor.study.users import now
from trtcolor.threads import checked_threads, usable_cores

PICTURES_OF_A_TYPE = 500
"""004, section 4.3: "roughly 500 images of each type"."""

GROUND_TRUTH = "ground truth"
PAPER_ROWS = {"Proposed, L*a*b*": "Proposed", "Baseline, L*a*b*": "Baseline"}

Model = str | os.PathLike[str]


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Which pictures are shown and how they are coloured.

    Attributes:
        pictures: how many of each type; fewer where the data has no more.
        seed: of the draw and of the users' orders; None: drawn by the system.
        only_class: only pictures of the class of this name; None: all.
        saturation: factor on a* and b* of the networks, 0 to 10.
        render: how large the networks see a picture (`trtcolor.geometry.plan_render`).

    Raises:
        ValueError: no pictures, or a render size that is none.
    """

    pictures: int = PICTURES_OF_A_TYPE
    seed: int | None = None
    only_class: str | None = None
    saturation: float = 1.0
    render: Render = "auto"

    def __post_init__(self) -> None:
        check_positive(pictures=self.pictures)
        checked_render(self.render)


def prepare_study(
    models: Sequence[Model],
    data: str | os.PathLike[str],
    folder: str | os.PathLike[str],
    settings: Settings | None = None,
    *,
    threads: int | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Study:
    """Draw pictures, colour each with every model, and put them into a new folder.

    Pictures that are grey themselves have no truth to be held against and are left out, as in
    evaluation. The folder appears whole or not at all, and only its owner can read it.

    Args:
        models: one or several, each as for `trtcolor.colorizer.Colorizer`.
        data: as for `trtcolor.dataset.open_pictures`.
        folder: of the study to be; it must not be there.
        settings: which pictures, and how they are coloured.
        threads: pictures at a time, each in one thread; None: one for each core.
        progress: is given the numbers of pictures kept and asked for.

    Raises:
        ValueError: no models, or a number that cannot be.
        OutputExistsError: the folder is there.
        DataError: no data, no such class, or no colour picture in it.
        TrtcolorError: as from the Colorizer.
    """
    settings = settings or Settings()
    workers = checked_threads(threads) or usable_cores()
    if not models:
        raise ValueError("no models came; at least one was needed; name a bundle")
    folder = Path(os.path.abspath(folder))
    refuse_existing(folder)
    seed = secrets.randbits(53) if settings.seed is None else settings.seed
    source = dataset.open_pictures(data)
    if settings.only_class is not None:
        source = dataset.only_class(source, settings.only_class)
    counts = dict.fromkeys(COUNTS, 0) | {"unreadable": len(source.unreadable)}
    with ExitStack() as stack:
        colorizers = [
            stack.enter_context(Colorizer(model, threads=1, render=settings.render))
            for model in models
        ]
        approaches = _approaches(models, colorizers)
        draft = stack.enter_context(temporary_folder(folder.parent))
        (draft / PICTURES).mkdir()
        painter = Painter(colorizers, settings.saturation)
        found = _drawn(source, seed, painter, settings.pictures, workers, counts)
        scenes: list[Scene] = []
        names: set[str] = set()
        for key, versions in found:
            scenes.append(_put_away(draft / PICTURES, _free_name(key, names), versions))
            if progress is not None:
                progress(len(scenes), settings.pictures)
        if not scenes:
            raise DataError(
                f"no colour picture in {os.fspath(data)!r} ({counts['colourless']} grey or "
                f"low-variance, {counts['unreadable']} unreadable); readable colour pictures were "
                "needed; point at other data"
            )
        study = Study(
            folder=folder,
            approaches=approaches,
            scenes=tuple(scenes),
            seed=seed,
            data=readable(last_parts(data)),
            settings=asdict(settings),
            counts=counts,
            prepared=now(),
            trtcolor=__version__,
        )
        study.write(draft)
        _write_secret(draft / SECRET)
        put_folder_in_place(draft, folder)
    return study


def _drawn(
    source: dataset.PictureSet,
    seed: int,
    painter: Painter,
    wanted: int,
    workers: int,
    counts: dict[str, int],
) -> Iterator[tuple[str, list[Picture]]]:
    """Key and versions of pictures in the order of the draw, until there are enough of them."""
    drawn = iter(shuffled(range(len(source.samples)), seed, "pictures"))
    waiting: deque[tuple[str, Future[Versions | None]]] = deque()
    with ThreadPoolExecutor(workers) as pool:
        try:
            while counts["kept"] < wanted:
                room = min(2 * workers, wanted - counts["kept"]) - len(waiting)
                for index in islice(drawn, room):
                    sample = source.samples[index]
                    waiting.append((sample.key, pool.submit(painter.versions, sample)))
                if not waiting:
                    return
                key, future = waiting.popleft()
                try:
                    found = future.result()
                except (DataError, OSError):
                    counts["unreadable"] += 1
                    continue
                if found is None:
                    counts["colourless"] += 1
                    continue
                counts["kept"] += 1
                counts["enlarged"] += found.enlarged
                yield key, found.pictures
        finally:
            pool.shutdown(cancel_futures=True)


def _put_away(folder: Path, name: str, versions: Sequence[Picture]) -> Scene:
    """Write a scene's versions under random names.

    They are not compressed: all files have the same length, which smooth colours would betray.
    """
    from PIL import Image

    pictures = []
    for picture in versions:
        pictures.append(secrets.token_hex(16))
        Image.fromarray(picture).save(folder / f"{pictures[-1]}.png", compress_level=0)
    return Scene(name, tuple(pictures))


def _approaches(models: Sequence[Model], colorizers: Sequence[Colorizer]) -> tuple[Approach, ...]:
    found = [Approach(GROUND_TRUTH, "originals", "Ground Truth")]
    for name, colorizer in zip(row_names(models, colorizers), colorizers, strict=True):
        spec = colorizer.spec
        system = PAPER_ROWS.get(variant_of(spec) or "")
        own = readable(name) if name != GROUND_TRUTH else f"{name} (bundle)"
        found.append(Approach(own, "bundle", system, spec.name, dict(spec.files)))
    return tuple(found)


def _free_name(key: str, taken: set[str]) -> str:
    """A printable name of its own for a sample; shards may give a key twice."""
    base, number = readable(key), 1
    name = base
    while name in taken:
        number += 1
        name = f"{base} ({number})"
    taken.add(name)
    return name


def _write_secret(path: Path) -> None:
    opened = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(opened, "w", encoding="ascii") as stream:
        stream.write(secrets.token_hex(32) + "\n")
