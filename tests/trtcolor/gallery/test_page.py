"""The page has every picture, needs nothing but itself, and lets names and reasons be text."""

from __future__ import annotations

import base64
import hashlib
import io
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import NamedTuple

import pytest
from coloured_folders import GREY, ORANGE, coloured_entry, other_entry, write_results
from PIL import Image

from trtcolor.errors import DataError, OutputExistsError, PictureError
from trtcolor.gallery.page import write_gallery

NASTY = "<img src=x onerror=alert(1)>\"'&\x1b\u202e.png"


class Element(NamedTuple):
    tag: str
    attributes: dict[str, str | None]


class Page(HTMLParser):
    """What a reader of HTML finds: elements, cards with their text, and embedded pictures."""

    def __init__(self, file: Path) -> None:
        super().__init__()
        self.elements: list[Element] = []
        self.cards: list[dict[str, str | None]] = []
        self.inline: dict[str, list[str]] = {"style": [], "script": []}
        self.pictures: list[tuple[str, Image.Image]] = []
        self.text: list[str] = []
        self.feed(file.read_text(encoding="utf-8"))
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append(Element(tag, dict(attrs)))
        if tag == "li":
            self.cards.append(dict(attrs))

    def handle_data(self, data: str) -> None:
        last = self.elements[-1] if self.elements else Element("", {})
        kind = last.attributes.get("class")
        if last.tag == "script" and kind and data.strip():
            image = Image.open(io.BytesIO(base64.b64decode(data)))
            self.pictures.append((kind, image.convert("RGB")))
        elif last.tag in self.inline and data.strip():
            self.inline[last.tag].append(data)
        else:
            self.text.append(data)

    @property
    def names(self) -> list[str | None]:
        return [card["data-name"] for card in self.cards]


