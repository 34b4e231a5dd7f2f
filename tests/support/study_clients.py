"""Requests to a study's pages, without a server."""

from __future__ import annotations

from typing import Any

from starlette.testclient import TestClient

from trtcolor.study.conduct import Conduct
from trtcolor.study.guard import Access
from trtcolor.study.server import create_app

BASE = "http://127.0.0.1:8321"
OWN = {"origin": BASE}


def client_of(conduct: Conduct, access: Access, base: str = BASE) -> TestClient:
    return TestClient(create_app(conduct, access), base, follow_redirects=False)


def join(client: TestClient, name: str = "Anna") -> str:
    """The path of a user's page."""
    link: str = (
        client.post("/join", json={"name": name}, headers=OWN).raise_for_status().json()["link"]
    )
    return link


def send(client: TestClient, page: str, turn: int, answer: str = "yes", **more: Any) -> Any:
    entries = {"turn": turn, "answer": answer, "milliseconds": 800, "pixel_ratio": 1} | more
    return client.post(f"{page}answers", json=entries, headers=OWN)
