"""``trtcolor bench`` and ``bench compare``: real processes, short runs."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from command_line import refused, run

MakeBundle = Callable[..., Path]


@pytest.fixture
def bundle(make_bundle: MakeBundle) -> Path:
    return make_bundle("scenes", global_size=32, classes=("sea", "town", "wood"))


def test_bench_times_each_size_and_compares_two_files(bundle: Path, tmp_path: Path) -> None:
    first, second = tmp_path / "first.json", tmp_path / "second.json"
    common = ("bench", "--model", bundle, "--threads", 1, "--warmup", 0)
    common += ("--backend", "onnxruntime", "--precision", "fp32")
    sizes = ("--sizes", "32,48x40", "--runs", 2)
    done = run(*common, *sizes, "--json", first)
    assert done.returncode == 0, done.stderr
    assert done.stderr.startswith("timing 2 sizes x")
    assert "32x32† onnxruntime fp32" in done.stdout
    assert "48x40 onnxruntime fp32" in done.stdout
    # A planted slow-down, on times that do not depend on who else uses the machine.
    entries = json.loads(first.read_text())
    for path, seconds in ((first, 0.1), (second, 0.3)):
        for row in entries["rows"]:
            for step in row["steps"]:
                step["seconds"] = [seconds] * 2
        path.write_text(json.dumps(entries))
    assert run("bench", "compare", first, first).returncode == 0
    assert run("bench", "compare", second, first).returncode == 0
    slower = run("bench", "compare", first, second)
    assert slower.returncode == 3
    assert "slower" in slower.stdout
    assert slower.stderr.startswith("regression: 32x32 onnxruntime fp32")


def test_bench_of_a_backend_that_cannot_run_says_why_and_fails(bundle: Path) -> None:
    options = ("--sizes", "32", "--runs", 1, "--backend", "tensorrt", "--table3", "--markdown")
    done = run("bench", "--model", bundle, *options)
    assert done.returncode == 1
    assert done.stdout.startswith("| Image Size | Pixels |")
    assert "tensorrt fp16: " in done.stdout
    assert done.stderr.splitlines()[-1].startswith("error: no backend worked")


def test_bench_refuses_what_it_could_not_write_before_the_work(
    bundle: Path, tmp_path: Path
) -> None:
    there = tmp_path / "there.png"
    there.touch()
    common = ("bench", "--model", bundle, "--sizes", "32")
    assert "there already" in refused(*common, "--plot", there)
    assert "no file in an existing folder" in refused(*common, "--json", tmp_path / "no" / "r.json")
    assert "leave one out" in refused(*common, "--csv", "--markdown")


def test_bench_says_how_much_memory_a_size_would_need(tmp_path: Path) -> None:
    message = refused("bench", "--sizes", "16384", TRTCOLOR_MODELS=str(tmp_path))
    assert "16384x16384 would need about 11" in message
    assert "GB are free" in message


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("{}", "format version None"),
        ('{"format_version": 99}', "format version 99"),
        ("a picture", "is not JSON"),
        (None, "cannot be read"),
    ],
)
def test_bench_compare_refuses_what_is_no_file_of_its_own(
    content: str | None, said: str, tmp_path: Path
) -> None:
    path = tmp_path / "r.json"
    if content is not None:
        path.write_text(content)
    assert said in refused("bench", "compare", path, path)


@pytest.mark.parametrize("sizes", ["", "0", "12,,13", "-5", "10x", "axb", "999999"])
def test_a_wrong_size_list_is_refused(sizes: str, bundle: Path) -> None:
    assert "size" in refused("bench", "--model", bundle, f"--sizes={sizes}")
