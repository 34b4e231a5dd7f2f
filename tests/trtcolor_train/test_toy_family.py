"""CONTRIBUTING.md, "Add a network", followed to the letter in a copy of the package."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import trtcolor_train
from trtcolor.bundle import read_spec
from trtcolor_train.models import FAMILIES

CONTRIBUTING = Path(__file__).parents[2] / "CONTRIBUTING.md"


def blocks() -> dict[str, list[str]]:
    """The section's fenced blocks by their language, in order."""
    text = CONTRIBUTING.read_text(encoding="utf-8")
    section = text.partition("## Add a network\n")[2].partition("\n## ")[0]
    found: dict[str, list[str]] = {}
    for language, block in re.findall(r"```([a-z]*)\n(.*?)```", section, re.DOTALL):
        found.setdefault(language, []).append(block)
    return found


def run(command: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
    """Run Python in a folder where the copy of the package comes before the installed one."""
    return subprocess.run(
        [sys.executable, "-P", *command],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(folder / "packages"), "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(scope="module")
def copy(shards: Path, photos: list[np.ndarray], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the package as ``train/``, changed as the text says, and pictures."""
    folder = tmp_path_factory.mktemp("repository")
    package = Path(trtcolor_train.__file__).parent
    shutil.copytree(package, folder / "train", ignore=shutil.ignore_patterns("__pycache__"))
    (folder / "packages").mkdir()
    (folder / "packages" / "trtcolor_train").symlink_to(folder / "train")
    shutil.copytree(shards, folder / "pictures")
    Image.fromarray(photos[0][:90, :131]).convert("L").save(folder / "old.png")

    module, line = blocks()["python"]
    (configuration,) = blocks()["toml"]
    (folder / "train" / "models" / "toy.py").write_text(module)
    (folder / "train" / "configs" / "toy.toml").write_text(configuration)
    families = folder / "train" / "models" / "__init__.py"
    text = families.read_text()
    text, imports = re.subn(
        r"^(from trtcolor_train\.models import .*)$", r"\1, toy", text, flags=re.M
    )
    text, tables = re.subn(r"^(FAMILIES\b.*\{\n)", rf"\1{line}", text, flags=re.M)
    assert (imports, tables, line.count("\n")) == (1, 1, 1)
    families.write_text(text)
    return folder


def test_the_copy_is_what_runs_and_has_the_family_besides_all_others(copy: Path) -> None:
    asked = "import trtcolor_train.models as m; print(m.__file__, *m.FAMILIES, sep='\\n')"
    file, *names = run(["-c", asked], copy).stdout.splitlines()
    assert Path(file).resolve() == copy.resolve() / "train" / "models" / "__init__.py"
    assert set(names) == {*FAMILIES, "toy"}


def test_the_commands_train_export_and_colour(copy: Path) -> None:
    (commands,) = blocks()[""]
    for line in commands.splitlines():
        program, *arguments = shlex.split(line)
        assert program == "trtcolor"
        done = run(["-m", program, *arguments], copy)
        assert done.returncode == 0, done.stderr
    spec = read_spec(copy / "runs" / "toy" / "bundle")
    assert (spec.family, spec.training["steps"], spec.configuration["width"]) == ("toy", 20, 24)
    assert (spec.size.multiple, spec.size.chroma_scale, spec.size.halo) == (4, 2, 8)
    coloured = np.asarray(Image.open(copy / "coloured.png"))
    assert coloured.shape == (90, 131, 3)
    assert np.ptp(coloured, axis=2).any()
