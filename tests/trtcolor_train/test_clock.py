"""How many steps a training has time for, by a clock that the test sets."""

from __future__ import annotations

from itertools import count

import pytest

from trtcolor_train.clock import Budget
from trtcolor_train.config import Optimizer
from trtcolor_train.optimizer import learning_rate


class Watch:
    """A clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.seconds = 100.0

    def __call__(self) -> float:
        return self.seconds


def test_without_minutes_all_steps_are_done_however_long_they_take() -> None:
    watch = Watch()
    budget = Budget(500, 0.0, now=watch)
    watch.seconds += 1e6
    assert budget.steps(3) == 500


def test_the_pace_so_far_says_how_many_steps_fit() -> None:
    watch = Watch()
    budget = Budget(1000, 1.0, now=watch)
    assert budget.steps(0) == 1000  # nothing is known yet
    watch.seconds += 6.0
    assert budget.steps(10) == 100
    watch.seconds += 6.0
    assert budget.steps(40) == 200
    watch.seconds += 0.1
    assert budget.steps(900) == 1000  # never more than were asked for


def test_when_the_time_is_over_the_step_just_done_was_the_last() -> None:
    watch = Watch()
    budget = Budget(1000, 1.0, now=watch)
    watch.seconds += 60.0
    assert budget.steps(57) == 57
    watch.seconds += 60.0
    assert budget.steps(58) == 58


def test_a_resumed_training_counts_from_where_it_was() -> None:
    watch = Watch()
    budget = Budget(1000, 1.0, first=400, now=watch)
    assert budget.steps(400) == 1000
    watch.seconds += 30.0
    assert budget.steps(450) == 500


def test_a_resumed_training_plans_by_the_pace_that_it_had_from_its_first_step_on() -> None:
    watch = Watch()
    budget = Budget(5000, 1.0, first=400, earlier=40.0, now=watch)
    assert budget.steps(400) == 400 + 600
    watch.seconds += 20.0  # at half of that pace
    assert budget.steps(500) == 500 + 334  # of 60 s for 500 steps, 40 are left
    watch.seconds += 40.0
    assert budget.steps(700) == 700


def test_the_rate_has_run_down_when_the_time_is_over() -> None:
    watch = Watch()
    budget = Budget(10**6, 1.0, now=watch)
    settings = Optimizer("adamw", learning_rate=1.0, schedule="cosine", warmup_steps=20)
    rates = []
    for done in count():
        planned = budget.steps(done)
        rates.append(learning_rate(settings, done, planned))
        if done + 1 >= planned:
            break
        watch.seconds += 0.05 if done < 300 else 0.1  # half as fast after 15 s
    assert len(rates) == pytest.approx(300 + 450, abs=2)
    assert rates[:20] == pytest.approx([i / 20 for i in range(1, 21)])
    assert rates[300] == pytest.approx(0.86, abs=0.01)  # a quarter of the cosine
    assert rates[300] > rates[450] > rates[600] > rates[700]
    assert rates[-1] < 1e-4
