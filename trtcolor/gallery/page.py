"""`write_gallery`: one HTML page that shows a folder's pictures, before and after, by itself.

Styles, scripts and pictures are all in the file, and its Content-Security-Policy lets nothing else
in: it works from the disk, without a network, and what a file is called can do nothing.
"""

from __future__ import annotations

import base64
import hashlib
import os
import re
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from html import escape
from importlib.metadata import version
from pathlib import Path
from string import Template

from trtcolor.errors import PictureError
from trtcolor.files import refuse_existing, whole_file
from trtcolor.gallery.cards import Look, asset, card
from trtcolor.gallery.names import readable
from trtcolor.gallery.results import Result, Results, read_results
from trtcolor.images import MAX_PIXELS
from trtcolor.theme import theme
from trtcolor.threads import checked_threads, usable_cores

SIZE, QUALITY, PICTURES = 960, 75, 1000
SCRIPTS = ("compare.js", "gallery.js")

CARDS = "$cards\n"
"""Where they go in ``page.html``; they are too large to be put in as a text."""


@dataclass(frozen=True)
class Gallery:
    """A page that was written.

    Attributes:
        file: of the page.
        shown: pictures in it, those without a picture to show among them.
        left_out: pictures that were too many.
        bytes: of the file.
    """

    file: Path
    shown: int
    left_out: int
    bytes: int


def write_gallery(
    folder: str | os.PathLike[str],
    file: str | os.PathLike[str] | None = None,
    *,
    title: str | None = None,
    size: int = SIZE,
    quality: int = QUALITY,
    pictures: int = PICTURES,
    max_pixels: int = MAX_PIXELS,
    threads: int | None = None,
    overwrite: bool = False,
    progress: Callable[[int, int], None] | None = None,
) -> Gallery:
    """Write the page of an output folder of ``trtcolor colorize``.

    It has every picture that the folder's results tell of (`trtcolor.gallery.results`), by name.
    One that has vanished is named there, and so is why one failed.

    Args:
        folder: the output folder.
        file: of the page; None: ``gallery.html`` in `folder`.
        title: of the page; None: the folder's name.
        size: pixels of the longer side of a picture in the page, at most.
        quality: of its WebP, 1..100.
        pictures: how many pictures to show at most, the first by name; failed ones are all told of.
        max_pixels: of a file, as for `trtcolor.images.read_picture`.
        threads: pictures that are read at once; None: one a core.
        overwrite: replace a page that is there.
        progress: is told after each picture: how many are done, and of how many.

    Raises:
        DataError: the folder has no results, see `trtcolor.gallery.results.read_results`.
        OutputExistsError: there is such a page and `overwrite` is false.
        PictureError: the page cannot be written.
    """
    folder = Path(os.path.abspath(folder))
    file = folder / "gallery.html" if file is None else Path(os.path.abspath(file))
    workers = checked_threads(threads) or usable_cores()
    if not overwrite:
        refuse_existing(file)
    results = read_results(folder)
    chosen, left_out = _chosen(results.pictures, pictures)
    common = Path(os.path.commonpath([(folder / r.input).parent for r in results.pictures]))
    look = Look(folder, common, file.parent, size, quality, max_pixels)
    name = readable(folder.name) if title is None else title
    before, after = _page(name, _note(results, left_out))
    try:
        with whole_file(file, overwrite=overwrite) as stream:
            stream.write(before.encode())
            for done, text in enumerate(_cards(chosen, look, workers), 1):
                stream.write(text.encode())
                if progress is not None:
                    progress(done, len(chosen))
            stream.write(after.encode())
            weight = stream.tell()
    except OSError as error:
        raise PictureError(
            f"{file} was not written ({error.strerror}); an existing folder with free space was "
            "needed; write elsewhere"
        ) from None
    return Gallery(file, len(chosen), left_out, weight)


def _chosen(results: Sequence[Result], pictures: int) -> tuple[list[Result], int]:
    """Those to show, by name as a reader sorts them, and how many are left out."""
    chosen: list[Result] = []
    room = pictures
    for result in sorted(results, key=_order):
        if result.outcome != "failed":
            room -= 1
            if room < 0:
                continue
        chosen.append(result)
    return chosen, len(results) - len(chosen)


def _order(result: Result) -> list[tuple[int, str]]:
    """Numbers in names count as numbers: 9.png comes before 10.png."""
    return [
        (int(part), "") if part.isdecimal() and len(part) < 20 else (-1, part.casefold())
        for part in re.split(r"(\d+)", result.input)
    ]


def _cards(results: Sequence[Result], look: Look, workers: int) -> Iterator[str]:
    """The cards in order, made side by side; a few more than the threads are held at a time."""
    waiting: deque[Future[str]] = deque()
    with ThreadPoolExecutor(workers) as pool:
        try:
            for result in results:
                waiting.append(pool.submit(card, result, look))
                if len(waiting) > 2 * workers:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            pool.shutdown(cancel_futures=True)


def _note(results: Results, left_out: int) -> str:
    """What the page says below its title."""
    models = sorted({result.model for result in results.pictures if result.model})
    told = [f"coloured by {', '.join(map(readable, models))}"] if models else []
    if left_out:
        told.append(f"{left_out} further pictures are left out")
    if results.unreadable:
        told.append(f"{results.unreadable} lines of the results were not understood")
    return "; ".join(told)


def _page(title: str, note: str) -> tuple[str, str]:
    """The page around its cards: what comes before them, and what after."""
    style, scripts = theme() + asset("page.css"), [asset(name) for name in SCRIPTS]
    policy = (
        f"default-src 'none'; img-src data:; style-src {_digest(style)}; "
        f"script-src {' '.join(map(_digest, scripts))}; base-uri 'none'; form-action 'none'"
    )
    before, after = asset("page.html").split(CARDS)
    entries = {
        "policy": policy,
        "version": version("trtcolor"),
        "title": escape(title),
        "note": escape(note),
        "style": style,
        "scripts": "\n".join(f"<script>{script}</script>" for script in scripts),
    }
    return Template(before).substitute(entries), Template(after).substitute(entries)


def _digest(text: str) -> str:
    """A style or script as a Content-Security-Policy names it (CSP Level 3, section 8.4)."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
