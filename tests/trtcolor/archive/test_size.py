"""What a picture will take is told before it is decoded."""

from __future__ import annotations

from pathlib import Path

from noise import picture
from PIL import Image

from trtcolor.archive.size import A_PIXEL, bytes_needed


def test_the_header_says_how_much(tmp_path: Path) -> None:
    pages = [Image.fromarray(picture(20, 30)), Image.fromarray(picture(40, 50))]
    pages[0].save(tmp_path / "a.tif", save_all=True, append_images=pages[1:])
    assert bytes_needed(tmp_path / "a.tif", 10**6) == 2000 * A_PIXEL
    assert bytes_needed(tmp_path / "a.tif", 1999) == 0
    (tmp_path / "b.png").write_bytes(b"no picture")
    assert bytes_needed(tmp_path / "b.png", 10**6) == 0
