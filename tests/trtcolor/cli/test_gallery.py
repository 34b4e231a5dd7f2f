"""``trtcolor gallery`` as a user meets it."""

from __future__ import annotations

from pathlib import Path

from coloured_folders import coloured_entry, other_entry, write_results
from command_line import refused, run


def test_a_page_is_made_of_a_folder_and_its_weight_is_told(tmp_path: Path) -> None:
    folder = tmp_path / "out"
    entries = [coloured_entry(folder, f"{i}.png") for i in range(3)]
    write_results(folder, *entries, other_entry(folder, "x.png", "failed", "empty"))
    done = run("gallery", folder, "--pictures", 2)
    assert done.returncode == 0, done.stderr
    page = folder / "gallery.html"
    assert page.stat().st_size > 10_000
    assert done.stdout.startswith(f"{page}: 3 pictures, 1 left out (here: --pictures), 0.0 MB")
    assert "here: --overwrite" in refused("gallery", folder)


def test_a_folder_without_results_is_refused(tmp_path: Path) -> None:
    assert "output folder of 'trtcolor colorize" in refused("gallery", tmp_path)
