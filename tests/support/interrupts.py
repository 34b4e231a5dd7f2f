"""Ctrl-C for processes that tests start."""

from __future__ import annotations

import signal


def heed_interrupts() -> None:
    """For ``preexec_fn``: a shell starts its background jobs, CI perhaps, with SIGINT ignored, and
    whatever they start ignores it too."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
