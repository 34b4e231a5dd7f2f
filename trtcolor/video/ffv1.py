"""Checksums of FFV1, the archives' codec: FFmpeg's decoder only logs that one is wrong.

A frame of FFV1 from version 3 on is a row of slices. Each ends with its length, a byte of status
and, where the film was written so, a CRC-32 (RFC 9043, section 4.9), which makes that of the whole
slice 0.
"""

from __future__ import annotations

import zlib

_FOOTER = 8
"""Bytes: the length of the slice without its footer (3), status (1), CRC-32 (4)."""

_MIRRORED = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))
"""FFV1 takes the highest bit of a byte first, zlib the lowest."""


class SliceChecks:
    """Tells the damaged frames of one stream from the others, in the order in which they are coded.

    That slices have checksums shows in the first one that is right.
    """

    def __init__(self) -> None:
        self._have_checksums = False
        self._fault: str | None = None

    def fault(self, frame: bytes, *, key: bool) -> str | None:
        """Why a frame is not what was written; None: nothing speaks against it.

        Args:
            frame: as it is coded.
            key: whether it can be decoded without those before.
        """
        right, wrong = _count(frame)
        self._have_checksums |= right > 0
        if wrong and self._have_checksums:
            self._fault = "a checksum in it is wrong"
        elif key:
            self._fault = None
        elif self._fault is not None:
            self._fault = "a checksum in a frame that it depends on is wrong"
        return self._fault


def _count(frame: bytes) -> tuple[int, int]:
    """How many slices have a right checksum and a wrong one, from the last one to the first."""
    right, wrong, end = 0, 0, len(frame)
    while end:
        length = int.from_bytes(frame[max(0, end - _FOOTER) : max(0, end - _FOOTER + 3)])
        begin = end - _FOOTER - length
        if not length or begin < 0:  # where the others lie is not known
            return right, wrong + 1
        damaged = _crc(frame[begin:end]) != 0
        right, wrong, end = right + (not damaged), wrong + damaged, begin
    return right, wrong


def _crc(content: bytes) -> int:
    """By the polynomial 0x04C11DB7 from 0 on, the lowest bit first."""
    return zlib.crc32(content.translate(_MIRRORED), 0xFFFFFFFF) ^ 0xFFFFFFFF
