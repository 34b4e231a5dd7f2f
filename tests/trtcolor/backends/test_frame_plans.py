"""What an engine's plans for frames do is written down, read again, and held against a request."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trtcolor.backends.frame_plans import FramePlans
from trtcolor.errors import BackendError


@given(
    st.sampled_from(["auto", "full"]) | st.integers(1, 1 << 20), st.sampled_from(["reduce", "clip"])
)
def test_the_text_is_read_again(render: Any, gamut: Any) -> None:
    plans = FramePlans(render, gamut)
    assert FramePlans.parse(str(plans)) == plans


@pytest.mark.parametrize("text", ["", "auto", "auto wide", "0 clip", "-1 clip", "half reduce"])
def test_another_text_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="was needed"):
        FramePlans.parse(text)


def test_another_render_size_gamut_or_number_of_channels_is_refused_in_a_sentence() -> None:
    plans = FramePlans(224)
    assert plans.graphs(224, "reduce", 3) == ("prepare", "merge")
    assert plans.graphs(224, "reduce", 1) == ("prepare_grey", "merge")
    with pytest.raises(BackendError, match=r"--frames --render full --gamut clip$"):
        plans.graphs("full", "clip", 3)
    with pytest.raises(BackendError, match="frames of 2 channels came; 1 or 3 were needed"):
        plans.graphs(224, "reduce", 2)
