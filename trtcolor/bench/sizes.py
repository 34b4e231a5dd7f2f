"""Picture sizes of the command line, ``224,640x480``, and back to text."""

from __future__ import annotations

import re

from trtcolor.geometry import Size

MAX_SIDE = 16384


def parse_sizes(text: str) -> list[Size]:
    """The sizes of a command line: ``"224,640x480"`` gives [(224, 224), (480, 640)].

    Args:
        text: N for a square or WxH, the width first, separated by commas.

    Returns:
        (height, width) each, in the order given.

    Raises:
        ValueError: an entry that is neither, one that comes twice, or a side that is not in
            1..`MAX_SIDE`.
    """
    sizes: list[Size] = []
    for entry in text.split(","):
        match = re.fullmatch(r"\s*([0-9]{1,9})(?:[xX]([0-9]{1,9}))?\s*", entry)
        width, height = (int(match[1]), int(match[2] or match[1])) if match else (0, 0)
        if not (1 <= width <= MAX_SIDE and 1 <= height <= MAX_SIDE):
            raise ValueError(
                f"size {entry.strip()!r} in {text!r} is none; N or WIDTHxHEIGHT with sides from 1 "
                f"to {MAX_SIDE} was needed, as in 224,640x480"
            )
        if (height, width) in sizes:
            raise ValueError(
                f"size {entry.strip()!r} in {text!r} comes twice; each once was needed; leave one "
                "out"
            )
        sizes.append((height, width))
    return sizes


def size_text(size: Size) -> str:
    """(480, 640) as ``"640x480"``, the width first."""
    return f"{size[1]}x{size[0]}"
