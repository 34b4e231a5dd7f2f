"""Requests and responses on a user's way through a study, and how users join it."""

from __future__ import annotations

import io
import re
from pathlib import Path

import pytest
from PIL import Image
from starlette.testclient import TestClient
from studies import colour_of, make_study
from study_clients import OWN, client_of, join, send

from trtcolor.study.answers import read_answers
from trtcolor.study.conduct import Conduct
from trtcolor.study.folder import Study
from trtcolor.study.guard import Access, Hosts
from trtcolor.study.order import order_of

TOKEN = "5" * 32


@pytest.fixture
def study(tmp_path: Path) -> Study:
    return make_study(tmp_path / "study")


def test_a_user_joins_and_answers_to_the_end(client: TestClient, study: Study) -> None:
    page = join(client)
    assert re.fullmatch(r"/u/[0-9a-f]{32}/", page)
    assert "Does this image look natural to you?" in client.get(page).text
    state = client.get(f"{page}state").json()
    while state["ask"]:
        picture = client.get(f"{page}pictures/{state['ask'][0]}")
        assert picture.headers["content-type"] == "image/png"
        state = send(client, page, state["turn"], "no").json()
    assert (state["done"], state["total"]) == (18, 18)
    answers, _ = read_answers(study.folder)
    assert [(a.picture, a.approach) for a in answers] == [
        (study.scenes[scene].name, study.approaches[approach].name)
        for scene, approach in order_of(study.seed, "Anna", 6, 3)
    ]


def test_pictures_are_those_of_the_order(client: TestClient, study: Study) -> None:
    page = join(client, "Ben")
    order = order_of(study.seed, "Ben", 6, 3)
    for place in range(3):
        content = client.get(f"{page}pictures/{place}").content
        assert Image.open(io.BytesIO(content)).getpixel((0, 0)) == colour_of(*order[place])


def test_no_header_differs_between_pictures(client: TestClient) -> None:
    page = join(client)
    heads = []
    for turn in range(18):
        heads.append(dict(client.get(f"{page}pictures/{turn}").headers))
        send(client, page, turn)
    assert heads == [heads[0]] * 18
    assert heads[0].keys().isdisjoint({"etag", "last-modified", "content-disposition", "date"})
    assert heads[0]["cache-control"] == "no-store"


def test_pictures_that_are_not_asked_for_are_not_given(client: TestClient) -> None:
    page = join(client)
    assert [client.get(f"{page}pictures/{n}").status_code for n in range(5)] == [200] * 3 + [
        404
    ] * 2
    for place in ("-1", "99999999999999999999999", "x", "0.png", "0/"):
        assert client.get(f"{page}pictures/{place}").status_code == 404


def test_nothing_that_is_sent_to_the_page_names_an_approach(
    client: TestClient, study: Study
) -> None:
    page = join(client)
    said = [client.get(p).text for p in ("/", page, f"{page}state")]
    said += [send(client, page, 0).text, str(client.get(f"{page}pictures/1").headers)]
    said += [
        client.get(f"/assets/{name}").text for name in ("study.js", "pictures.js", "study.css")
    ]
    for approach in study.approaches:
        assert not [text for text in said if re.search(rf"\b{approach.name}\b", text)]
    names = [picture for scene in study.scenes for picture in (scene.name, *scene.pictures)]
    assert not [name for name in names for text in said if name in text]


def test_an_answer_sent_twice_is_one(client: TestClient, study: Study) -> None:
    page = join(client)
    assert send(client, page, 0).json() == send(client, page, 0).json()
    assert send(client, page, 0, "no").status_code == 409
    assert send(client, page, 0, "no").json()["done"] == 1
    assert len(read_answers(study.folder)[0]) == 1


def test_an_answer_can_be_taken_back(client: TestClient) -> None:
    page = join(client)
    assert send(client, page, 0, "undo").status_code == 409
    send(client, page, 0)
    state = send(client, page, 1, "undo").json()
    assert (state["done"], state["ask"][0], state["undo"]) == (0, 0, False)


def test_pages_ask_for_nothing_from_elsewhere(client: TestClient) -> None:
    page = join(client)
    texts = [client.get(path).text for path in ("/", page)]
    assert not [t for t in texts if re.search(r"https?:|//[a-z]|<script>|<style|style=| on\w+=", t)]


def test_an_unknown_link_is_told_in_words(client: TestClient) -> None:
    path = f"/u/{'0' * 32}/"
    page = client.get(path, headers={"accept": "text/html"})
    assert page.status_code == 404
    assert "This link belongs to nobody here" in page.text
    assert client.get(f"{path}state").json()["error"].startswith("This link belongs to nobody")
    assert send(client, path, 0).status_code == 404


def test_a_name_goes_on_on_one_machine(client: TestClient) -> None:
    assert "or by the same name" in client.get("/").text
    assert join(client, "Anna") == join(client, " anna ")
    refused = client.post("/join", json={"name": "<b>"}, headers=OWN)
    assert refused.status_code == 409
    assert "choose another" in refused.json()["error"]
    assert client.post("/join", json={}, headers=OWN).status_code == 400


def test_others_join_by_the_token_alone(conduct: Conduct) -> None:
    base = "http://192.168.1.5:8321"
    client = client_of(conduct, Access(Hosts(addresses=True), TOKEN), base)
    own = {"origin": base}
    for path in ("/", "/s/x/", f"/s/{TOKEN[:-1]}/", f"/s/{TOKEN}0/", "/s/%C3%A9/"):
        assert client.get(path).status_code == 404
        join_path = f"{path}join"
        assert client.post(join_path, json={"name": "Eve"}, headers=own).status_code == 404
    assert "come back by the link that you are taken to." in client.get(f"/s/{TOKEN}/").text
    joined = client.post(f"/s/{TOKEN}/join", json={"name": "Anna"}, headers=own)
    page = joined.json()["link"]
    assert client.get(f"{page}state").json()["user"] == "Anna"
    again = client.post(f"/s/{TOKEN}/join", json={"name": "anna"}, headers=own)
    assert again.status_code == 409
    assert "is taken" in again.json()["error"]


def test_a_token_is_of_no_use_on_one_machine(client: TestClient, conduct: Conduct) -> None:
    assert client.get(f"/s/{conduct.token}/").status_code == 404


def test_nobody_joins_where_users_were_invited(conduct: Conduct) -> None:
    client = client_of(conduct, Access(Hosts(), invited=True))
    assert client.get("/").status_code == 404
    assert client.post("/join", json={"name": "Eve"}, headers=OWN).status_code == 404
    page = f"/u/{conduct.join('Anna')}/"
    assert client.get(page).status_code == 200


def test_a_full_disk_is_told_and_the_answer_can_be_sent_again(
    client: TestClient, study: Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = join(client)

    def fail(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr("os.fsync", fail)
        refused = send(client, page, 0)
        assert refused.status_code == 503
        assert refused.json()["error"] == "the answer was not stored (No space left on device)"
    assert send(client, page, 0).json()["done"] == 1
    assert len(read_answers(study.folder)[0]) == 1