def near(image: Image.Image, colour: tuple[int, int, int]) -> bool:
    middle = image.getpixel((image.width // 2, image.height // 2))
    assert isinstance(middle, tuple)
    return max(abs(a - b) for a, b in zip(middle, colour, strict=True)) < 8


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "out"


def test_both_pictures_are_in_the_page_and_reduced(folder: Path) -> None:
    write_results(folder, coloured_entry(folder, "a.png", (300, 200)))
    made = write_gallery(folder, size=150)
    assert made.file == folder / "gallery.html"
    assert made.bytes == made.file.stat().st_size
    (one, before), (two, after) = Page(made.file).pictures
    assert (one, two) == ("before", "after")
    assert before.size == after.size == (150, 100)
    assert near(before, GREY)
    assert near(after, ORANGE)


def test_pictures_stand_in_the_order_of_their_names_with_numbers_as_such(folder: Path) -> None:
    entries = [coloured_entry(folder, name) for name in ("b/10.png", "b/9.png", "a.png")]
    write_results(folder, *entries)
    made = write_gallery(folder, threads=2)
    assert Page(made.file).names == ["a.png", "b/9.png", "b/10.png"]


def test_each_outcome_is_told_with_its_reason(folder: Path) -> None:
    write_results(
        folder,
        coloured_entry(folder, "a.png"),
        other_entry(folder, "b.png", "failed", f"{folder.parent / 'in' / 'b.png'} is empty"),
        other_entry(folder, "c.png", "skipped", "one is there already"),
    )
    page = Page(write_gallery(folder).file)
    assert [card["data-outcome"] for card in page.cards] == ["coloured", "failed", "skipped"]
    assert {"b.png is empty", "one is there already"} <= set(page.text)


def test_the_folders_of_this_machine_are_not_told(folder: Path) -> None:
    entries = [coloured_entry(folder, name) for name in ("a.png", "deep/b.png", "c.png")]
    write_results(folder, *entries, other_entry(folder, "d.png", "failed", f"{folder}/d.png?"))
    (folder / "c.png").unlink()
    text = write_gallery(folder).file.read_text(encoding="utf-8")
    assert str(folder.parent) not in text
    assert 'data-link="./deep/b.png"' in text


def test_what_has_vanished_is_named(folder: Path) -> None:
    write_results(folder, *(coloured_entry(folder, name) for name in ("a.png", "b.png", "c.png")))
    (folder / "a.png").unlink()
    (folder / "b.png").write_bytes(b"no picture")
    (folder.parent / "in" / "c.png").unlink()
    page = Page(write_gallery(folder).file)
    assert [card["data-outcome"] for card in page.cards] == ["gone", "gone", "coloured"]
    assert [kind for kind, _ in page.pictures] == ["after"]
    assert "before is gone" in page.text


def test_names_and_reasons_are_text(folder: Path) -> None:
    entry = coloured_entry(folder, "a.png") | {"input": f"/x/{NASTY}", "model": "<b>m</b>"}
    nasty = "</script><script>alert(1)</script>"
    failed = {"input": f"/x/y/{NASTY}", "output": None, "outcome": "failed", "reason": nasty}
    write_results(folder, entry, failed)
    page = Page(write_gallery(folder, title="<i>mine</i>").file)
    shown = NASTY.replace("\x1b", "\\x1b").replace("\u202e", "\\u202e")
    assert page.names == [shown, f"y/{shown}"]
    assert "i" not in {element.tag for element in page.elements}
    assert not [e for e in page.elements if e.tag == "img" and "src" in e.attributes]
    handlers = [a for e in page.elements for a in e.attributes if a.startswith("on")]
    assert handlers == []
    assert len([e for e in page.elements if e.tag == "script" and not e.attributes]) == 2
    assert nasty in page.text


def test_only_what_is_in_the_page_may_run_or_be_shown(folder: Path) -> None:
    write_results(folder, coloured_entry(folder, "a.png"))
    page = Page(write_gallery(folder).file)
    (policy,) = [e.attributes["content"] for e in page.elements if "http-equiv" in e.attributes]
    assert policy is not None
    rules = dict(rule.strip().split(" ", 1) for rule in policy.split(";"))
    assert rules["default-src"] == rules["base-uri"] == rules["form-action"] == "'none'"
    assert rules["img-src"] == "data:"
    for kind in ("style", "script"):
        assert rules[f"{kind}-src"].split() == [
            f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
            for text in page.inline[kind]
        ]
    assert not any("style" in e.attributes for e in page.elements)
    sources = [e.attributes.get(k) for e in page.elements for k in ("src", "href", "action")]
    assert {source for source in sources if source} == {"data:,"}
    assert not re.search(r"url\(|@import|https?:", "".join(page.inline["style"]))
    assert not re.search(r"fetch\(|https?:|innerHTML", "".join(page.inline["script"]))


def test_too_many_pictures_are_left_out_and_counted_failed_ones_never(folder: Path) -> None:
    entries = [coloured_entry(folder, f"{i}.png") for i in range(4)]
    write_results(folder, *entries, other_entry(folder, "z.png", "failed", "empty"))
    made = write_gallery(folder, pictures=2)
    assert (made.shown, made.left_out) == (3, 2)
    page = Page(made.file)
    assert page.names == ["0.png", "1.png", "z.png"]
    assert any("2 further pictures are left out" in text for text in page.text)


def test_progress_is_told_after_each_picture(folder: Path) -> None:
    write_results(folder, *(coloured_entry(folder, f"{i}.png") for i in range(5)))
    told: list[tuple[int, int]] = []
    write_gallery(folder, threads=2, progress=lambda *numbers: told.append(numbers))
    assert told == [(i, 5) for i in range(1, 6)]


def test_a_page_that_is_there_is_left_alone(folder: Path) -> None:
    write_results(folder, coloured_entry(folder, "a.png"))
    file = folder / "gallery.html"
    file.write_text("mine")
    with pytest.raises(OutputExistsError, match=r"gallery\.html"):
        write_gallery(folder)
    assert file.read_text() == "mine"
    write_gallery(folder, overwrite=True)
    assert Page(file).names == ["a.png"]


def test_a_page_that_cannot_be_is_refused_in_a_sentence(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="was needed"):
        write_gallery(folder)
    write_results(folder, coloured_entry(folder, "a.png"))
    with pytest.raises(PictureError, match="was not written"):
        write_gallery(folder, tmp_path / "nowhere" / "page.html")


def test_relative_folders_are_those_of_the_working_folder(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_results(folder, coloured_entry(folder, "a.png"))
    monkeypatch.chdir(folder.parent)
    made = write_gallery("out", "page.html")
    assert 'data-link="./out/a.png"' in made.file.read_text(encoding="utf-8")
