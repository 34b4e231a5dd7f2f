"""The luminance of a coloured copy is that of its file, whatever its format and colour space."""

from __future__ import annotations

from pathlib import Path

import pytest
from luminance import measured
from luminance_files import CASES, Case


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_copy_has_the_luminance_that_the_numbers_of_its_file_mean(
    case: Case, tmp_path: Path
) -> None:
    assert measured(case, tmp_path) <= case.limit
