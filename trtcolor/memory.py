"""How much memory a network may take, and the tiles that keep it there.

What is bounded is the memory of a network's maps: it grows with the number of pixels that the
network sees at once, ``map_bytes`` of the model's `SizeRule` each. The picture itself, the program
and the weights come on top.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

from trtcolor.geometry import Size
from trtcolor.spec import SizeRule
from trtcolor.tiles import Tiling, plan_tiles

UNMEASURED = 1500
"""Bytes a pixel where a model does not say: more than all our families but one take."""

LEAST = 256 * 2**20
"""Bytes that the default begins with, where the machine has twice that."""

MOST_WORK = 1.25
"""How many times the pixels the default lets tiles compute before it takes more memory."""

SMALL = 32 * 2**20
"""Bytes that are taken without asking what the machine has."""

_BYTES = re.compile(r"\s*([0-9]+(?:\.[0-9]+)?)\s*(?:([kmgt])(i?))?b?\s*", re.IGNORECASE)


def choose_tiles(size: Size, rule: SizeRule, memory: int | None = None) -> Tiling:
    """The tiles in which a network is to see a plane, so that its maps fit into memory.

    Args:
        size: (height, width) of the padded plane.
        rule: of a model; one without a halo sees every plane whole.
        memory: bytes for the network's maps. None: `LEAST`, and a quarter more again and again
            while tiles of that size would compute over `MOST_WORK` times the pixels; never more
            than half of what the machine has available.

    Raises:
        ValueError: `memory` holds not even the smallest tile.
    """
    whole = size[0] * size[1]
    a_pixel = rule.map_bytes or UNMEASURED
    if rule.halo is None:
        return _tiles(size, rule, whole)
    if memory is not None:
        return _tiles(size, rule, memory // a_pixel)
    if whole * a_pixel <= SMALL:
        return _tiles(size, rule, whole)
    most = available_memory() // 2
    budget = min(LEAST, most)
    tiles = plan_tiles(size, rule.multiple, rule.halo, budget // a_pixel)
    while (tiles is None or tiles.work > MOST_WORK) and budget < budget * 5 // 4 <= most:
        budget = budget * 5 // 4
        tiles = plan_tiles(size, rule.multiple, rule.halo, budget // a_pixel)
    return tiles or _tiles(size, rule, _smallest(size, rule))  # an attempt, rather than a refusal


def checked_memory(memory: int | None) -> int | None:
    """The same value if it is None or a positive integer.

    Raises:
        ValueError: it is something else.
    """
    if memory is not None and (
        isinstance(memory, bool) or not isinstance(memory, int) or memory < 1
    ):
        raise ValueError(
            f"memory is {memory!r}; a positive number of bytes was needed, or None for what the "
            "machine allows; pass one of these"
        )
    return memory


def parse_bytes(text: str) -> int:
    """``"600MB"`` as 600,000,000 bytes; K, M, G and T are powers of 1000, Ki and so on of 1024.

    Raises:
        ValueError: it is no such text, or less than a byte.
    """
    match = _BYTES.fullmatch(text)
    scale = 0
    if match is not None:
        prefix = (match[2] or " ").lower()
        scale = (1024 if match[3] else 1000) ** " kmgt".index(prefix)
    amount = 0 if match is None else int(float(match[1]) * scale)
    if amount < 1:
        raise ValueError(
            f"{text.strip()!r} is no amount of memory; a number of bytes with or without K, M or G "
            "was needed, as in 600MB or 1.5GiB"
        )
    return amount


def available_memory(root: Path = Path("/")) -> int:
    """Bytes that this process could take without the machine running short of them.

    The least of what Linux calls available and of what each control group above the process has
    left, its file cache counted as free; elsewhere, half of the physical memory.

    Args:
        root: where ``proc`` and ``sys`` lie.
    """
    amounts = [_field(root / "proc/meminfo", "MemAvailable:", 1024), *_left_in_groups(root)]
    known = [max(amount, 0) for amount in amounts if amount is not None]
    return min(known) if known else os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 2


def _left_in_groups(root: Path) -> list[int]:
    """Of each control group that has a limit, of version 2 or 1."""
    left = []
    for line in _text(root / "proc/self/cgroup").splitlines():
        _, _, rest = line.partition(":")
        controllers, _, path = rest.partition(":")
        if controllers and "memory" not in controllers.split(","):
            continue
        if controllers:
            base, names = "sys/fs/cgroup/memory", ("memory.limit_in_bytes", "memory.usage_in_bytes")
            cache = "total_inactive_file"
        else:
            base, names, cache = "sys/fs/cgroup", ("memory.max", "memory.current"), "inactive_file"
        group = Path(path.strip("/"))
        for part in (group, *group.parents):  # in a container the group itself may be the root
            folder = root / base / part
            limit, used = (_text(folder / name).strip() for name in names)
            if limit.isdecimal() and used.isdecimal():
                free = _field(folder / "memory.stat", cache, 1) or 0
                left.append(int(limit) - int(used) + free)
    return left


def _field(file: Path, name: str, unit: int) -> int | None:
    """The number behind a name at the beginning of a line."""
    for line in _text(file).splitlines():
        words = line.split()
        if len(words) > 1 and words[0] == name and words[1].isdecimal():
            return int(words[1]) * unit
    return None


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="ascii", errors="replace")
    except OSError:
        return ""


def _tiles(size: Size, rule: SizeRule, pixels: int) -> Tiling:
    tiles = plan_tiles(size, rule.multiple, rule.halo or 0, pixels)
    if tiles is None:
        a_pixel = rule.map_bytes or UNMEASURED
        least = _smallest(size, rule) * a_pixel
        raise ValueError(
            f"memory for {pixels * a_pixel / 1e6:.0f} MB of maps came; the smallest tile of this "
            f"model takes {least / 1e6:.0f} MB; allow that, or render at a smaller size"
        )
    return tiles


def _smallest(size: Size, rule: SizeRule) -> int:
    """Pixels of the smallest window: a core of one multiple with its context."""
    context = -(-(rule.halo or 0) // rule.multiple) * rule.multiple
    height, width = (min(side, 2 * context + rule.multiple) for side in size)
    return height * width
