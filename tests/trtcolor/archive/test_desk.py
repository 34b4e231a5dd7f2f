"""What makes parts sees the folder of the run, and leaves nothing there that it did not keep."""

from __future__ import annotations

import pickle
from pathlib import Path, PurePath

import pytest

from trtcolor.archive.place import Place
from trtcolor.archive.record import Identity
from trtcolor.errors import PictureError


def test_a_part_that_is_not_kept_is_gone_and_one_that_is_stays(tmp_path: Path) -> None:
    with Place(tmp_path) as place:
        desk = pickle.loads(pickle.dumps(place.desk))  # as on another machine
        with desk.part(PurePath("b/a.png")) as lost, desk.part(PurePath("b/a.png")) as kept:
            lost.file.write_bytes(b"1")
            kept.file.write_bytes(b"2")
            assert Path(kept.keep()) == kept.file
        assert not lost.file.parent.exists()
        assert kept.file.read_bytes() == b"2"
        assert kept.file.name == "a.png"


def test_an_output_lies_in_the_folder_whatever_links_say(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    with Place(tmp_path / "out") as place:
        desk = place.desk
        assert not desk.is_there(PurePath("a/b/c.png"))
        assert (tmp_path / "out/a/b").is_dir()
        (tmp_path / "out" / "link").symlink_to(outside)
        (tmp_path / "out" / "inner").symlink_to("a")
        with pytest.raises(PictureError, match="outside the output folder"):
            desk.is_there(PurePath("link/deep/c.png"))
        (tmp_path / "out/a/c.png").symlink_to("nowhere")
        assert desk.is_there(PurePath("inner/c.png"))
    assert list(outside.iterdir()) == []


def test_an_output_holds_what_it_holds(tmp_path: Path) -> None:
    with Place(tmp_path) as place:
        (tmp_path / "a.png").write_bytes(b"made")
        made = Identity.of(tmp_path / "a.png")
        assert place.desk.holds(PurePath("a.png"), made)
        (tmp_path / "a.png").write_bytes(b"Made")
        assert not place.desk.holds(PurePath("a.png"), made)


def test_a_machine_that_does_not_see_the_folder_says_so(tmp_path: Path) -> None:
    with Place(tmp_path / "out") as place:
        place.desk.check()
        (tmp_path / "out").rename(tmp_path / "unmounted")
        with pytest.raises(PictureError, match="a disk that all machines share was needed"):
            place.desk.check()
        left = tmp_path / "out" / ".trtcolor" / "parts" / "0123456789abcdef"
        left.mkdir(parents=True)  # of the same path, with what another run left there
        with pytest.raises(PictureError, match="a disk that all machines share was needed"):
            place.desk.check()


def test_a_desk_is_that_of_its_folder_in_any_working_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path)
    with Place(Path("out")) as place:
        monkeypatch.chdir(tmp_path / "elsewhere")
        place.desk.check()
        with place.desk.part(PurePath("a.png")) as part:
            assert part.file.is_relative_to(tmp_path / "out")
        monkeypatch.chdir(tmp_path)
