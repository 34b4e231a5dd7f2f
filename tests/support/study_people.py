"""People who take part in a study of a few pictures, each in a browser of their own."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from PIL import Image
from studies import Served

from trtcolor.study.answers import Answer, read_answers, standing
from trtcolor.study.folder import Study

if TYPE_CHECKING:
    from playwright import sync_api

SCENES = 3
TOTAL = 3 * SCENES
"""Pictures that a user is shown, in three versions each."""


class Person:
    """Somebody at a browser of their own; what goes wrong in it or leaves for elsewhere is kept."""

    def __init__(self, browser: sync_api.Browser, name: str, **look: object) -> None:
        self.context = browser.new_context(**{"viewport": {"width": 1000, "height": 800}} | look)
        self.page, self.name = self.context.new_page(), name
        self.wrong: list[str] = []
        self.asked: list[str] = []
        self.page.on("pageerror", lambda error: self.wrong.append(str(error)))
        self.page.on("console", self._heard)
        self.page.on("request", lambda request: self.asked.append(request.url))

    def _heard(self, message: sync_api.ConsoleMessage) -> None:
        if not message.text.startswith("Autofocus processing was blocked"):  # whoever typed sooner
            self.wrong.append(message.text)

    def join(self, server: Served) -> None:
        self.page.goto(server.links[0])
        self.page.get_by_label("Your name").fill(self.name)
        self.page.keyboard.press("Enter")
        self.begin()

    def begin(self) -> None:
        begin_on(self.page)
        self.await_picture()

    def await_picture(self) -> None:
        self.page.wait_for_selector("#picture.asked img")

    def press(self, key: str, done: int) -> None:
        """Press a key, and wait until so many answers are told to be stored."""
        self.page.keyboard.press(key)
        if done == TOTAL:
            self.page.wait_for_selector("#end:visible")
        else:
            self.page.wait_for_selector(f"#count:has-text('{done} of {TOTAL}')")
            self.await_picture()

    def count(self) -> str:
        return self.page.locator("#count").inner_text()

    def leave(self, server: Served) -> None:
        """Close the browser; whatever was asked for was the server's own."""
        self.context.close()
        assert self.wrong == []
        foreign = [u for u in self.asked if not u.startswith((server.base, f"blob:{server.base}"))]
        assert foreign == []


def begin_on(page: sync_api.Page) -> None:
    """Press the button that leads to the pictures, by its key."""
    page.wait_for_selector("#begin:visible")
    for _ in range(100):  # Chromium drops what is pressed before a page's first paint
        page.keyboard.press("Enter")  # the button has the focus
        page.wait_for_timeout(100)
        if not page.locator("#intro").is_visible():
            return


def shown(person: Person) -> tuple[int, int, int]:
    """The colour in the middle of the picture, as a screenshot has it."""
    image = Image.open(io.BytesIO(person.page.locator("#picture").screenshot())).convert("RGB")
    pixel = image.getpixel((image.width // 2, image.height // 2))
    assert isinstance(pixel, tuple)
    return pixel[0], pixel[1], pixel[2]


def screen_of(person: Person) -> Image.Image:
    """The picture's place on the screen."""
    screen = person.page.locator("#picture img").screenshot()
    return Image.open(io.BytesIO(screen)).convert("L")


def answers_of(study: Study, user: str) -> list[Answer]:
    return standing(a for a in read_answers(study.folder)[0] if a.user == user)
