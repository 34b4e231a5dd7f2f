"""Names of files as text that can be shown."""

from __future__ import annotations


def readable(name: str) -> str:
    r"""A file's name for reading: bytes that are no text as ``\udcff``, control codes as ``\n``.

    Args:
        name: as Python gives names, with surrogates for bytes that are no UTF-8.
    """
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in name)
