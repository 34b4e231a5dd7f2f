"""What closes itself at the end of a block."""

from __future__ import annotations

import pytest

from trtcolor.closing import Closing


class Door(Closing):
    closed = False

    def close(self) -> None:
        self.closed = True


def test_a_block_gives_the_object_and_closes_it() -> None:
    door = Door()
    with door as inside:
        assert inside is door
        assert not door.closed
    assert door.closed


def test_an_error_in_the_block_closes_it_and_goes_on() -> None:
    door = Door()
    with pytest.raises(ZeroDivisionError), door:
        raise ZeroDivisionError
    assert door.closed
