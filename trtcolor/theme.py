"""What the gallery's page and the study's pages have in common."""

from __future__ import annotations

from importlib.resources import files


def theme() -> str:
    """The style sheet that comes before a page's own: greys in light and dark."""
    return (files("trtcolor") / "theme.css").read_text(encoding="utf-8")
