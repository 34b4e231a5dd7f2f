"""The stars of L*, a* and b*, which Markdown takes for emphasis."""

from __future__ import annotations

import re

_SPAN = re.compile(r"(`+[^`]*`+)")
_STARRED = re.compile(r"(?<![\w\\])([Labuv])\*(?!\*)|(?<=\*)([bv])\*(?!\*)")


def escaped_stars(text: str) -> str:
    """Text in which every L*, a*, b*, u* and v* outside of code keeps its star."""
    parts = _SPAN.split(text)
    parts[::2] = [_STARRED.sub(lambda m: (m[1] or m[2]) + r"\*", part) for part in parts[::2]]
    return "".join(parts)
