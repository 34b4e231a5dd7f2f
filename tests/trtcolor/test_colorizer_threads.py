"""A Colorizer's ``threads`` are those of all that it does; they idle between calls."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from trtcolor import color
from trtcolor.backends.available import RUNNING
from trtcolor.colorizer import Colorizer
from trtcolor.demo import photographs
from trtcolor.images import read_picture

MakeBundle = Callable[..., Path]


def printed(program: str, *arguments: object) -> list[str]:
    """The words that a fresh process prints."""
    done = subprocess.run(
        [sys.executable, "-P", "-c", program, *map(str, arguments)],
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    return done.stdout.split()


# ---- how many ----------------------------------------------------------------------------------

COUNT = """
import os, sys
import numpy as np
from trtcolor import color
from trtcolor.colorizer import Colorizer
from trtcolor.kernels import _color

def tasks():
    return len(os.listdir("/proc/self/task"))

model, backend = sys.argv[1:]
frame = np.zeros((1000, 1000), np.uint8)  # so large that the kernels may take several threads
"""


@pytest.mark.parametrize("step", ["prepare(frame)", "colorize(frame)", "global_features(frame)"])
@pytest.mark.parametrize("threads", [1, 3])
def test_the_kernels_take_as_many_threads_as_the_colorizer(
    step: str, threads: int, make_bundle: MakeBundle
) -> None:
    program = f"{COUNT}\nColorizer(model, backend=backend, threads={threads}).{step}"
    program += "\nprint(_color.pool_workers(), color.get_threads())"
    workers, default = printed(program, make_bundle(global_size=16), "onnxruntime")
    assert int(workers) == threads - 1
    assert int(default) == color.get_threads()  # what it is in a process without any Colorizer


def test_the_kernels_of_a_colorizer_without_a_number_take_that_of_set_threads(
    make_bundle: MakeBundle,
) -> None:
    program = f"{COUNT}\ncolor.set_threads(4)\nColorizer(model, backend=backend).colorize(frame)"
    assert printed(program + "\nprint(_color.pool_workers())", make_bundle(), "onnxruntime") == [
        "3"
    ]


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_a_colorizer_of_one_thread_starts_none_whatever_another_takes(
    make_bundle: MakeBundle,
) -> None:
    program = f"""{COUNT}
before = tasks()
Colorizer(model, backend=backend, threads=1).colorize(frame)
one = tasks()
many = Colorizer(model, backend=backend, threads=3)
many.colorize(frame)
three = tasks()
Colorizer(model, backend=backend, threads=1).colorize(frame)
print(one - before, three - one, tasks() - three)
"""
    # two of the kernels and two of the network's only graph
    assert printed(program, make_bundle(), "onnxruntime") == ["0", "4", "0"]


@pytest.mark.skipif(sys.platform != "linux", reason="sets the processors of a process")
def test_a_network_starts_no_thread_for_a_processor_that_the_process_may_not_use(
    make_bundle: MakeBundle,
) -> None:
    program = f"""{COUNT}
os.sched_setaffinity(0, {{min(os.sched_getaffinity(0))}})
before = tasks()
Colorizer(model, backend=backend).predict(Colorizer(model, backend=backend).prepare(frame))
print(tasks() - before - _color.pool_workers())
"""
    assert printed(program, make_bundle(), "onnxruntime") == ["0"]


# ---- the same colours --------------------------------------------------------------------------


def photograph() -> NDArray[np.uint8]:
    """(512, 512) grey: in two tiles where memory is scarce."""
    pixels: NDArray[np.uint8] = read_picture(photographs()[0]).pixels[..., 1]
    return np.ascontiguousarray(pixels)


@pytest.mark.parametrize("options", [{}, {"render": "full", "memory": 290_000_000}], ids=str)
@pytest.mark.parametrize("backend", RUNNING)
def test_the_bytes_are_the_same_for_every_number_of_threads_and_for_two_colorizers_at_once(
    backend: str, options: dict[str, Any]
) -> None:
    frame = photograph()
    one, two = (Colorizer(backend=backend, threads=n, **options) for n in (1, 2))
    expected = one.colorize(frame).tobytes()
    assert two.colorize(frame).tobytes() == expected
    with ThreadPoolExecutor(2) as both:
        found = both.map(lambda c: [c.colorize(frame).tobytes() for _ in range(3)], (one, two))
        assert list(found) == [[expected] * 3] * 2


# ---- between calls -----------------------------------------------------------------------------

IDLE = """
import sys, time
import numpy as np
from trtcolor.colorizer import Colorizer

frame = np.random.default_rng(0).integers(0, 256, (768, 1024), dtype=np.uint8)
colorizer = Colorizer(backend=sys.argv[1], threads=3)
used = []
for _ in range(3):
    colorizer.colorize(frame)
    start = time.process_time()
    time.sleep(0.5)
    used.append(time.process_time() - start)
print(sorted(used)[1])
"""


@pytest.mark.parametrize("backend", RUNNING)
def test_nothing_spins_between_calls(backend: str) -> None:
    (seconds,) = printed(IDLE, backend)
    assert float(seconds) < 0.025  # of processor time in 0.5 s: 5 % of one core
