"""The builders' timing caches and the runtimes' own: read only if private, replaced whole.

They are deserialised by the same code as engines, so the same care holds for them.
"""

from __future__ import annotations

import hashlib
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from trtcolor.engines.trust import make_private, not_private
from trtcolor.files import whole_file

LARGEST_RUNTIME_CACHE = 1 << 28
"""In bytes. The kernels of one network take some millions; past this the file begins anew."""
_DIGEST = hashlib.sha256().digest_size


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


@dataclass(frozen=True)
class RuntimeCacheFile:
    """Where TensorRT-RTX keeps what it compiled: `trtcolor.backends._tensorrt_jit.CacheFile`.

    Its SHA-256 comes first in the file, so that a damaged one counts as none.

    Attributes:
        path: from `trtcolor.engines.store.Store.runtime_cache`.
    """

    path: Path

    def read(self) -> bytes:
        """What was kept; nothing if the file is not there, not private, damaged or too large."""
        with suppress(OSError):
            if self.path.stat().st_size > _DIGEST + LARGEST_RUNTIME_CACHE:
                return b""
        digest, data = _split(read_cache(self.path))
        return data if hashlib.sha256(data).digest() == digest else b""

    def write(self, data: bytes) -> None:
        """Replace what was kept; what is too large is not, and the next process begins anew."""
        if len(data) > LARGEST_RUNTIME_CACHE:
            with suppress(OSError):
                self.path.unlink(missing_ok=True)
            return
        write_cache(self.path, hashlib.sha256(data).digest() + data)


def _split(content: bytes) -> tuple[bytes, bytes]:
    return content[:_DIGEST], content[_DIGEST:]
