"""What the study refuses in headless Chromium: names that are none, pages of other sites."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING

from studies import Served
from study_people import Person

from trtcolor.study.answers import read_answers
from trtcolor.study.folder import Study

if TYPE_CHECKING:
    from playwright import sync_api

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
