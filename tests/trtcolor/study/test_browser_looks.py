"""How the study looks on screens and phones, in headless Chromium."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import pytest
from PIL import Image
from studies import Served
from study_people import TOTAL, Person, answers_of, screen_of

from trtcolor.study.folder import Study

if TYPE_CHECKING:
    from playwright import sync_api


@pytest.mark.parametrize("ratio", [1, 2, 1.5, 3])
def test_the_picture_has_224_pixels_of_css_on_every_screen(
    browser: sync_api.Browser, study: Study, server: Served, ratio: float
) -> None:
    # A checkerboard shows whether pixels are whole ones of the screen.
    board = Image.new("RGB", (224, 224))
    board.putdata([((255,) * 3, (0,) * 3)[(n // 224 + n) % 2] for n in range(224 * 224)])
    for file in (study.folder / "pictures").iterdir():
        board.save(file, compress_level=0)
    anna = Person(browser, "Anna", device_scale_factor=ratio)
    anna.join(server)
    box = anna.page.locator("#picture img").bounding_box()
    assert box is not None
    assert (box["width"], box["height"]) == (224, 224)
    image = screen_of(anna)
    assert image.size == (224 * ratio, 224 * ratio)
    if ratio == int(ratio):
        expected = board.convert("L").resize(image.size, Image.Resampling.NEAREST)
        for _ in range(50):  # a busy machine paints late
            if image.tobytes() == expected.tobytes():
                break
            anna.page.wait_for_timeout(100)
            image = screen_of(anna)
        assert image.tobytes() == expected.tobytes()
    anna.press("y", 1)
    anna.leave(server)
    assert answers_of(study, "Anna")[0].pixel_ratio == ratio


@pytest.mark.parametrize(("width", "height"), [(360, 640), (320, 568), (740, 340)])
def test_a_phone_shows_all_of_it_and_takes_taps(
    browser: sync_api.Browser, study: Study, server: Served, width: int, height: int
) -> None:
    size = {"width": width, "height": height}
    anna = Person(
        browser, "Anna", viewport=size, has_touch=True, is_mobile=True, device_scale_factor=2
    )
    anna.page.goto(server.links[0])
    anna.page.get_by_label("Your name").fill("Anna")
    anna.page.get_by_role("button", name="Go on").tap()
    anna.page.wait_for_selector("#begin:visible")
    anna.page.locator("#begin").tap()
    anna.await_picture()
    for place in ("#question", "#picture img", "#no", "#yes", "#undo", "#pause"):
        box = anna.page.locator(place).bounding_box()
        assert box is not None
        assert min(box["x"], box["y"]) >= 0, place
        assert box["x"] + box["width"] <= width, place
        assert box["y"] + box["height"] <= height, place
    for place in ("#no", "#yes"):
        box = anna.page.locator(place).bounding_box()
        assert box is not None
        assert min(box["width"], box["height"]) >= 44
    assert not anna.page.locator("#yes kbd").is_visible()
    anna.page.locator("#yes").tap()
    anna.page.wait_for_selector(f"#count:has-text('1 of {TOTAL}')")
    anna.await_picture()
    anna.leave(server)
    assert [a.answer for a in answers_of(study, "Anna")] == ["yes"]


def test_what_surrounds_a_picture_is_the_same_grey_in_light_and_dark(
    browser: sync_api.Browser, server: Served
) -> None:
    grounds, surrounds = [], []
    for scheme in ("light", "dark"):
        person = Person(browser, f"in the {scheme}", color_scheme=scheme)
        person.join(server)
        image = Image.open(io.BytesIO(person.page.screenshot())).convert("RGB")
        box = person.page.locator("#picture").bounding_box()
        assert box is not None
        grounds.append(image.getpixel((5, 400)))
        surrounds.append(image.getpixel((round(box["x"]) - 12, round(box["y"]) + 100)))
        person.leave(server)
    assert grounds[0] != grounds[1]
    assert surrounds == [(119, 119, 119)] * 2
