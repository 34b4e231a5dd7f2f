"""Threads change how long a colour function takes, and nothing else; a forked child has its own."""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from trtcolor import color, planes
from trtcolor.kernels import _color

RANDOM = np.random.default_rng(0)
SMALL = RANDOM.integers(0, 256, (199, 500, 3), dtype=np.uint8)  # 99,500 pixels: one thread's
LARGE = RANDOM.integers(0, 256, (701, 903, 3), dtype=np.uint8)
LAB = color.lab_from_rgb(LARGE, threads=1)
CHROMA = LAB[::2, ::2, 1:].transpose(2, 0, 1)

FUNCTIONS: list[Callable[[int | None], NDArray[np.generic]]] = [
    lambda threads: color.lab_from_rgb(LARGE, threads=threads),
    lambda threads: color.luv_from_rgb(LARGE, threads=threads),
    lambda threads: color.rgb_from_lab(LAB, threads=threads),
    lambda threads: color.rgb_from_lab(LAB, gamut="reduce", threads=threads),
    lambda threads: color.lightness_from_rgb(LARGE, threads=threads),
    lambda threads: color.lightness_from_grey(LARGE[..., 0], threads=threads),
    lambda threads: color.merge_lab(LARGE[..., 0], CHROMA, scale=2, threads=threads),
    lambda threads: planes.chroma_planes(
        LARGE[..., 0], CHROMA, scale=2, layout="nv12", threads=threads
    ),
]


@pytest.fixture(autouse=True)
def _threads_as_before() -> Iterator[None]:
    before = color.get_threads()
    yield
    color.set_threads(before)


def digest(threads: int | None) -> bytes:
    """The bytes of every function's result, one after another."""
    return b"".join(function(threads).tobytes() for function in FUNCTIONS)


ONE_THREAD = digest(1)


@pytest.mark.parametrize("threads", [2, 3, 8, 2**31 - 1, 2**40, None])
def test_the_bytes_are_the_same_for_every_number_of_threads(threads: int | None) -> None:
    assert digest(threads) == ONE_THREAD


@given(height=st.integers(1, 900), width=st.integers(1, 900), threads=st.integers(2, 9))
@settings(max_examples=30, deadline=None)
def test_the_bytes_are_the_same_for_every_size(height: int, width: int, threads: int) -> None:
    picture = np.resize(LARGE, (height, width, 3))
    many = color.lab_from_rgb(picture, threads=threads)
    assert many.tobytes() == color.lab_from_rgb(picture, threads=1).tobytes()


def test_callers_in_several_threads_get_the_same_bytes() -> None:
    with ThreadPoolExecutor(6) as callers:
        results = callers.map(digest, [1, 2, 3, 4, 2, 2] * 2)
    assert all(result == ONE_THREAD for result in results)


# ---- how many ----------------------------------------------------------------------------------


