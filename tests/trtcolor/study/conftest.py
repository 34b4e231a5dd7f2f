"""A small study, its server, and a client that needs none."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient
from studies import Served, make_study, served
from study_clients import client_of
from study_people import SCENES

from trtcolor.study.conduct import Conduct
from trtcolor.study.folder import Study
from trtcolor.study.guard import Access, Hosts


@pytest.fixture
def study(tmp_path: Path) -> Study:
    return make_study(tmp_path / "study", scenes=SCENES)


@pytest.fixture
def server(study: Study) -> Iterator[Served]:
    with served(study.folder) as started:
        yield started


@pytest.fixture
def conduct(study: Study) -> Iterator[Conduct]:
    with Conduct(study) as opened:
        yield opened


@pytest.fixture
def client(conduct: Conduct) -> Iterator[TestClient]:
    with client_of(conduct, Access(Hosts())) as opened:
        yield opened
