"""An engine's optimisation profiles: which one admits the shapes at hand."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from trtcolor.errors import BackendError

Shape = tuple[int, ...]
InputRange = tuple[Shape, Shape, Shape]
"""Minimum, optimum and maximum shape of one input of a graph."""
Profile = Mapping[str, InputRange]
"""By the name of an input."""


def engine_profiles(engine: Any, inputs: Iterable[str]) -> list[Profile]:
    """The profiles of an ``ICudaEngine`` in their order, for the inputs named."""
    profiles: list[Profile] = []
    for index in range(engine.num_optimization_profiles):
        profile: dict[str, InputRange] = {}
        for name in inputs:
            shape = tuple(engine.get_tensor_shape(name))
            if -1 not in shape:  # of which a profile need not say anything
                profile[name] = (shape, shape, shape)
                continue
            low, best, high = engine.get_tensor_profile_shape(name, index)
            profile[name] = (tuple(low), tuple(best), tuple(high))
        profiles.append(profile)
    return profiles


def choose_profile(graph: str, profiles: Sequence[Profile], shapes: Mapping[str, Shape]) -> int:
    """The index of the profile that admits the shapes; of several, the one that reaches least far.

    Args:
        graph: its name, for the message.
        profiles: of the engine.
        shapes: of the inputs, by name.

    Raises:
        BackendError: none admits them; all are named.
    """
    admitting = [
        index
        for index, ranges in enumerate(profiles)
        if all(_within(shapes[name], span) for name, span in ranges.items())
    ]
    if not admitting:
        given = ", ".join(f"{name} {_text(shape)}" for name, shape in shapes.items())
        known = "; ".join(
            ", ".join(f"{name} {_text(low)} to {_text(high)}" for name, (low, _, high) in p.items())
            for p in profiles
        )
        raise BackendError(
            f"graph {graph!r} was given {given}, which no profile of its engine admits; {known} "
            "was needed; render at another size or build the engine with a further --profile"
        )
    return min(
        admitting,
        key=lambda index: sum(math.prod(high) for _, _, high in profiles[index].values()),
    )


def _within(shape: Shape, span: InputRange) -> bool:
    low, _, high = span
    return len(shape) == len(low) and all(
        a <= n <= b for a, n, b in zip(low, shape, high, strict=True)
    )


def _text(shape: Shape) -> str:
    return "x".join(map(str, shape))
