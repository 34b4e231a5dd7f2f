"""Which formats this installation has: AVIF comes with newer Pillows, HEIF with pillow-heif."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import BinaryIO

from trtcolor.errors import PictureError
from trtcolor.images.picture import READ_FORMATS

_BRANDS = {
    **dict.fromkeys((b"avif", b"avis"), "AVIF"),
    **dict.fromkeys((b"heic", b"heix", b"hevc", b"hevx", b"heim", b"heis", b"mif1"), "HEIF"),
}
_NEEDED = {
    "AVIF": "a Pillow with AVIF was needed; pip install 'Pillow>=11.3'",
    "HEIF": "the extra 'pictures' was needed; pip install 'trtcolor[pictures]'",
}


@cache
def readable_formats() -> tuple[str, ...]:
    """Pillow's names of all formats that are read here."""
    return READ_FORMATS + tuple(kind for kind in _NEEDED if _has(kind))


def require_library(path: Path, kind: str) -> None:
    """Raise PictureError for a format whose library is not installed."""
    if kind in _NEEDED and kind not in readable_formats():
        raise PictureError(f"{path} is {kind}; {_NEEDED[kind]}")


def kind_of_head(head: bytes) -> str | None:
    """AVIF or HEIF by the first 12 bytes of a file (ISO 23008-12, 10), else None."""
    return _BRANDS.get(head[8:12]) if head[4:8] == b"ftyp" else None


def webp_is_lossless(stream: BinaryIO) -> bool:
    """Whether a WebP's first picture is coded so (RFC 9649, 2.6: a chunk VP8L)."""
    at = 12
    while True:
        stream.seek(at)
        head = stream.read(8)
        if len(head) < 8 or head[:4] in (b"VP8 ", b"VP8L", b"ANMF"):
            return head[:4] == b"VP8L"
        size = int.from_bytes(head[4:], "little")
        at += 8 + size + (size & 1)


def _has(kind: str) -> bool:
    if kind == "AVIF":
        from PIL import features

        return features.check("avif") is True
    try:
        import pillow_heif
    except ImportError:
        return False
    pillow_heif.register_heif_opener()
    return True
