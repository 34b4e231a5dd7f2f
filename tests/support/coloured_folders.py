"""Output folders of ``trtcolor colorize`` made by hand, with pictures of known colours."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from PIL import Image

GREY, ORANGE = (120, 120, 120), (220, 120, 20)
HEADER = {"version": "0.1.0", "settings": {}}


def coloured_entry(folder: Path, name: str, size: tuple[int, int] = (120, 80)) -> dict[str, Any]:
    """Write a grey picture beside `folder` and an orange one in it; the line that tells of them."""
    source, output = folder.parent / "in" / name, folder / name
    for path, colour in ((source, GREY), (output, ORANGE)):
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", size, colour).save(path)
    return {
        "input": str(source),
        "output": name,
        "outcome": "coloured",
        "reason": "",
        "seconds": {"read": 0.01, "network": 0.25, "write": 0.02},
        "width": size[0],
        "height": size[1],
        "bits": 8,
        "pages": 1,
        "pulled_in": 0.125,
        "model": "tiny",
    }


def other_entry(folder: Path, name: str, outcome: str, reason: str) -> dict[str, Any]:
    """The line of a picture that was not coloured."""
    source = str(folder.parent / "in" / name)
    return {"input": source, "output": None, "outcome": outcome, "reason": reason}


def write_results(folder: Path, *entries: dict[str, Any], after: str = "") -> Path:
    """Write the results file, which ends in the text `after`; its path."""
    file = folder / ".trtcolor" / "results.jsonl"
    file.parent.mkdir(parents=True, exist_ok=True)
    lines = "".join(json.dumps(entry) + "\n" for entry in (HEADER, *entries))
    file.write_text(lines + after, encoding="utf-8")
    return file
