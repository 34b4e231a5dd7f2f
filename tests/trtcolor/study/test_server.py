"""Requests and responses, the hostile ones among them."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from starlette.testclient import TestClient
from studies import colour_of, make_study

from trtcolor.study import server as module
from trtcolor.study.answers import read_answers
from trtcolor.study.conduct import Conduct
from trtcolor.study.folder import Study
from trtcolor.study.guard import HEADERS, Access, Hosts
from trtcolor.study.order import order_of
from trtcolor.study.server import create_app

BASE = "http://127.0.0.1:8321"
OWN = {"origin": BASE}
TOKEN = "5" * 32


@pytest.fixture
def study(tmp_path: Path) -> Study:
    return make_study(tmp_path / "study")


@pytest.fixture
def conduct(study: Study) -> Iterator[Conduct]:
    with Conduct(study) as opened:
        yield opened


def client_of(conduct: Conduct, access: Access, base: str = BASE) -> TestClient:
    return TestClient(create_app(conduct, access), base, follow_redirects=False)


@pytest.fixture
def client(conduct: Conduct) -> Iterator[TestClient]:
    with client_of(conduct, Access(Hosts())) as opened:
        yield opened


def join(client: TestClient, name: str = "Anna") -> str:
    """The path of a user's page."""
    link: str = (
        client.post("/join", json={"name": name}, headers=OWN).raise_for_status().json()["link"]
    )
    return link


def send(client: TestClient, page: str, turn: int, answer: str = "yes", **more: Any) -> Any:
    entries = {"turn": turn, "answer": answer, "milliseconds": 800, "pixel_ratio": 1} | more
    return client.post(f"{page}answers", json=entries, headers=OWN)


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


@pytest.mark.parametrize(
    "more",
    [
        {"turn": "0"},
        {"turn": True},
        {"turn": 0.0},
        {"turn": None},
        {"answer": "maybe"},
        {"answer": ["yes"]},
        {"answer": None},
        {"milliseconds": -1},
        {"milliseconds": 10**12},
        {"milliseconds": 0.5},
        {"pixel_ratio": 0},
        {"pixel_ratio": True},
        {"pixel_ratio": "1"},
        {"pixel_ratio": 10**400},
    ],
)
def test_what_is_no_answer_is_refused(
    client: TestClient, study: Study, more: dict[str, Any]
) -> None:
    page = join(client)
    sent = {"turn": 0, "answer": "yes", "milliseconds": 8, "pixel_ratio": 1} | more
    refused = client.post(f"{page}answers", json=sent, headers=OWN)
    assert refused.status_code == 400
    assert "error" in refused.json()
    assert read_answers(study.folder) == ([], 0)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"nonsense",
        b'{"turn":' + b"[" * 4000,
        b"\xff",
        b'{"pixel_ratio": NaN, "turn": 0}',
    ],
)
def test_what_is_no_json_is_refused(client: TestClient, body: bytes) -> None:
    page = join(client)
    headers = OWN | {"content-type": "application/json"}
    assert client.post(f"{page}answers", content=body, headers=headers).status_code == 400


def test_only_json_and_only_little_of_it_is_read(client: TestClient) -> None:
    page = join(client)
    form = client.post(f"{page}answers", data={"turn": "0"}, headers=OWN)
    assert form.status_code == 415
    long = client.post(f"{page}answers", json={"turn": "x" * 5000}, headers=OWN)
    assert long.status_code == 413


def test_posts_of_other_pages_are_refused(client: TestClient, study: Study) -> None:
    page = join(client)
    entries = {"turn": 0, "answer": "yes", "milliseconds": 8, "pixel_ratio": 1}
    for headers in (
        {},
        {"origin": "http://evil.example"},
        {"origin": "null"},
        {"origin": "http://127.0.0.1:9999"},
        {"origin": "http://127.0.0.1:8321.evil.example"},
        {"origin": "file://127.0.0.1:8321"},
        {"origin": "http://[::1"},
        OWN | {"sec-fetch-site": "cross-site"},
        OWN | {"sec-fetch-site": "same-site"},
    ):
        assert client.post(f"{page}answers", json=entries, headers=headers).status_code == 403
        assert client.post("/join", json={"name": "Eve"}, headers=headers).status_code == 403
    assert read_answers(study.folder) == ([], 0)
    own = OWN | {"sec-fetch-site": "same-origin"}
    assert client.post(f"{page}answers", json=entries, headers=own).status_code == 200