def workers_after(statements: str) -> list[int]:
    """Workers of a fresh process, before the statements and after them."""
    program = f"""
import numpy as np
from trtcolor import color
from trtcolor.kernels import _color
small = np.zeros((199, 500, 3), np.uint8)
large = np.zeros((1000, 1000, 3), np.uint8)
before = _color.pool_workers()
{statements}
print(before, _color.pool_workers())
"""
    done = subprocess.run(
        [sys.executable, "-P", "-c", program],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    return [int(word) for word in done.stdout.split()]


def test_a_small_picture_starts_no_thread() -> None:
    assert workers_after("color.lab_from_rgb(small, threads=8)") == [0, 0]


def test_one_thread_is_the_calling_one() -> None:
    assert workers_after("color.lab_from_rgb(large, threads=1)") == [0, 0]


@pytest.mark.parametrize("threads", [2, 3, 5])
def test_a_large_picture_starts_one_thread_less_than_asked_for(threads: int) -> None:
    asked = f"color.lab_from_rgb(large, threads={threads})"
    assert workers_after(asked) == [0, threads - 1]
    assert workers_after(f"{asked}; {asked}; color.lab_from_rgb(large, threads=2)") == [
        0,
        threads - 1,
    ]


def test_set_threads_is_what_a_call_uses_that_names_none() -> None:
    assert workers_after("color.set_threads(4); color.lab_from_rgb(large)") == [0, 3]
    assert workers_after("color.set_threads(1); color.lab_from_rgb(large)") == [0, 0]
    assert workers_after("color.set_threads(1); color.lab_from_rgb(large, threads=3)") == [0, 2]


def test_set_threads_is_remembered() -> None:
    color.set_threads(3)
    assert color.get_threads() == 3


@pytest.mark.parametrize("threads", [0, -1])
def test_fewer_threads_than_one_are_refused(threads: int) -> None:
    with pytest.raises(ValueError, match="at least 1"):
        color.lab_from_rgb(SMALL, threads=threads)
    with pytest.raises(ValueError, match="at least 1"):
        color.set_threads(threads)


@pytest.mark.parametrize("threads", [1.5, "2", True])
def test_threads_that_are_no_whole_number_are_refused(threads: object) -> None:
    with pytest.raises(TypeError, match="whole number"):
        color.lab_from_rgb(SMALL, threads=threads)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="whole number"):
        color.set_threads(threads)  # type: ignore[arg-type]


# ---- the GIL -----------------------------------------------------------------------------------


def test_other_python_threads_run_during_a_conversion() -> None:
    picture = np.resize(LARGE, (3000, 3000, 3))
    out = np.empty(picture.shape, np.float32)
    count, advance = 0, 0
    done = threading.Event()

    def count_up() -> None:
        nonlocal count
        while not done.is_set():
            count += 1
            time.sleep(0)  # gives the GIL back

    counter = threading.Thread(target=count_up)
    interval = sys.getswitchinterval()
    sys.setswitchinterval(100)  # so that this thread keeps the GIL but where a call releases it
    counter.start()
    until = time.monotonic() + 30
    try:
        while advance < 10 and time.monotonic() < until:
            before = count
            _color.lab_from_rgb(out, picture, 1)
            advance = count - before
    finally:
        sys.setswitchinterval(interval)
        done.set()
        counter.join()
    assert advance >= 10


# ---- fork --------------------------------------------------------------------------------------

needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="the system has no fork")


def status_of_child(child: int, seconds: float = 60) -> int:
    """How a forked child ended; one that hangs is killed and so fails."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.005)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return -signal.SIGKILL


def fork_and_compare() -> int:
    """Forks; the child converts with threads of its own and ends with 0 if the bytes are right."""
    child = os.fork()
    if child == 0:
        code = 1
        try:
            inherited = _color.pool_workers()
            right = digest(3) == ONE_THREAD
            code = 0 if right and inherited == 0 and _color.pool_workers() == 2 else 2
        finally:
            os._exit(code)
    return child


@needs_fork
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_child_forked_after_use_works() -> None:
    assert digest(4) == ONE_THREAD
    assert status_of_child(fork_and_compare()) == 0
    assert digest(4) == ONE_THREAD


@needs_fork
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_children_forked_while_other_threads_convert_work() -> None:
    done = threading.Event()

    def convert() -> None:
        while not done.is_set():
            color.lab_from_rgb(LARGE, threads=3)

    callers = [threading.Thread(target=convert) for _ in range(2)]
    for caller in callers:
        caller.start()
    try:
        codes = [status_of_child(fork_and_compare()) for _ in range(8)]
    finally:
        done.set()
        for caller in callers:
            caller.join()
    assert codes == [0] * 8


@needs_fork
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_multiprocessing_pool_of_forks_works() -> None:
    assert digest(2) == ONE_THREAD
    with multiprocessing.get_context("fork").Pool(2) as processes:
        results = processes.map_async(digest, [1, 2, 3, 4]).get(timeout=120)
    assert results == [ONE_THREAD] * 4
