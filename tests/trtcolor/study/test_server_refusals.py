"""Requests that the study's pages refuse, and the headers that bind the browser."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from starlette.testclient import TestClient
from study_clients import OWN, join

from trtcolor.study import server as module
from trtcolor.study.answers import read_answers
from trtcolor.study.conduct import Conduct
from trtcolor.study.folder import Study
from trtcolor.study.guard import HEADERS, Access, Hosts
from trtcolor.study.server import create_app


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
    for scene in range(len(study.scenes)):
        for approach in range(len(study.approaches)):
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


def test_a_body_that_never_ends_is_given_up(
    conduct: Conduct, monkeypatch: pytest.MonkeyPatch
) -> None:
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
