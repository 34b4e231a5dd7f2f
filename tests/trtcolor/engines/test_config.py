"""What cannot be asked of an engine is refused with the entry's name."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from engine_folders import CONFIG

from trtcolor.backends.frame_plans import FramePlans


@pytest.mark.parametrize(
    ("entries", "reason"),
    [
        ({"backend": "cuda"}, "backend is 'cuda'"),
        ({"precision": "fp8"}, "precision is 'fp8'"),
        ({"profiles": ()}, "profiles are none"),
        ({"targets": ("8.9",)}, "targets are '8.9'"),
        ({"targets": ("sm120", "sm89")}, "ascending order"),
        ({"targets": ("sm89", "sm89")}, "ascending order"),
        ({"workspace": 0}, "workspace is 0"),
        ({"workspace": 1 << 60}, "workspace is"),
        ({"precision": "int8"}, "came with the calibration None"),
        ({"calibration": "0" * 64}, "int8 and no other is calibrated"),
        ({"precision": "int8", "calibration": "0" * 63}, "calibration is '0"),
        ({"frames": FramePlans()}, "came with no profiles of frames"),
        ({"frame_profiles": CONFIG.profiles}, r"plans for frames \(None\) came with 64"),
        (
            {"backend": "openvino", "frames": FramePlans(), "frame_profiles": CONFIG.profiles},
            "backend openvino, which runs on the CPU",
        ),
    ],
)
def test_an_impossible_entry_is_refused(entries: dict[str, Any], reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        replace(CONFIG, **entries)


def test_targets_ascend_by_number() -> None:
    assert replace(CONFIG, targets=("sm89", "sm120")).targets == ("sm89", "sm120")
