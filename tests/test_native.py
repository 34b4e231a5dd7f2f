"""The native checks of csrc, in the build that users get; README.md's Check adds the sanitizers."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from trtcolor.kernels import _color

FOLDER = Path(__file__).parent / "csrc"


@pytest.fixture(scope="module")
def output() -> str:
    """What the check prints, once it has passed; its code compiles without a warning."""
    if not (shutil.which("make") and shutil.which("cc")):
        pytest.skip("no make or no C compiler here")
    run = subprocess.run(
        ["make", "-C", str(FOLDER), "check"],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert run.returncode == 0, run.stdout
    return run.stdout


def test_every_variant_gives_what_the_scalar_reference_gives_and_writes_nothing_else(
    output: str,
) -> None:
    assert "FAILED" not in output


@pytest.mark.parametrize("variant", _color.variants())
def test_each_variant_of_the_module_was_checked_in_every_kernel(output: str, variant: str) -> None:
    lines = [line.split() for line in output.splitlines()]
    checked = {words[1] for words in lines if len(words) > 2 and words[0] == variant}
    kinds = {"lab_from_rgb_u8", "merge_lab", "upsample_chroma", "resize_plane", "chroma_planes"}
    assert kinds <= checked
