"""The code blocks of the start run."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from documents import ROOT, name_of


@pytest.mark.parametrize("page", [ROOT / "README.md", ROOT / "docs" / "index.md"], ids=name_of)
def test_the_blocks_of_a_page_run(page: Path, run_blocks: Callable[[Path], None]) -> None:
    run_blocks(page)
