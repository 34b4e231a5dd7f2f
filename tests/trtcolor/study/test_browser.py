"""The study in headless Chromium, with a server of its own: what is pressed is stored."""

from __future__ import annotations

import signal
import time
from typing import TYPE_CHECKING

from studies import Served, colour_of, served
from study_people import SCENES, TOTAL, Person, answers_of, begin_on, shown

from trtcolor.study.answers import read_answers
from trtcolor.study.folder import Study
from trtcolor.study.order import order_of

if TYPE_CHECKING:
    from playwright import sync_api


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
    begin_on(other)
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
