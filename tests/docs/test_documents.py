"""What counts as printed."""

from __future__ import annotations

from documents import matches

TOLD = "a.png  1.20 s\nb.png 12 failed"


def test_three_dots_stand_for_anything() -> None:
    assert matches("a...failed", TOLD)
    assert not matches("a...coloured", TOLD)


def test_only_numbers_that_vary_may_differ() -> None:
    other = "a.png  0.9 s\nb.png  7 failed"
    assert not matches(TOLD, other)
    assert matches(TOLD, other, numbers=False)
    assert not matches(TOLD, other.replace("failed", "coloured"), numbers=False)
    assert not matches(TOLD, other.replace("0.9", "no"), numbers=False)
