"""How unfinished work goes on."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import click


@contextmanager
def telling_how_to_go_on(has_begun: Callable[[], bool], flag: str) -> Iterator[None]:
    """Say so where a run ends that may be gone on with as it is.

    Args:
        has_begun: whether anything is kept.
        flag: the option that goes on.
    """
    from trtcolor.errors import ClusterError, StoreError

    try:
        yield
    except (KeyboardInterrupt, OSError, ClusterError, StoreError):
        if has_begun():
            click.echo(
                f"note: what is finished is kept; the same command with {flag} goes on", err=True
            )
        raise
