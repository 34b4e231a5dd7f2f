"""The page in headless Chromium, from the disk and without a network: what is pressed is seen."""

from __future__ import annotations

import io
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from coloured_folders import GREY, ORANGE, coloured_entry, other_entry, write_results
from PIL import Image

from trtcolor.gallery.page import write_gallery

if TYPE_CHECKING:
    from playwright import sync_api

FIRST = ".card:not(.absent) .compare"


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A page of four coloured pictures, two that failed and one that was skipped."""
    folder = tmp_path_factory.mktemp("gallery") / "out"
    coloured = ("a wide.png", "b.png", "c Z\u00fcrich.png", "d.png")
    sizes = ((300, 100), (120, 80), (120, 80), (80, 160))
    write_results(
        folder,
        *(coloured_entry(folder, name, size) for name, size in zip(coloured, sizes, strict=True)),
        other_entry(folder, "<img src=x onerror=alert(1)>.png", "failed", "<b>it is empty</b>"),
        other_entry(folder, "f.png", "failed", "it is damaged"),
        other_entry(folder, "g.png", "skipped", "one is there"),
    )
    return write_gallery(folder).file


@pytest.fixture
def page(browser: sync_api.Browser, file: Path) -> Iterator[sync_api.Page]:
    """The page, opened; whatever went wrong on it or left it fails the test."""
    context = browser.new_context(offline=True, viewport={"width": 1200, "height": 900})
    opened = context.new_page()
    wrong: list[str] = []
    opened.on("pageerror", lambda error: wrong.append(str(error)))
    opened.on("console", lambda message: wrong.append(message.text))
    opened.on("dialog", lambda dialog: wrong.append(dialog.message))
    opened.on("request", lambda request: wrong.append(request.url[:80]))
    opened.goto(file.as_uri())
    until(opened, "document.querySelector('.compare img').complete")
    yield opened
    context.close()
    elsewhere = [w for w in wrong if not w.startswith(("data:", file.as_uri()))]
    assert elsewhere == []


def until(page: sync_api.Page, condition: str) -> None:
    """Wait for a condition: Playwright's own way evaluates text, which the page's CSP forbids."""
    end = time.monotonic() + 30
    while not page.evaluate(condition):
        assert time.monotonic() < end, condition
        page.wait_for_timeout(20)


def visible(page: sync_api.Page) -> list[str]:
    names: list[str] = page.eval_on_selector_all(
        ".card:not([hidden])", "cards => cards.map(card => card.dataset.name)"
    )
    return names


def colours(page: sync_api.Page, selector: str, *across: float) -> list[str]:
    """What a screenshot shows of an element at these parts of its width, a fifth from the top."""
    image = Image.open(io.BytesIO(page.locator(selector).first.screenshot())).convert("RGB")
    found = []
    for part in across:
        pixel = image.getpixel((round(part * (image.width - 1)), image.height // 5))
        assert isinstance(pixel, tuple)
        distances = {
            name: max(abs(a - b) for a, b in zip(pixel, colour, strict=True))
            for name, colour in (("grey", GREY), ("orange", ORANGE))
        }
        found += [name for name, distance in distances.items() if distance < 12] or [str(pixel)]
    return found


def at(page: sync_api.Page, selector: str = FIRST) -> float:
    value: float = page.locator(f"{selector} input").first.evaluate("range => Number(range.value)")
    return value


def drag(page: sync_api.Page, start: float, end: float) -> None:
    box = page.locator(FIRST).first.bounding_box()
    assert box is not None
    y = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + start * box["width"], y)
    page.mouse.down()
    page.mouse.move(box["x"] + end * box["width"], y, steps=5)
    page.mouse.up()


def test_dragging_the_divide_shows_more_of_before_or_of_after(page: sync_api.Page) -> None:
    assert colours(page, FIRST, 0.1, 0.45, 0.55, 0.9) == ["grey", "grey", "orange", "orange"]
    drag(page, 0.5, 0.8)
    assert colours(page, FIRST, 0.1, 0.75, 0.85, 0.95) == ["grey", "grey", "orange", "orange"]
    drag(page, 0.8, 0.2)
    assert colours(page, FIRST, 0.1, 0.25, 0.75) == ["grey", "orange", "orange"]
    drag(page, 0.2, 1.5)
    assert colours(page, FIRST, 0.02, 0.5, 0.95) == ["grey"] * 3


def test_the_divide_of_one_picture_leaves_the_others(page: sync_api.Page) -> None:
    drag(page, 0.5, 0.8)
    assert at(page) == pytest.approx(80, abs=1)
    assert page.eval_on_selector_all(".card .compare input", "all => all[1].value") == "50"


def test_a_tap_moves_the_divide_and_a_finger_that_scrolls_does_not(
    browser: sync_api.Browser, file: Path
) -> None:
    size: sync_api.ViewportSize = {"width": 390, "height": 500}
    context = browser.new_context(offline=True, has_touch=True, is_mobile=True, viewport=size)
    page = context.new_page()
    page.goto(file.as_uri())
    page.evaluate(f"document.querySelector('{FIRST}').scrollIntoView({{block: 'center'}})")
    box = page.locator(FIRST).first.bounding_box()
    assert box is not None
    x, y = box["x"] + 0.9 * box["width"], box["y"] + box["height"] / 2
    start = page.evaluate("scrollY")
    touch = context.new_cdp_session(page)

    def finger(kind: str, *points: tuple[float, float]) -> None:
        touches = [{"x": px, "y": py} for px, py in points]
        touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": touches})

    finger("touchStart", (x, y))
    for step in range(1, 12):
        finger("touchMove", (x, y - 15 * step))
    finger("touchEnd")
    until(page, f"scrollY > {start} + 100")
    assert at(page) == 50
    for _ in range(20):  # the first taps may do no more than end the movement of the page
        page.evaluate(f"scrollTo(0, {start})")
        page.touchscreen.tap(x, y)
        if at(page) != 50:
            break
        page.wait_for_timeout(100)
    assert at(page) == pytest.approx(90, abs=1)
    context.close()


def test_arrows_move_the_divide_and_say_so(page: sync_api.Page) -> None:
    slider = page.get_by_role("slider", name="Divide between before and after of a wide.png")
    slider.focus()
    for _ in range(30):
        page.keyboard.press("ArrowRight")
    assert slider.get_attribute("aria-valuetext") == "80 % before, 20 % after"
    assert colours(page, FIRST, 0.1, 0.75, 0.85) == ["grey", "grey", "orange"]
    page.keyboard.press("Home")
    assert colours(page, FIRST, 0.05, 0.9) == ["orange", "orange"]


def test_one_control_moves_all_divides(page: sync_api.Page) -> None:
    page.get_by_role("slider", name="All pictures, from before to after").focus()
    page.keyboard.press("End")
    values = page.eval_on_selector_all(".card .compare input", "all => all.map(r => r.value)")
    assert values == ["0"] * 4
    assert colours(page, FIRST, 0.05, 0.9) == ["orange", "orange"]


def test_outcomes_are_filtered_and_counted(page: sync_api.Page) -> None:
    labels = page.locator("#filter label:not([hidden])").all_inner_texts()
    assert labels == ["All 7", "Coloured 4", "Skipped 1", "Failed 2"]
    page.locator("#filter").get_by_text("Failed").click()
    assert visible(page) == ["<img src=x onerror=alert(1)>.png", "f.png"]
    assert page.get_by_role("status").first.inner_text() == "2 of 7 pictures"
    assert page.get_by_text("<b>it is empty</b>").is_visible()
    page.keyboard.press("3")
    assert visible(page) == ["g.png"]
    page.keyboard.press("5")  # nothing is gone
    assert visible(page) == ["g.png"]
    page.keyboard.press("1")
    assert len(visible(page)) == 7


def test_search_finds_parts_of_names_without_accents(page: sync_api.Page) -> None:
    page.keyboard.press("/")
    page.keyboard.type("zurich C")
    assert visible(page) == ["c Z\u00fcrich.png"]
    page.keyboard.type("x")
    assert visible(page) == []
    assert page.get_by_text("No picture has this name").is_visible()


def test_full_view_goes_through_what_is_shown(page: sync_api.Page) -> None:
    full = page.get_by_role("dialog")
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    assert full.get_by_role("heading").inner_text() == "a wide.png"
    assert page.locator("#full-place").inner_text() == "1 of 4"
    assert full.get_by_text("12.5% of pixels").is_visible()
    assert colours(page, "#full .compare", 0.1, 0.45, 0.55) == ["grey", "grey", "orange"]
    page.keyboard.press("ArrowRight")
    page.keyboard.press("j")
    assert full.get_by_role("heading").inner_text() == "b.png"
    assert at(page, "#full .compare") == 51
    page.keyboard.press("b")
    assert colours(page, "#full .compare", 0.1, 0.95) == ["grey", "grey"]
    assert full.get_by_role("button", name="Before", pressed=True).is_visible()
    page.keyboard.press("b")
    assert colours(page, "#full .compare", 0.05, 0.9) == ["orange", "orange"]
    full.get_by_role("button", name="Previous picture").click()
    assert full.get_by_role("heading").inner_text() == "a wide.png"
    page.keyboard.press("k")
    assert full.get_by_role("heading").inner_text() == "a wide.png"
    page.keyboard.press("Escape")
    assert not full.is_visible()
    focused = page.evaluate("document.activeElement.closest('.card').dataset.name")
    assert focused == "a wide.png"


def test_the_link_in_full_view_is_the_coloured_file(page: sync_api.Page, file: Path) -> None:
    page.get_by_role("button", name="Full view of a wide.png").click()
    link = page.get_by_role("link", name="Open the file").evaluate("link => link.href")
    assert link == (file.parent / "a wide.png").as_uri()


def test_keys_are_explained_and_letters_can_be_switched_off(page: sync_api.Page) -> None:
    page.keyboard.press("?")
    help_ = page.get_by_role("dialog", name="Keyboard")
    assert help_.is_visible()
    help_.get_by_role("checkbox").uncheck()
    page.keyboard.press("Escape")
    page.keyboard.press("4")
    assert len(visible(page)) == 7


def test_the_theme_is_that_of_the_system_until_it_is_switched(
    browser: sync_api.Browser, file: Path
) -> None:
    ground = "getComputedStyle(document.body).backgroundColor"
    context = browser.new_context(offline=True, color_scheme="dark")
    page = context.new_page()
    page.goto(file.as_uri())
    dark = page.evaluate(ground)
    page.get_by_role("button", name="Light or dark").click()
    light = page.evaluate(ground)
    assert dark != light
    page.emulate_media(color_scheme="light")
    page.reload()
    assert page.evaluate(ground) == light
    context.close()


def test_only_pictures_near_the_window_are_decoded(
    browser: sync_api.Browser, tmp_path: Path
) -> None:
    folder = tmp_path / "out"
    write_results(folder, *(coloured_entry(folder, f"{i}.png") for i in range(120)))
    made = write_gallery(folder)
    context = browser.new_context(offline=True, viewport={"width": 1200, "height": 900})
    page = context.new_page()
    page.goto(made.file.as_uri())
    held = "document.querySelectorAll('.card img[src]').length"
    until(page, f"{held} > 0")
    assert page.evaluate(held) < 120
    page.evaluate("scrollTo(0, document.body.scrollHeight)")
    until(page, "document.querySelector('.card:last-child img').hasAttribute('src')")
    until(page, "!document.querySelector('.card img').hasAttribute('src')")
    assert page.evaluate(held) < 120
    context.close()
