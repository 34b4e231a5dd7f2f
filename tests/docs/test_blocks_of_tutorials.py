"""The code blocks of every other tutorial run, so that two processes share them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from documents import below, name_of


@pytest.mark.parametrize("page", below("tutorials")[::2], ids=name_of)
def test_the_blocks_of_a_page_run(page: Path, run_blocks: Callable[[Path], None]) -> None:
    run_blocks(page)
