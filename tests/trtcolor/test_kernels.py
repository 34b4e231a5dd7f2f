"""The compiled module: its variants, its threads, and what is said when it is not there."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from trtcolor import _color, color, kernels

VARIANTS = ["avx512", "avx2", "neon", "c"]


def python(code, **variables):
    return subprocess.run(
        [sys.executable, "-P", "-c", code],
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def restored_threads():
    before = color.get_threads()
    yield
    color.set_threads(before)


def test_variants_are_known_names_and_the_scalar_one_is_last():
    assert set(_color.variants()) <= set(VARIANTS)
    assert _color.variants()[-1] == "c"


def test_the_first_variant_is_taken_unless_the_environment_names_one():
    show = "from trtcolor import _color; print(_color.variant())"
    assert python(show, TRTCOLOR_SIMD="").stdout.strip() == _color.variants()[0]
    for name in _color.variants():
        assert python(show, TRTCOLOR_SIMD=name).stdout.strip() == name


@pytest.mark.parametrize(
    "name", ["sse9", "AVX2", *(name for name in VARIANTS if name not in _color.variants())]
)
def test_a_variant_that_is_not_there_is_refused_at_import_in_one_sentence(name):
    run = python("import trtcolor.color", TRTCOLOR_SIMD=name)
    assert run.returncode == 1
    last = run.stderr.strip().splitlines()[-1]
    assert last.startswith(f"ValueError: the variant {name!r}")
    assert ", ".join(_color.variants()) in last


def test_the_scalar_variant_is_used_when_asked_for():
    rgb = np.random.default_rng(1).integers(0, 256, (9, 31, 3), np.uint8)
    before = _color.variant()
    fast = color.lab_from_rgb(rgb)
    try:
        _color.use("c")
        assert _color.variant() == "c"
        assert np.abs(color.lab_from_rgb(rgb) - fast).max() <= 4e-4
    finally:
        _color.use(before)


def test_threads_are_at_first_the_processors_that_the_process_may_use():
    show = "from trtcolor.color import get_threads; print(get_threads())"
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    assert int(python(show).stdout) == allowed
    if hasattr(os, "sched_setaffinity"):
        one = f"import os; os.sched_setaffinity(0, [{min(os.sched_getaffinity(0))}]); "
        assert int(python(one + show).stdout) == 1


@pytest.mark.usefixtures("restored_threads")
def test_set_threads_is_what_get_threads_reads():
    color.set_threads(np.int64(3))
    assert color.get_threads() == 3
    assert kernels.thread_count(None) == 3
    assert kernels.thread_count(5) == 5
    color.set_threads(10**30)
    assert color.get_threads() > 1000
    rgb = np.zeros((400, 400, 3), np.uint8)
    assert color.lab_from_rgb(rgb).shape == rgb.shape


def test_an_unbuilt_tree_names_the_command_to_build_it(tmp_path):
    package = Path(kernels.__file__).parent
    shutil.copytree(
        package, tmp_path / "trtcolor", ignore=shutil.ignore_patterns("*.so", "*.pyd", "models")
    )
    # The finder of an editable install would lend the copy the compiled module of this tree.
    code = (
        "import sys; sys.meta_path = [f for f in sys.meta_path if 'editable' not in repr(f)]; "
        "import trtcolor.color"
    )
    run = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 1
    last = run.stderr.strip().splitlines()[-1]
    assert last.startswith("ImportError: ")
    assert last.endswith("build it with: pip install -e .")
