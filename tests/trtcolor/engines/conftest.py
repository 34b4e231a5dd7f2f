"""A cache of engines of each test's own."""

from __future__ import annotations

from pathlib import Path

import pytest

from trtcolor.engines.store import Store


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    """The user's own cache, as it were: nothing is there yet."""
    monkeypatch.setenv("TRTCOLOR_ENGINES", str(tmp_path / "cache" / "engines"))
    return Store()
