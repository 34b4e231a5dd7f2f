"""How many threads there are to be: the cores that a process may use, and what a caller may ask."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from trtcolor.threads import MAX_THREADS, checked_threads, physical_cores, usable_cores


def machine_with(root: Path, processors: list[tuple[int, int]]) -> Path:
    """A system whose processors lie in the packages and cores given."""
    for number, (package, core) in enumerate(processors):
        folder = root / f"sys/devices/system/cpu/cpu{number}/topology"
        folder.mkdir(parents=True)
        (folder / "physical_package_id").write_text(f"{package}\n")
        (folder / "core_id").write_text(f"{core}\n")
    return root


def test_two_processors_of_one_core_count_once(tmp_path: Path) -> None:
    root = machine_with(tmp_path, [(0, 0), (0, 1), (0, 0), (0, 1)])
    assert physical_cores(range(4), root) == 2


def test_cores_of_one_number_in_two_packages_count_twice(tmp_path: Path) -> None:
    assert physical_cores(range(2), machine_with(tmp_path, [(0, 0), (1, 0)])) == 2


def test_processors_that_the_process_may_not_use_do_not_count(tmp_path: Path) -> None:
    root = machine_with(tmp_path, [(0, 0), (0, 1), (0, 2), (0, 3)])
    assert physical_cores([1, 3], root) == 2


def test_a_system_that_does_not_tell_has_no_number_of_cores(tmp_path: Path) -> None:
    assert physical_cores([0], tmp_path) is None


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="needs sched_setaffinity")
def test_a_process_on_one_processor_has_one_core() -> None:
    program = (
        "import os; os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})\n"
        "from trtcolor.threads import physical_cores, usable_cores\n"
        "print(usable_cores(), physical_cores())"
    )
    done = subprocess.run(
        [sys.executable, "-P", "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout.split()[0] == "1"
    assert done.stdout.split()[1] in ("1", "None")


def test_there_are_no_more_cores_than_processors() -> None:
    assert 1 <= (physical_cores() or 1) <= usable_cores()


@pytest.mark.parametrize("threads", [None, 1, 7, MAX_THREADS])
def test_a_number_of_threads_comes_back_as_it_is(threads: int | None) -> None:
    assert checked_threads(threads) == threads


@pytest.mark.parametrize("threads", [0, -1, 1.5, True, "2", MAX_THREADS + 1])
def test_what_is_no_number_of_threads_is_refused(threads: object) -> None:
    with pytest.raises(ValueError, match="positive integer up to 1024 was needed"):
        checked_threads(threads)  # type: ignore[arg-type]