def test_a_name_that_was_pointed_here_is_refused(client: TestClient) -> None:
    page = join(client)
    for host in ("evil.example", "evil.example:8321", "192.168.1.5:8321"):
        for path in ("/", page, f"{page}state", f"{page}pictures/0", "/assets/study.js"):
            refused = client.get(path, headers={"host": host})
            assert refused.status_code == 421
            assert "error" in refused.json()
        headers = {"host": host, "origin": f"http://{host}"}
        assert client.post("/join", json={"name": "Eve"}, headers=headers).status_code == 421


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"])
def test_other_methods_are_refused(client: TestClient, method: str) -> None:
    assert client.request(method, "/").status_code == 405


@pytest.mark.parametrize(
    "path",
    [
        *("/assets/../server.py", "/assets/..%2fserver.py", "/assets/%2e%2e/%2e%2e/server.py"),
        *("/assets//etc/passwd", "/assets/%2fetc%2fpasswd", "/assets/study.html", "/assets/"),
        *("/assets/study.css%00", "/assets/..%5cserver.py", "/assets/....//server.py", "/assets/."),
        *(
            "/study.json",
            "/answers.csv",
            "/users.csv",
            "/secret",
            "/pictures/0",
            "/..%2fstudy.json",
        ),
        *("//etc/passwd", "/%2e%2e/%2e%2e/%2e%2e/etc/passwd", "/../../etc/passwd", "/s//", "/s/x/"),
    ],
)
def test_no_file_is_read_by_its_path(client: TestClient, path: str) -> None:
    assert client.get(path).status_code == 404


@pytest.mark.parametrize(
    "place",
    [
        "../state.json",
        "..%2f..%2fsecret",
        "%2e%2e%2fsecret",
        "%2fetc%2fpasswd",
        "0%00",
        "0%2f..%2f1",
    ],
)
def test_no_picture_is_read_by_its_path(client: TestClient, study: Study, place: str) -> None:
    page = join(client)
    response = client.get(f"{page}pictures/{place}")
    assert response.status_code == 404
    assert study.secret().hex() not in response.text
    picture = study.scenes[0].pictures[0]
    assert client.get(f"{page}pictures/{picture}").status_code == 404


def test_a_picture_that_became_a_link_is_refused(client: TestClient, study: Study) -> None:
    page = join(client)
    for scene in range(6):
        for approach in range(3):
            file = study.picture_file(scene, approach)
            file.unlink()
            file.symlink_to("/etc/passwd")
    refused = client.get(f"{page}pictures/0")
    assert refused.status_code == 500
    assert "root" not in refused.text


def test_every_response_has_the_headers_that_bind_the_browser(client: TestClient) -> None:
    page = join(client)
    wrong_host = {"host": "evil.example"}
    responses = [client.get(path) for path in ("/", page, f"{page}pictures/0", "/assets/study.js")]
    responses += [client.get("/none"), client.put("/"), client.get("/", headers=wrong_host)]
    for response in responses:
        for name, value in HEADERS.items():
            assert response.headers.get_list(name) == [value]
    assert "'unsafe" not in HEADERS["content-security-policy"]
    assert "default-src 'none'" in HEADERS["content-security-policy"]


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


def test_a_body_that_never_ends_is_given_up(
    conduct: Conduct, monkeypatch: pytest.MonkeyPatch
) -> None:
    import asyncio

    monkeypatch.setattr(module, "BODY_SECONDS", 0.05)
    app = create_app(conduct, Access(Hosts()))
    path = f"/u/{conduct.join('Anna')}/answers"
    headers = {
        "host": "127.0.0.1",
        "origin": "http://127.0.0.1",
        "content-type": "application/json",
    }
    scope = {
        "type": "http",
        "http_version": "1.1",
        "method": "POST",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
    }
    sent: list[Any] = []

    async def receive() -> Any:
        await asyncio.sleep(60)

    async def collect(message: Any) -> None:
        sent.append(message)

    asyncio.run(app(scope, receive, collect))
    assert sent[0]["status"] == 408
