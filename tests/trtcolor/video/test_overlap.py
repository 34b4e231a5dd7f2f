"""Steps run in threads of their own, in order, a bounded number of items ahead, and end cleanly."""

from __future__ import annotations

import gc
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from itertools import count
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trtcolor.video.overlap import overlapped


def ours() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name.startswith("trtcolor ")]


@pytest.fixture(autouse=True)
def no_thread_is_left() -> Iterator[None]:
    assert ours() == []
    yield
    assert ours() == []


def adding(amount: int) -> Callable[[Iterator[int]], Iterator[int]]:
    def step(items: Iterator[int]) -> Iterator[int]:
        for item in items:
            yield item + amount

    return step


def soon(true: Callable[[], bool]) -> bool:
    """Whether it comes true within some seconds."""
    for _ in range(500):
        if true():
            return True
        time.sleep(0.01)
    return False


@given(items=st.lists(st.integers(), max_size=40), steps=st.integers(0, 4), ahead=st.integers(1, 5))
@settings(deadline=None, max_examples=25)
def test_items_go_through_all_steps_in_order(items: list[int], steps: int, ahead: int) -> None:
    out = list(overlapped(items, [adding(10**step) for step in range(steps)], ahead=ahead))
    assert out == [item + int("0" + "1" * steps) for item in items]


def test_steps_run_in_threads_of_their_own_at_the_same_time() -> None:
    together = threading.Barrier(3, timeout=30)  # broken unless three wait at once

    def meeting(number: int) -> Callable[[Iterator[int]], Iterator[int]]:
        def step(items: Iterator[int]) -> Iterator[int]:
            for item in items:
                if 2 <= item + number < 9:  # all three have one, each one item behind the other
                    together.wait()
                yield item

        return step

    out = overlapped(range(9), [meeting(0), meeting(1), meeting(2)], ahead=1)
    assert list(out) == list(range(9))


@pytest.mark.parametrize("ahead", [1, 4])
def test_a_caller_who_takes_nothing_more_holds_up_the_source(ahead: int) -> None:
    taken: list[int] = []

    def source() -> Iterator[int]:
        for item in count():
            taken.append(item)
            yield item

    with closing(overlapped(source(), [adding(0), adding(0)], ahead=ahead)) as items:
        for wanted in range(20):
            assert next(items) == wanted
        # Three queues, and an item in each of three hands.
        assert soon(lambda: len(taken) == 20 + 3 * ahead + 3)
        time.sleep(0.1)
        assert len(taken) == 20 + 3 * ahead + 3


class OddError(Exception):
    pass


def failing(at: int, error: BaseException) -> Callable[[Iterator[int]], Iterator[int]]:
    def step(items: Iterator[int]) -> Iterator[int]:
        for item in items:
            if item == at:
                raise error
            yield item

    return step


@pytest.mark.parametrize(
    "error", [OddError("no"), KeyboardInterrupt(), SystemExit(3), StopIteration()]
)
@pytest.mark.parametrize("where", ["source", "first", "last"])
def test_an_error_comes_behind_the_items_before_it(where: str, error: BaseException) -> None:
    bad = failing(7, error)
    source = bad(iter(range(50))) if where == "source" else range(50)
    steps = [adding(0), adding(0)]
    if where != "source":
        steps[0 if where == "first" else -1] = bad
    came: list[int] = []
    # A generator may not raise StopIteration: Python itself makes a RuntimeError of it.
    kind = RuntimeError if isinstance(error, StopIteration) else type(error)
    with pytest.raises(kind) as caught:
        came.extend(overlapped(source, steps, ahead=3))
    assert came == list(range(7))
    assert caught.value is error or caught.value.__cause__ is error


def test_a_source_that_is_none_is_an_error_of_the_first_item() -> None:
    with pytest.raises(TypeError, match="not iterable"):
        next(overlapped(5, [adding(0)], ahead=1))  # type: ignore[arg-type]


def test_an_error_of_the_caller_ends_the_threads() -> None:
    def caller() -> None:
        for item in overlapped(count(), [adding(0), adding(0)], ahead=2):
            if item == 5:
                raise OddError

    with pytest.raises(OddError):
        caller()
    assert ours() == []


@pytest.mark.parametrize("after", [0, 1, 10])
def test_closing_midway_ends_the_threads_and_the_source(after: int) -> None:
    ended: list[str] = []

    def source() -> Iterator[int]:
        try:
            yield from count()
        finally:
            ended.append(threading.current_thread().name)

    items = overlapped(source(), [adding(0)], ahead=2)
    for _ in range(after):
        next(items)
    items.close()
    assert ours() == []
    assert len(ended) == (1 if after else 0)
    items.close()
    assert list(items) == []


def test_a_generator_that_is_dropped_ends_its_threads() -> None:
    items = overlapped(count(), [adding(0)], ahead=2)
    next(items)
    assert len(ours()) == 2
    del items
    gc.collect()
    assert ours() == []


def test_nothing_begins_before_the_first_item_is_asked_for() -> None:
    items = overlapped(count(), [adding(0)], ahead=2)
    assert ours() == []
    next(items)
    items.close()


def test_closing_does_not_wait_for_ever_for_a_source_that_gives_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("trtcolor.video.overlap.PATIENCE", 0.05)
    awaited, asked = threading.Event(), threading.Event()

    def source() -> Iterator[int]:
        yield 0
        asked.set()
        awaited.wait(60)
        yield 1

    items = overlapped(source(), [adding(0)], ahead=2)
    assert next(items) == 0
    assert asked.wait(30)
    items.close()
    assert len(ours()) == 1
    awaited.set()
    assert soon(lambda: ours() == [])


def test_no_item_is_kept_behind_the_one_that_is_out() -> None:
    class Item:
        alive = 0

        def __init__(self) -> None:
            Item.alive += 1

        def __del__(self) -> None:
            Item.alive -= 1

    def handing(items: Iterator[Any]) -> Iterator[Any]:
        for item in items:
            yield item
            del item

    most = 0
    for item in overlapped((Item() for _ in range(300)), [handing, handing], ahead=2):
        most = max(most, Item.alive)
        del item
    assert most <= 3 * 2 + 3 + 3  # queues, hands, and the ends of the generators
    gc.collect()
    assert Item.alive == 0


def test_a_program_may_end_while_it_holds_an_open_one() -> None:
    program = (
        "from itertools import count\nfrom trtcolor.video.overlap import overlapped\n"
        "kept = overlapped(count(), [lambda items: (i for i in items)], ahead=2)\nprint(next(kept))"
    )
    done = subprocess.run(
        [sys.executable, "-P", "-c", program], capture_output=True, text=True, timeout=60
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "0\n", "")


@pytest.mark.parametrize("wrong", [0, -1, 1.5, True, None])
def test_a_number_ahead_below_one_is_refused_at_once(wrong: Any) -> None:
    with pytest.raises(ValueError, match="from 1 was needed"):
        overlapped([], [], ahead=wrong)
