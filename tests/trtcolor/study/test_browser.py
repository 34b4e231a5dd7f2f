"""The study in headless Chromium, with a server of its own: what is pressed is stored."""

from __future__ import annotations

import io
import shutil
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from PIL import Image
from studies import Served, colour_of, make_study, served

from trtcolor.study.answers import Answer, read_answers, standing
from trtcolor.study.folder import Study
from trtcolor.study.order import order_of

sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
pytestmark = pytest.mark.skipif(
    CHROMIUM is None, reason="no Chromium is installed (Debian: apt-get install chromium)"
)

SCENES = 3
TOTAL = 3 * SCENES


@pytest.fixture(scope="module")
def browser() -> Iterator[sync_api.Browser]:
    with sync_api.sync_playwright() as playwright:
        # Chromium refuses its sandbox to root, who runs the tests in containers.
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield started
        started.close()


@pytest.fixture
def study(tmp_path: Path) -> Study:
    return make_study(tmp_path / "study", scenes=SCENES)


@pytest.fixture
def server(study: Study) -> Iterator[Served]:
    with served(study.folder) as started:
        yield started


ATTACK = """async (page) => {
  const body = JSON.stringify({turn: 0, answer: "no", milliseconds: 9, pixel_ratio: 1});
  const found = [];
  for (const [mode, type] of [["cors", "application/json"], ["no-cors", "text/plain"]]) {
    try {
      const options = {method: "POST", mode, body, headers: {"content-type": type}};
      const response = await fetch(`${page}answers`, options);
      found.push(`${response.type} ${response.status}`);
    } catch { found.push("refused"); }
  }
  const image = new Image();
  image.src = `${page}pictures/0`;
  found.push(await image.decode().then(() => "seen", () => "refused"));
  const frame = document.createElement("iframe");
  frame.src = page;
  const loaded = new Promise((done) => (frame.onload = done));
  document.body.append(frame);
  await loaded;
  try { found.push(frame.contentDocument ? "framed" : "refused"); } catch { found.push("refused"); }
  return found;
}"""


@contextmanager
def elsewhere(folder: Path) -> Iterator[str]:
    """A server of another origin."""
    handler = partial(QuietHandler, directory=str(folder))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as other:
        threading.Thread(target=other.serve_forever, daemon=True).start()
        yield f"http://localhost:{other.server_port}/"
        other.shutdown()


