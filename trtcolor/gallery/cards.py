"""The HTML of one picture. All that comes from files and their names is escaped here."""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import cache
from html import escape
from importlib.resources import files
from pathlib import Path, PurePath
from string import Template
from urllib.parse import quote

from trtcolor.errors import PictureError
from trtcolor.gallery.names import readable
from trtcolor.gallery.results import Result
from trtcolor.gallery.thumbnails import Embedded, embedded

GONE = "gone"
"""The outcome of a picture that was coloured and whose file cannot be shown any longer."""


@dataclass(frozen=True)
class Look:
    """How pictures are shown.

    Attributes:
        folder: the output folder, which relative paths of results are in.
        common: the folder that all inputs share, left out of their names.
        beside: the folder that the page is in, for links to the coloured files.
        size: pixels of the longer side of a picture in the page.
        quality: of its WebP, 1..100.
        max_pixels: of a file, as for `trtcolor.images.read_picture`.
    """

    folder: Path
    common: Path
    beside: Path
    size: int
    quality: int
    max_pixels: int


def card(result: Result, look: Look) -> str:
    """The list item of a picture, with its pictures in it as text.

    What was made of it and cannot be read any longer is named as `GONE`; an input that cannot be
    read leaves the coloured picture alone.
    """
    if result.outcome == "failed" or result.output is None:
        outcome = GONE if result.outcome == "coloured" else result.outcome
        return _absent(result, look, outcome, result.reason or "no more was written down")
    output = look.folder / result.output
    try:
        after = _embedded(output, look)
    except PictureError as error:
        return _absent(result, look, GONE, str(error))
    try:
        before = _embedded(look.folder / result.input, look)
    except PictureError:
        return _pictured(result, look, "single.html", after, badges=["before is gone"])
    return _pictured(result, look, "compare.html", after, before=before.text)


def name_of(result: Result, look: Look) -> str:
    """A picture's name for reading: its input's, without the folder that all have in common."""
    path = look.folder / result.input
    return readable(str(path.relative_to(look.common) if look.common in path.parents else path))


def asset(name: str) -> str:
    """A file of this package's folder ``assets``."""
    return (files("trtcolor.gallery") / "assets" / name).read_text(encoding="utf-8")


@cache
def template(name: str) -> Template:
    return Template(asset(name))


def _embedded(path: Path, look: Look) -> Embedded:
    return embedded(path, look.size, quality=look.quality, max_pixels=look.max_pixels)


def _absent(result: Result, look: Look, outcome: str, reason: str) -> str:
    name = name_of(result, look)
    for folder in (look.folder, look.common):  # a page that is passed on need not tell of them
        reason = reason.replace(f"{folder}{os.sep}", "")
    return template("absent.html").substitute(
        outcome=outcome,
        name=escape(name),
        reason=escape(readable(" ".join(reason.split()))),
        caption=_caption(name, []),
    )


def _pictured(
    result: Result,
    look: Look,
    kind: str,
    after: Embedded,
    *,
    before: str = "",
    badges: list[str] | None = None,
) -> str:
    name = name_of(result, look)
    told = list(badges or [])
    if result.outcome != "coloured":
        told.append(result.outcome)
    if result.pages is not None and result.pages > 1:
        told.append(f"{result.pages} pages")
    if result.bits is not None and result.bits > 8:
        told.append(f"{result.bits} bit")
    return template(kind).substitute(
        outcome=result.outcome,
        name=escape(name),
        width=after.width,
        height=after.height,
        link=_link(look.folder / (result.output or ""), look),
        caption=_caption(name, told),
        details=_details(result),
        before=before,
        after=after.text,
    )


def _caption(name: str, badges: list[str]) -> str:
    path = PurePath(name)
    folder = (
        "" if str(path.parent) == "." else f'<span class="folder">{escape(str(path.parent))}</span>'
    )
    told = "".join(f' <span class="badge">{escape(badge)}</span>' for badge in badges)
    return f'<span class="name">{escape(path.name)}</span>{told}{folder}'


def _link(output: Path, look: Look) -> str:
    """A link to the coloured file from where the page is: a path, never another kind of address."""
    path = os.path.relpath(output, look.beside)
    return f' data-link="./{escape(quote(os.fsencode(path)))}"'


def _details(result: Result) -> str:
    entries = []
    if result.width is not None and result.height is not None:
        bits = f", {result.bits} bit" if result.bits is not None else ""
        entries.append(("size", f"{result.width}x{result.height}{bits}"))
    if result.pages is not None and result.pages > 1:
        entries.append(("pages", str(result.pages)))
    if result.model:
        entries.append(("model", readable(result.model)))
    if result.pulled_in is not None:
        entries.append(("pulled into gamut", f"{result.pulled_in:.1%} of pixels"))
    entries += [(readable(step), f"{seconds:.2f} s") for step, seconds in result.seconds]
    if result.reason:
        entries.append((result.outcome, readable(result.reason)))
    return "".join(f"<div><dt>{escape(k)}</dt> <dd>{escape(v)}</dd></div>" for k, v in entries)
