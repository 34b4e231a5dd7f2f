"""A server in a process of its own: killed and started again, on this machine and on a network."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import threading
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from command_line import refused, run
from studies import Served, make_study, served

from trtcolor.study.answers import FILE, read_answers
from trtcolor.study.folder import Study


@pytest.fixture
def study(tmp_path: Path) -> Study:
    return make_study(tmp_path / "study")


def ask(server: Served, path: str, entries: Any = None, host: str | None = None) -> tuple[int, Any]:
    """Status and what came, as JSON where it is, of a GET, or of a POST with these entries."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
    host = host or f"127.0.0.1:{server.port}"
    headers = {"Host": host, "Origin": f"http://{host}", "Content-Type": "application/json"}
    body = None if entries is None else json.dumps(entries)
    connection.request("GET" if body is None else "POST", path, body, headers)
    response = connection.getresponse()
    content = response.read()
    connection.close()
    is_json = response.headers["content-type"] == "application/json"
    return response.status, json.loads(content) if is_json else content


def join(server: Served, name: str = "Anna") -> str:
    status, said = ask(server, "/join", {"name": name})
    assert status == 200
    link: str = said["link"]
    return link


def send(server: Served, page: str, turn: int, answer: str = "yes") -> int:
    entries = {"turn": turn, "answer": answer, "milliseconds": 700 + turn, "pixel_ratio": 1}
    return ask(server, f"{page}answers", entries)[0]


def test_answers_survive_a_killed_server(study: Study) -> None:
    with served(study.folder) as server:
        page, port = join(server), server.port
        assert [send(server, page, turn) for turn in range(5)] == [200] * 5
        server.process.send_signal(signal.SIGKILL)
        server.process.wait()
    with served(study.folder, "--port", port) as server:
        assert ask(server, f"{page}state")[1]["done"] == 5
        assert join(server) == page
        assert [send(server, page, turn) for turn in range(5, 18)] == [200] * 13
    answers, strange = read_answers(study.folder)
    assert strange == 0
    assert len({(a.picture, a.approach) for a in answers}) == len(answers) == 18


@pytest.mark.parametrize("before", [10, 18, 26])
def test_what_was_acknowledged_is_there_whenever_the_server_is_killed(
    study: Study, before: int
) -> None:
    """Several users answer as fast as they can while the server is killed under them."""
    acknowledged: dict[str, int] = {}
    with served(study.folder) as server:
        pages = {name: join(server, name) for name in ("Anna", "Ben", "Carl", "Dora")}

        def answer(name: str) -> None:
            with suppress(OSError, http.client.HTTPException):
                while send(server, pages[name], acknowledged.get(name, 0)) == 200:
                    acknowledged[name] = acknowledged.get(name, 0) + 1

        threads = [threading.Thread(target=answer, args=(name,)) for name in pages]
        for thread in threads:
            thread.start()
        while sum(acknowledged.values()) < before and any(t.is_alive() for t in threads):
            threads[0].join(0.002)
        server.process.kill()
        for thread in threads:
            thread.join()
    assert sum(acknowledged.values()) >= before
    answers, strange = read_answers(study.folder)
    assert strange == 0
    for name in pages:
        turns = [a.milliseconds - 700 for a in answers if a.user == name]
        assert turns == list(range(len(turns)))  # none is missing or double
        count = acknowledged.get(name, 0)
        assert len(turns) in (count, count + 1)  # the last one perhaps without its word


def test_a_torn_last_line_is_told_and_cut(study: Study) -> None:
    with served(study.folder) as server:
        page = join(server)
        send(server, page, 0)
    with (study.folder / FILE).open("a") as stream:
        stream.write("Anna,scene 3.jp")
    with served(study.folder) as server:
        assert "note: the last line of the answers broke off (15 bytes)" in server.said
        assert ask(server, f"{page}state")[1]["done"] == 1
    assert (study.folder / FILE).read_bytes().endswith(b"\n")


def test_a_study_is_served_by_one_process(study: Study) -> None:
    with served(study.folder):
        said = refused("study", "serve", study.folder, "--port", 0)
        assert "another process serves" in said


def test_the_end_says_where_the_answers_are(study: Study) -> None:
    with served(study.folder) as server:
        send(server, join(server), 0)
        server.process.send_signal(signal.SIGINT)
        out, err = server.process.communicate(timeout=60)
    assert server.process.returncode == 0, err
    assert "1 users have joined, 1 answers are in" in out
    assert f"Ctrl-C ends; go on with: trtcolor study serve {study.folder}" in server.said
    assert "Traceback" not in err


def test_only_this_machine_is_listened_to(study: Study) -> None:
    with served(study.folder) as server:
        assert server.base.startswith("http://127.0.0.1:")
        assert server.links == [f"{server.base}/"]
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as other:
            other.settimeout(5)
            # Linux answers on all of 127.0.0.0/8, but this server is bound to one address of it.
            assert other.connect_ex(("127.0.0.2", server.port)) != 0
        assert ask(server, "/", host="evil.example")[0] == 421


