"""Turns, with candidates that tell the clock how long they took."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from trtcolor.bench.candidates import Candidate
from trtcolor.bench.subject import STEPS
from trtcolor.bench.turns import Entrant, take_turns
from trtcolor.errors import BackendError


class Track:
    """Virtual time, who ran in it, and candidates that take time."""

    def __init__(self) -> None:
        self.now = 0.0
        self.ran: list[str] = []

    def clock(self) -> float:
        return self.now

    def floor(self) -> list[float]:
        self.now += 0.01
        return [0.01]

    def entrant(self, name: str, seconds: Callable[[float], float], fails_at: int = -1) -> Entrant:
        return Entrant(Candidate(name, "fp32"), _Runner(self, name, seconds, fails_at))


class _Runner:
    def __init__(
        self, track: Track, name: str, seconds: Callable[[float], float], fails_at: int
    ) -> None:
        self.track, self.name, self.seconds, self.fails_at = track, name, seconds, fails_at
        self.opened: dict[str, Any] = {}
        self.turns = 0

    def ask(self, request: dict[str, Any]) -> dict[str, Any]:
        if self.turns == self.fails_at:
            raise BackendError("out of memory")
        self.turns += 1
        self.track.ran.append(self.name)
        times = []
        for _ in range(request["warmup"] + request["runs"]):
            taken = self.seconds(self.track.now)
            self.track.now += taken
            times.append(taken)
        counted = times[request["warmup"] :]
        return {"steps": dict.fromkeys(STEPS, counted), "peak_memory": 1000}


def test_all_give_the_values_asked_for_and_nobody_runs_twice_in_a_row_for_long() -> None:
    track = Track()
    entrants = [track.entrant(name, lambda _: 1.0) for name in "abc"]
    take_turns(entrants, track.floor, runs=4, deadline=1000, clock=track.clock)
    assert [entrant.count for entrant in entrants] == [4, 4, 4]
    assert track.ran == [*"abc", *"cba", *"abc", *"cba"]


def test_a_slow_minute_falls_on_all() -> None:
    track = Track()

    def slowed(now: float) -> float:
        return 3.0 if 20 < now < 60 else 1.0

    entrants = [track.entrant(name, slowed) for name in "ab"]
    take_turns(entrants, track.floor, runs=30, deadline=1000, clock=track.clock)
    slow = [sum(s == 3.0 for s in entrant.values["predict"]) for entrant in entrants]
    assert min(slow) > 0
    assert abs(slow[0] - slow[1]) <= 1


def test_after_the_deadline_each_still_gives_the_least() -> None:
    track = Track()
    entrants = [track.entrant("a", lambda _: 5.0), track.entrant("b", lambda _: 0.5)]
    take_turns(entrants, track.floor, runs=100, deadline=1.0, clock=track.clock)
    assert entrants[0].count == 3
    assert entrants[1].count >= 3
    late = track.now
    assert late < 40


def test_one_that_fails_keeps_its_reason_and_the_others_go_on() -> None:
    track = Track()
    entrants = [track.entrant("a", lambda _: 1.0, fails_at=2), track.entrant("b", lambda _: 1.0)]
    take_turns(entrants, track.floor, runs=5, deadline=1000, clock=track.clock)
    assert entrants[0].error == "out of memory"
    assert entrants[0].steps() == {}
    assert entrants[1].count == 5


def test_the_length_of_each_turn_is_kept() -> None:
    track = Track()
    (entrant,) = [track.entrant("a", lambda _: 0.05)]
    take_turns([entrant], track.floor, runs=20, deadline=1000, clock=track.clock)
    assert sum(entrant.turns) == len(entrant.values["total"]) == 20
    assert len(entrant.turns) > 5
    assert max(entrant.turns) > 1


def test_the_floor_is_taken_even_where_nobody_runs() -> None:
    track = Track()
    assert take_turns([], track.floor, runs=5, deadline=1000, clock=track.clock) == [0.01]
