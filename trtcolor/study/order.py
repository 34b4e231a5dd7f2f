"""In which order a user sees the pictures: drawn anew for each, the same whenever it is asked for.

A user sees every scene in every version, in as many rounds as there are versions. In a round each
scene comes once, and each approach has an equal share of the scenes: whoever stops early has seen
about as many pictures of each approach, and few scenes twice. A round has two halves, and a scene
stays in its half, so that more than half a round lies between two versions of it.

Draws are sorts by SHA-256, which no version of Python or NumPy changes.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from typing import TypeVar

Item = TypeVar("Item", int, str)


def shuffled(items: Iterable[Item], *seed: int | str) -> list[Item]:
    """The items in an order drawn by a seed, whatever order they come in."""

    def rank(item: Item) -> bytes:
        return hashlib.sha256(json.dumps([*seed, item]).encode()).digest()

    return sorted(items, key=rank)


def order_of(seed: int, user: str, scenes: int, approaches: int) -> list[tuple[int, int]]:
    """All pictures in the order in which a user sees them.

    Args:
        seed: of the study.
        user: the name.
        scenes, approaches: how many there are.

    Returns:
        (scene, approach) by index, each pair once. Two pairs of one scene are at least
        ``scenes // 2 + 1`` places apart.
    """
    drawn = shuffled(range(scenes), seed, user, "scenes")
    first = shuffled(range(approaches), seed, user, "approaches")
    middle = (scenes + 1) // 2
    order: list[tuple[int, int]] = []
    for number in range(approaches):
        for half in (drawn[:middle], drawn[middle:]):
            versions = {}
            for place, scene in enumerate(half):
                # Every other group of scenes goes through the approaches backwards, so that none
                # always follows the same one.
                step = -number if place // approaches % 2 else number
                versions[scene] = first[(place + step) % approaches]
            for scene in shuffled(half, seed, user, "round", number):
                order.append((scene, versions[scene]))
    return order
