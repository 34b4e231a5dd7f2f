"""A build's phases are one fraction that rises from 0 to 1."""

from __future__ import annotations

import io

from hypothesis import given
from hypothesis import strategies as st

from trtcolor.engines.progress import Phases, bar


def test_a_phase_within_a_step_counts_as_that_part_of_the_step() -> None:
    phases = Phases()
    phases.start("build", None, 4)
    phases.step("build", 0)
    assert phases.fraction == 1 / 4
    phases.start("time", "build", 10)
    phases.step("time", 4)
    assert phases.fraction == (1 + 5 / 10) / 4
    phases.finish("time")
    phases.step("build", 1)
    assert phases.fraction == 2 / 4


def test_a_finished_phase_is_whole_though_its_steps_were_not_all_taken() -> None:
    phases = Phases()
    phases.start("build", None, 2)
    phases.start("time", "build", 10)
    phases.finish("time")
    assert phases.fraction == 1 / 2
    phases.finish("build")
    assert phases.fraction == 1


def test_a_phase_without_steps_or_with_an_unknown_parent_does_no_harm() -> None:
    phases = Phases()
    assert phases.fraction == 0
    phases.start("build", None, 0)
    phases.start("time", "another", 3)
    phases.step("unknown", 2)
    phases.finish("unknown")
    assert phases.fraction == 0


NAMES = st.sampled_from("abc")
EVENTS = st.one_of(
    st.tuples(st.just("start"), NAMES, st.one_of(st.none(), NAMES), st.integers(0, 4)),
    st.tuples(st.just("step"), NAMES, st.integers(0, 5)),
    st.tuples(st.just("finish"), NAMES),
)


@given(st.lists(EVENTS))
def test_the_fraction_never_falls_nor_leaves_0_to_1(events: list[tuple[str, ...]]) -> None:
    phases, before = Phases(), 0.0
    for method, *arguments in events:
        getattr(phases, method)(*arguments)
        assert before <= phases.fraction <= 1
        before = phases.fraction


def test_a_bar_without_a_terminal_writes_its_label_and_no_control_characters() -> None:
    stream = io.StringIO()
    with bar("building local", stream) as report:
        for step in range(5):
            report(step / 4, "phase")
    assert stream.getvalue().split("\n")[0] == "building local"
    assert "\r" not in stream.getvalue()