class QuietHandler(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


class Person:
    """Somebody at a browser of their own; what goes wrong in it or leaves for elsewhere is kept."""

    def __init__(self, browser: sync_api.Browser, name: str, **look: object) -> None:
        self.context = browser.new_context(**{"viewport": {"width": 1000, "height": 800}} | look)
        self.page, self.name = self.context.new_page(), name
        self.wrong: list[str] = []
        self.asked: list[str] = []
        self.page.on("pageerror", lambda error: self.wrong.append(str(error)))
        self.page.on("console", lambda message: self.wrong.append(message.text))
        self.page.on("request", lambda request: self.asked.append(request.url))

    def join(self, server: Served) -> None:
        self.page.goto(server.links[0])
        self.page.get_by_label("Your name").fill(self.name)
        self.page.keyboard.press("Enter")
        self.begin()

    def begin(self) -> None:
        self.page.wait_for_selector("#begin:visible")
        self.page.keyboard.press("Enter")  # the button has the focus
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


def shown(person: Person) -> tuple[int, int, int]:
    """The colour in the middle of the picture, as a screenshot has it."""
    image = Image.open(io.BytesIO(person.page.locator("#picture").screenshot())).convert("RGB")
    pixel = image.getpixel((image.width // 2, image.height // 2))
    assert isinstance(pixel, tuple)
    return pixel[0], pixel[1], pixel[2]


def answers_of(study: Study, user: str) -> list[Answer]:
    return standing(a for a in read_answers(study.folder)[0] if a.user == user)


def test_two_users_answer_at_once_to_the_end(
    browser: sync_api.Browser, study: Study, server: Served
) -> None:
    people = [Person(browser, "Anna"), Person(browser, "Ben")]
    for person in people:
        person.join(server)
    orders = [order_of(study.seed, person.name, SCENES, 3) for person in people]
    for place in range(TOTAL):
        for person, order, key in zip(people, orders, ("y", "ArrowLeft"), strict=True):
            assert shown(person) == colour_of(*order[place])
            assert person.count() == f"{place} of {TOTAL}"
            person.press(key, place + 1)
    for person in people:
        assert "All 9 answers are stored" in person.page.locator("#end").inner_text()
        person.leave(server)
    for person, order, word in zip(people, orders, ("yes", "no"), strict=True):
        answers = answers_of(study, person.name)
        assert [(a.picture, a.approach) for a in answers] == [
            (study.scenes[s].name, study.approaches[a].name) for s, a in order
        ]
        assert {a.answer for a in answers} == {word}
        assert all(150 <= a.milliseconds < 60_000 for a in answers)


def test_a_reload_and_a_closed_browser_go_on_at_the_same_picture(
    browser: sync_api.Browser, study: Study, server: Served
) -> None:
    anna = Person(browser, "Anna")
    anna.join(server)
    anna.press("y", 1)
    anna.press("n", 2)
    anna.page.reload()
    anna.page.wait_for_selector("#begin:visible")
    assert "Welcome back, Anna" in anna.page.locator("#intro").inner_text()
    assert "7 more pictures" in anna.page.locator("#intro").inner_text()
    anna.begin()
    order = order_of(study.seed, "Anna", SCENES, 3)
    assert shown(anna) == colour_of(*order[2])
    anna.leave(server)
    again = Person(browser, "anna")
    again.join(server)
    assert again.count() == f"2 of {TOTAL}"
    assert shown(again) == colour_of(*order[2])
    again.leave(server)
    assert len(read_answers(study.folder)[0]) == 2


def test_an_answer_waits_for_a_server_that_was_killed(
    browser: sync_api.Browser, study: Study
) -> None:
    anna = Person(browser, "Anna")
    with served(study.folder) as server:
        anna.join(server)
        anna.press("y", 1)
        server.process.send_signal(signal.SIGKILL)
        server.process.wait()
        anna.page.keyboard.press("n")
        anna.page.wait_for_selector("#trouble:has-text('your answer is kept and sent again')")
        assert anna.count() == f"1 of {TOTAL}"
    with served(study.folder, "--port", server.port) as server:
        anna.page.wait_for_selector(f"#count:has-text('2 of {TOTAL}')")
        anna.await_picture()
        assert anna.page.locator("#trouble").is_hidden()
        anna.press("y", 3)
    anna.context.close()
    assert [a.answer for a in answers_of(study, "Anna")] == ["yes", "no", "yes"]


def test_one_answer_can_be_taken_back_by_key_and_by_button(
    browser: sync_api.Browser, study: Study, server: Served
) -> None:
    anna = Person(browser, "Anna")
    anna.join(server)
    undo = anna.page.get_by_role("button", name="Back to the last one")
    assert undo.is_disabled()
    first = shown(anna)
    anna.press("y", 1)
    anna.press("u", 0)
    assert shown(anna) == first
    assert undo.is_disabled()
    anna.press("n", 1)
    undo.click()
    anna.page.wait_for_selector(f"#count:has-text('0 of {TOTAL}')")
    anna.await_picture()
    for done in range(1, TOTAL + 1):
        anna.press("y", done)
    anna.page.keyboard.press("u")
    anna.await_picture()
    assert anna.count() == f"{TOTAL - 1} of {TOTAL}"
    anna.press("n", TOTAL)
    anna.leave(server)
    assert [a.answer for a in answers_of(study, "Anna")] == ["yes"] * (TOTAL - 1) + ["no"]


def test_a_held_key_and_a_double_tap_are_one_answer(
    browser: sync_api.Browser, study: Study, server: Served
) -> None:
    anna = Person(browser, "Anna")
    anna.join(server)
    for _ in range(12):
        anna.page.keyboard.down("y")  # again and again without its end: a key that is held
        anna.page.wait_for_timeout(40)
    anna.page.keyboard.up("y")
    anna.await_picture()
    assert anna.count() == f"1 of {TOTAL}"
    anna.page.locator("#no").dblclick()
    anna.await_picture()
    assert anna.count() == f"2 of {TOTAL}"
    anna.leave(server)
    assert [a.answer for a in answers_of(study, "Anna")] == ["yes", "no"]


def test_a_pause_hides_the_picture_and_takes_no_answers(
    browser: sync_api.Browser, study: Study, server: Served
) -> None:
    anna = Person(browser, "Anna")
    began = time.monotonic()
    anna.join(server)
    anna.page.keyboard.press("p")
    rest = anna.page.get_by_role("dialog", name="Paused")
    assert rest.is_visible()
    assert anna.page.locator("#picture").is_hidden()
    anna.page.keyboard.press("y")
    anna.page.wait_for_timeout(1500)
    rest.get_by_role("button", name="Go on").click()
    anna.await_picture()
    assert anna.count() == f"0 of {TOTAL}"
    anna.press("y", 1)
    whole = 1000 * (time.monotonic() - began)
    anna.leave(server)
    (answer,) = answers_of(study, "Anna")
    assert answer.milliseconds <= whole - 1500  # the pause is no part of it


def test_another_window_of_the_same_user_goes_on_from_there(
    browser: sync_api.Browser, study: Study, server: Served
) -> None:
    anna = Person(browser, "Anna")
    anna.join(server)
    other = anna.context.new_page()
    other.goto(anna.page.url)
    other.wait_for_selector("#begin:visible")
    other.keyboard.press("Enter")
    other.wait_for_selector("#picture.asked img")
    anna.page.bring_to_front()
    anna.press("y", 1)
    other.bring_to_front()
    if other.locator("#rest").is_visible():  # it was out of sight
        other.keyboard.press("p")
        other.wait_for_selector("#picture.asked img")
    other.keyboard.press("n")
    other.wait_for_selector("#trouble:has-text('in another window')")
    other.wait_for_selector(f"#count:has-text('1 of {TOTAL}')")
    anna.context.close()
    assert [a.answer for a in read_answers(study.folder)[0]] == ["yes"]


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
    screen = anna.page.locator("#picture img").screenshot()
    image = Image.open(io.BytesIO(screen)).convert("L")
    assert image.size == (224 * ratio, 224 * ratio)
    if ratio == int(ratio):
        expected = board.convert("L").resize(image.size, Image.Resampling.NEAREST)
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


def test_a_name_that_is_none_is_refused_in_words(browser: sync_api.Browser, server: Served) -> None:
    page = browser.new_context().new_page()
    page.goto(server.links[0])
    page.get_by_label("Your name").fill("<img src=x>")
    page.get_by_role("button", name="Go on").click()
    page.wait_for_selector("#trouble:visible")
    assert "choose another" in page.get_by_role("alert").inner_text()
    page.context.close()


def test_a_page_of_another_site_can_neither_answer_nor_look(
    browser: sync_api.Browser, study: Study, server: Served, tmp_path: Path
) -> None:
    anna = Person(browser, "Anna")
    anna.join(server)
    key_page = anna.page.url
    (tmp_path / "evil").mkdir()
    (tmp_path / "evil" / "index.html").write_text("<!doctype html><p>look here")
    with elsewhere(tmp_path / "evil") as address:
        evil = anna.context.new_page()
        evil.goto(address)
        said = evil.evaluate(ATTACK, key_page)
    anna.context.close()
    # A response that was sent without asking is opaque, and was refused by the server.
    assert said == ["refused", "opaque 0", "refused", "refused"] or said[1:] == ["refused"] * 3
    assert read_answers(study.folder) == ([], 0)
