"""The builders' timing caches and the runtimes' own: read only if private, replaced whole.

They are deserialised by the same code as engines, so the same care holds for them.
"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from trtcolor.engines.trust import make_private, not_private
from trtcolor.files import whole_file


def read_cache(path: Path) -> bytes:
    """What a cache holds; nothing if it is not there, or others could have written it."""
    try:
        if not_private(path.parent) is None and not_private(path) is None:
            return path.read_bytes()
    except OSError:
        pass
    return b""


def write_cache(path: Path, data: bytes) -> None:
    """Replace a cache, readable by the user alone.

    A cache only saves time: one that cannot be written, for want of space, say, is left as it was.
    """
    with suppress(OSError):
        make_private(path.parent.parent)
        make_private(path.parent)
        with whole_file(path, overwrite=True) as stream:
            stream.write(data)
        path.chmod(0o600)
