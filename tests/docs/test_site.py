"""The site is built without a warning, whole, and of nothing that lies elsewhere."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest
from commands import every_command
from documents import ROOT

LOADS = {"script": "src", "img": "src", "iframe": "src", "source": "src", "use": "xlink:href"}
"""Attributes by which a page fetches something."""


class Page(HTMLParser):
    """What a page fetches, and the anchors that it has."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.fetched: list[str] = []
        self.anchors: set[str] = set()
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        if found.get("id"):
            self.anchors.add(str(found["id"]))
        if tag in LOADS and found.get(LOADS[tag]):
            self.fetched.append(str(found[LOADS[tag]]))
        if tag == "link" and found.get("rel") != "canonical" and found.get("href"):
            self.fetched.append(str(found["href"]))


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    done = subprocess.run(
        [sys.executable, "-P", "-m", "mkdocs", "build", "--strict", "--site-dir", str(folder)],
        cwd=ROOT,
        env=os.environ | {"NO_MKDOCS_2_WARNING": "1"},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "WARNING" not in done.stderr
    return folder


def test_every_page_is_in_the_site(site: Path) -> None:
    pages = {path.relative_to(ROOT / "docs") for path in (ROOT / "docs").rglob("*.md")}
    assert {page.with_suffix(".html") for page in pages} <= {
        path.relative_to(site) for path in site.rglob("*.html")
    }


def test_nothing_is_fetched_from_elsewhere(site: Path) -> None:
    for path in site.rglob("*.html"):
        for target in Page(path).fetched:
            assert not re.match(r"(\w+:)?//", target), f"{path.name} fetches {target}"
            file = target.split("#")[0].split("?")[0]
            place = site if file.startswith("/") else path.parent  # 404.html is shown anywhere
            there = (place / file.lstrip("/")).exists()
            assert not file or there, f"{path.name}: {target} is not there"
    for path in site.rglob("*.css"):
        found = re.findall(r"url\(['\"]?(?:https?:)?//", path.read_text(encoding="utf-8"))
        assert not found, path.name


def test_the_reference_has_every_command_with_its_options(site: Path) -> None:
    path = site / "reference" / "commands.html"
    text, anchors = path.read_text(encoding="utf-8"), Page(path).anchors
    for words, command in every_command():
        assert len(words) == 1 or "-".join(words) in anchors
        for parameter in command.params:
            for option in parameter.opts:
                assert option in text or not option.startswith("--")


def test_the_reference_has_what_the_package_offers(site: Path) -> None:
    import trtcolor

    anchors = {
        a for path in (site / "reference" / "api").rglob("*.html") for a in Page(path).anchors
    }
    offered = {f"trtcolor.{name}" for name in trtcolor.__all__ if name != "__version__"}
    places = {name: getattr(trtcolor, name.partition(".")[2]).__module__ for name in offered}
    missing = {
        name
        for name, module in places.items()
        if not {name, f"{module}.{name.partition('.')[2]}"} & anchors
    }
    assert not missing


def test_the_search_works_from_the_disk(site: Path) -> None:
    assert (site / "search" / "search_index.js").stat().st_size > 100_000


def test_no_reason_and_no_hidden_block_is_left_in_a_page(site: Path) -> None:
    for path in site.rglob("*.html"):
        text = path.read_text(encoding="utf-8")
        assert "test:python" not in text, path.name
        assert "{{" not in text, path.name
    assert (
        "not run by the tests: needs an NVIDIA GPU" in (site / "guide/gpu-frames.html").read_text()
    )