def test_others_come_in_by_the_token_that_is_told(study: Study) -> None:
    with served(study.folder, "--host", "0.0.0.0") as server:
        path = "/" + server.links[0].split("/", 3)[3]
        assert path.startswith("/s/")
        assert ask(server, path)[0] == 200
        assert ask(server, "/")[0] == 404
        assert ask(server, "/join", {"name": "Eve"})[0] == 404
        assert ask(server, path, host="evil.example")[0] == 421
        assert ask(server, path, host=socket.gethostname().lower())[0] == 200
        assert ask(server, f"{path}join", {"name": "Anna"})[0] == 200
        again = server.links[0].split("/", 3)[3]
    with served(study.folder, "--host", "0.0.0.0", "--public-name", "lab.example") as server:
        assert server.links[0].startswith("http://lab.example:")
        assert server.links[0].endswith(again)  # links that were sent out go on
        assert ask(server, path, host="lab.example")[0] == 200


def test_behind_a_proxy_others_come_in_by_the_token_alone(study: Study) -> None:
    with served(study.folder, "--public-name", "lab.example") as server:
        path = "/" + server.links[0].split("/", 3)[3]
        assert path.startswith("/s/")
        assert ask(server, "/", host="lab.example")[0] == 404
        assert ask(server, "/join", {"name": "Eve"}, host="lab.example")[0] == 404
        assert ask(server, path, host="lab.example")[0] == 200
        assert ask(server, path, host="192.168.1.5")[0] == 421
    with served(study.folder, "--public-name", "https://lab.example/") as server:
        assert server.links == [f"https://lab.example{path}"]


def test_each_invited_user_has_a_link_and_nobody_else_joins(study: Study) -> None:
    options = ("--user", "Anna", "--user", "Ben")
    with served(study.folder, *options, links=2) as server:
        pages = ["/" + link.split("/", 3)[3] for link in server.links]
        assert [ask(server, f"{page}state")[1]["user"] for page in pages] == ["Anna", "Ben"]
        assert ask(server, "/")[0] == 404


def test_large_and_broken_requests_end_and_the_server_goes_on(study: Study) -> None:
    with served(study.folder) as server:
        for request in (
            b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX: " + b"a" * 200_000,
            b"GET /" + b"a" * 200_000,
            b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\0" * 50,
            b"POST /join HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: -5\r\n\r\n",
            b"GET /../../etc/passwd HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n",
            b"GET http://evil.example/ HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n",
        ):
            assert raw(server, request)[9:12] in (b"400", b"404", b"421", b"431")
        assert ask(server, "/")[0] == 200


def raw(server: Served, request: bytes) -> bytes:
    """All that comes back for bytes that need not be HTTP."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=20) as connection:
        found = b""
        try:
            connection.sendall(request)
            while chunk := connection.recv(65536):
                found += chunk
        except OSError:
            pass  # it was cut off in the middle of too much
        return found or b"HTTP/1.1 400 cut off"


def test_two_hosts_are_two_too_many(study: Study) -> None:
    with served(study.folder) as server:
        lines = (
            b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n"
        )
        assert raw(server, lines)[9:12] in (b"400", b"421")


def test_links_and_answers_are_not_logged(study: Study) -> None:
    with served(study.folder) as server:
        page = join(server)
        send(server, page, 0)
        ask(server, "/nothing")
        server.process.send_signal(signal.SIGTERM)
        out, err = server.process.communicate(timeout=60)
    assert page.strip("/") not in out + err
    assert "Anna" not in out + err


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (("--host", "no.such.host.invalid"), "cannot be listened at"),
        (("--host", "192.0.2.1"), "cannot be listened at"),
        (("--user", "<b>"), "a letter or digit first"),
    ],
)
def test_what_cannot_be_served_is_refused_in_a_line(
    study: Study, options: tuple[str, ...], sentence: str
) -> None:
    assert sentence in refused("study", "serve", study.folder, "--port", 0, *options)


def test_a_taken_port_is_refused_in_a_line(study: Study) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        assert "a free port were needed" in refused("study", "serve", study.folder, "--port", port)


def test_a_missing_library_is_named_with_its_extra(study: Study, tmp_path: Path) -> None:
    (tmp_path / "hidden" / "uvicorn").mkdir(parents=True)
    (tmp_path / "hidden" / "uvicorn" / "__init__.py").write_text(
        'raise ImportError("No module named uvicorn")\n'
    )
    path = os.pathsep.join([str(tmp_path / "hidden"), os.environ.get("PYTHONPATH", "")])
    done = run("study", "serve", study.folder, PYTHONPATH=path)
    assert done.returncode == 1
    assert 'pip install "trtcolor[study]"' in done.stderr
