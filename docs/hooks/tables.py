"""Tables of the pages, each made of files in benchmarks/results."""

from __future__ import annotations

from collections.abc import Callable

TABLES: dict[str, Callable[..., str]] = {}
