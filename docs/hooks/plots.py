"""Plots of the pages: SVG inside the page, in the colours of its scheme."""

from __future__ import annotations

from collections.abc import Callable

PLOTS: dict[str, Callable[..., str]] = {}
