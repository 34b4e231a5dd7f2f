"""Work side by side: bounded, in any order, and ended by an error."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import closing

import pytest

from trtcolor.archive.budget import Budget
from trtcolor.archive.pool import unordered


def test_every_result_comes_once() -> None:
    assert sorted(unordered(lambda n: n * n, range(100), 7)) == [n * n for n in range(100)]
    assert list(unordered(lambda n: n, [], 3)) == []


def test_a_slow_item_does_not_hold_up_the_others() -> None:
    last = threading.Event()

    def work(number: int) -> int:
        if number == 0:
            assert last.wait(30)
        if number == 9:
            last.set()
        return number

    results = list(unordered(work, range(10), 2))
    assert sorted(results) == list(range(10))
    assert results.index(0) >= 8


def test_no_more_items_are_taken_than_there_are_threads() -> None:
    taken: list[int] = []

    def items() -> Iterator[int]:
        for number in range(50):
            taken.append(number)
            yield number

    for done, _ in enumerate(unordered(lambda n: n, items(), 3), 1):
        assert len(taken) <= done + 2 * 3


@pytest.mark.parametrize("where", ["work", "caller"])
def test_an_error_ends_the_work_once_what_was_begun_is_finished(where: str) -> None:
    begun, ended = [], []

    def work(number: int) -> int:
        begun.append(number)
        time.sleep(0.01)
        if where == "work" and number == 5:
            raise KeyError(number)
        ended.append(number)
        return number

    def consume() -> None:
        with closing(unordered(work, range(1000), 3)) as results:
            for result in results:
                if where == "caller" and result == 5:
                    raise KeyError(result)

    with pytest.raises(KeyError):
        consume()
    assert len(begun) < 100
    assert len(ended) >= len(begun) - 1


def test_a_budget_is_never_exceeded_but_by_one_that_is_alone() -> None:
    budget, held, most = Budget(10), [0], [0]
    lock = threading.Lock()

    def work(amount: int) -> None:
        with budget.part(amount):
            with lock:
                held[0] += amount
                others = held[0] - amount
                assert held[0] <= 10 or others == 0, (amount, others)
                most[0] = max(most[0], held[0])
            time.sleep(0.001)
            with lock:
                held[0] -= amount

    amounts = [1, 4, 6, 25, 3, 10, 0, 7, 11, 2] * 10
    assert len(list(unordered(work, amounts, 8))) == len(amounts)
    assert most[0] == 25


def test_a_large_part_is_not_kept_waiting_by_small_ones_that_came_later() -> None:
    budget, order = Budget(10), []
    first = threading.Event()

    def hold(amount: int, ready: threading.Event | None) -> None:
        with budget.part(amount):
            order.append(amount)
            if ready is not None:
                assert ready.wait(30)

    threads = []
    for amount, ready in ((5, first), (10, None), (1, None)):
        threads.append(threading.Thread(target=hold, args=(amount, ready)))
        threads[-1].start()
        while len(order) < 1 or len(budget._waiting) < len(threads) - 1:
            time.sleep(0.001)
    first.set()
    for thread in threads:
        thread.join(30)
    assert order == [5, 10, 1]
