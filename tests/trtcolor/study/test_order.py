"""Orders of pictures: all of them, drawn for each user, versions of a scene far apart."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from trtcolor.study.order import order_of, shuffled

SEEDS = st.integers(0, 2**53)
NAMES = st.text(min_size=1, max_size=10)
SCENES, APPROACHES = st.integers(1, 60), st.integers(1, 5)


@given(SEEDS, NAMES, SCENES, APPROACHES)
def test_every_scene_comes_once_in_every_version(
    seed: int, user: str, scenes: int, approaches: int
) -> None:
    order = order_of(seed, user, scenes, approaches)
    assert sorted(order) == [(s, a) for s in range(scenes) for a in range(approaches)]


@given(SEEDS, NAMES, SCENES, APPROACHES)
def test_more_than_half_a_round_lies_between_versions_of_a_scene(
    seed: int, user: str, scenes: int, approaches: int
) -> None:
    places: dict[int, list[int]] = {}
    for place, (scene, _) in enumerate(order_of(seed, user, scenes, approaches)):
        places.setdefault(scene, []).append(place)
    gaps = [b - a for own in places.values() for a, b in pairwise(own)]
    assert min(gaps, default=scenes) >= scenes // 2 + 1


@given(SEEDS, NAMES, SCENES, APPROACHES)
def test_each_half_of_a_round_has_as_many_of_each_approach(
    seed: int, user: str, scenes: int, approaches: int
) -> None:
    order = order_of(seed, user, scenes, approaches)
    middle = (scenes + 1) // 2
    for start in range(0, len(order), scenes):
        for half in (order[start : start + middle], order[start + middle : start + scenes]):
            counts = Counter(approach for _, approach in half)
            shares = [counts[approach] for approach in range(approaches)]
            assert max(shares) - min(shares) <= 1


def test_users_have_orders_of_their_own_and_keep_them() -> None:
    orders = [order_of(7, user, 20, 3) for user in ("Anna", "Ben")]
    assert orders[0] != orders[1]
    assert orders[0] == order_of(7, "Anna", 20, 3)
    assert orders[0] != order_of(8, "Anna", 20, 3)


def test_no_version_follows_the_same_one_for_all_scenes() -> None:
    seen: dict[int, list[int]] = {}
    for scene, approach in order_of(7, "Anna", 60, 3):
        seen.setdefault(scene, []).append(approach)
    counts = Counter(map(tuple, seen.values()))
    assert len(counts) == 6
    assert max(counts.values()) <= 12


def test_orders_stay_what_they_were_for_studies_that_go_on() -> None:
    assert shuffled(range(6), 7, "Anna") == [4, 3, 2, 5, 0, 1]
    assert order_of(7, "Anna", 3, 2) == [(0, 1), (2, 0), (1, 0), (2, 1), (0, 0), (1, 1)]


@given(st.lists(st.integers(), unique=True), SEEDS)
def test_a_draw_does_not_depend_on_what_it_came_in(items: list[int], seed: int) -> None:
    assert shuffled(items, seed) == shuffled(sorted(items), seed)
