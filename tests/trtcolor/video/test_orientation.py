"""Display matrices: every quarter turn and mirroring, against their definition."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from trtcolor.video.orientation import turn_from_matrix

ONE = 1 << 16
PLAIN = [(a, 0, 0, d) for a, d in product((ONE, -ONE), repeat=2)]
TURNED = [(0, b, c, 0) for b, c in product((ONE, -ONE), repeat=2)]


@pytest.mark.parametrize("numbers", PLAIN + TURNED)
def test_every_sample_goes_where_the_matrix_sends_it(numbers: tuple[int, ...]) -> None:
    a, b, c, d = (number // ONE for number in numbers)
    plane = np.arange(3 * 5).reshape(3, 5)
    rows, columns = np.mgrid[:3, :5]
    x, y = a * columns + c * rows, b * columns + d * rows
    wanted = np.empty((np.ptp(y) + 1, np.ptp(x) + 1), int)
    wanted[y - y.min(), x - x.min()] = plane
    matrix = (numbers[0], numbers[1], 0, numbers[2], numbers[3], 0, 0, 0, 1 << 30)
    turn = turn_from_matrix(matrix)
    assert turn is not None
    assert np.array_equal(turn.of(plane), wanted)


def test_other_angles_are_no_quarter_turns() -> None:
    half = round(ONE * 0.5**0.5)
    assert turn_from_matrix((half, half, 0, -half, half, 0, 0, 0, 1 << 30)) is None
