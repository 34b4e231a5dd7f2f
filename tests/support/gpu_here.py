"""Whether an NVIDIA GPU answers, for tests that need one."""

from __future__ import annotations

import pytest

from trtcolor.backends.driver import gpus
from trtcolor.errors import BackendError


def has_gpu() -> bool:
    try:
        return bool(gpus())
    except BackendError:
        return False


NEEDS_GPU = pytest.mark.skipif(not has_gpu(), reason="no NVIDIA GPU answers")
