"""A desk for each document, and the run of its blocks there."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from desk import environment, lay_out
from documents import Session, blocks_of, missing, name_of

RunBlocks = Callable[[Path], None]


@pytest.fixture
def run_blocks(tmp_path: Path) -> RunBlocks:
    """Runs a document's blocks in order; those that lack a program become a skip at the end."""

    def run(document: Path) -> None:
        folder = tmp_path / "desk"
        lay_out(folder)
        lacking = []
        with Session(name_of(document), folder, environment(tmp_path)) as session:
            for block in blocks_of(document):
                if absent := missing(block):
                    lacking.append(f"line {block.line} for want of {', '.join(absent)}")
                elif block.needs is None:
                    session.run(block)
        if lacking:
            pytest.skip(f"all but {'; '.join(lacking)}")

    return run
