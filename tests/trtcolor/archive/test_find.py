"""Which pictures are meant by files, folders, patterns and lists."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from pathlib import Path

import pytest

from trtcolor.archive.find import find_pictures, named_file, read_list
from trtcolor.errors import PictureError


def touch(*paths: Path) -> None:
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")


def found(*inputs: object, root: Path, output: Path | None = None) -> list[str]:
    pictures = find_pictures(map(str, inputs), output=output).pictures
    return [str(path.relative_to(root)) for path in pictures]


def test_a_folder_is_gone_through_without_hidden_and_other_files(tmp_path: Path) -> None:
    names = ["b/c.PNG", "a.jpg", "b/d/e.tif", "b/notes.txt", ".hidden/x.png", "b/._c.PNG"]
    touch(*(tmp_path / name for name in names))
    search = find_pictures([str(tmp_path)])
    assert [str(p.relative_to(tmp_path)) for p in search.pictures] == names[1:2] + names[:1] + [
        "b/d/e.tif"
    ]
    assert (search.root, search.others, search.faults) == (tmp_path, 1, [])


def test_the_root_is_the_deepest_folder_that_holds_all_inputs(tmp_path: Path) -> None:
    touch(tmp_path / "a/1.png", tmp_path / "b/1.png", tmp_path / "b/c/2.png")
    root = {
        ("a",): "a",
        ("a", "b"): ".",
        ("b", "b/c"): "b",
        ("a/1.png",): "a",
        ("a/1.png", "a/gone.png"): "a",
        ("a/1.png", "b/c/gone.png"): ".",
    }
    for inputs, expected in root.items():
        paths = [str(tmp_path / name) for name in inputs]
        assert find_pictures(paths).root == Path(os.path.normpath(tmp_path / expected))


def test_a_picture_that_is_meant_twice_comes_once(tmp_path: Path) -> None:
    touch(tmp_path / "a.png", tmp_path / "b/c.png")
    paths = [tmp_path / "b/c.png", tmp_path, tmp_path / "a.png", tmp_path / "b/../a.png"]
    assert found(*paths, root=tmp_path) == ["b/c.png", "a.png"]


def test_loops_of_links_end_and_real_names_come_first(tmp_path: Path) -> None:
    touch(tmp_path / "z/1.png")
    (tmp_path / "z" / "back").symlink_to(tmp_path)
    (tmp_path / "a").symlink_to(tmp_path / "z")
    (tmp_path / "self").symlink_to("self")
    assert found(tmp_path, root=tmp_path) == ["z/1.png"]


def test_links_to_folders_elsewhere_and_to_files_are_followed(tmp_path: Path) -> None:
    touch(tmp_path / "elsewhere/1.png", tmp_path / "in/2.png")
    (tmp_path / "in/link").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "in/3.png").symlink_to("2.png")
    assert found(tmp_path / "in", root=tmp_path / "in") == ["2.png", "3.png", "link/1.png"]


def test_nothing_in_the_output_folder_is_taken(tmp_path: Path) -> None:
    output = tmp_path / "out"
    touch(tmp_path / "a.png", output / "a.png")
    (tmp_path / "link").symlink_to(output)
    (tmp_path / "b.png").symlink_to(output / "a.png")
    assert found(tmp_path, root=tmp_path, output=output) == ["a.png"]
    for inner in (output, output / "a.png"):
        with pytest.raises(PictureError, match="lies in the output folder"):
            find_pictures([str(inner)], output=output)
    with pytest.raises(PictureError, match="lies in the output folder"):
        find_pictures([str(tmp_path)], output=tmp_path)


def test_what_is_no_file_is_named_and_the_others_are_taken(tmp_path: Path) -> None:
    touch(tmp_path / "a.png")
    os.mkfifo(tmp_path / "pipe.png")
    (tmp_path / "gone.png").symlink_to("nowhere")
    search = find_pictures([str(tmp_path), str(tmp_path / "none.jpg")])
    assert search.pictures == [tmp_path / "a.png"]
    said = {fault.path.name: fault.reason for fault in search.faults}
    assert "is no file but a pipe" in said["pipe.png"]
    assert "No such file" in said["gone.png"]
    assert "No such file" in said["none.jpg"]


def test_a_folder_that_cannot_be_read_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    touch(tmp_path / "a.png", tmp_path / "shut/b.png")
    scandir = os.scandir

    def denied(folder: Path) -> object:  # root may read anything
        if Path(folder).name == "shut":
            raise PermissionError(13, "Permission denied")
        return scandir(folder)

    monkeypatch.setattr(os, "scandir", denied)
    search = find_pictures([str(tmp_path)])
    assert search.pictures == [tmp_path / "a.png"]
    assert [fault.path for fault in search.faults] == [tmp_path / "shut"]


def test_a_pattern_is_expanded_unless_a_file_has_that_name(tmp_path: Path) -> None:
    touch(tmp_path / "a/x.png", tmp_path / "b/x.png", tmp_path / "b/[x].png", tmp_path / "b/y.jpg")
    assert found(tmp_path / "*" / "x.png", root=tmp_path) == ["a/x.png", "b/x.png"]
    assert found(tmp_path / "**" / "*.jpg", root=tmp_path) == ["b/y.jpg"]
    assert found(tmp_path / "b" / "[x].png", root=tmp_path) == ["b/[x].png"]
    with pytest.raises(PictureError, match="No such file"):
        find_pictures([str(tmp_path / "*.gif")])


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\0"])
def test_a_list_has_a_path_a_line_or_between_nul(end: bytes, tmp_path: Path) -> None:
    names = [b"a b.png", "é.png".encode(), b"\xff.png"]
    if end == b"\0":
        names.append(b"two\nlines.png")
    file = tmp_path / "list"
    file.write_bytes(end.join(names) + end + end)
    assert read_list(str(file)) == [os.fsdecode(name) for name in names]


def test_lists_come_as_options_with_an_at_sign_and_from_standard_input(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    touch(*(tmp_path / f"{n}.png" for n in range(4)))
    lists = [tmp_path / "list", tmp_path / "other"]
    for number, file in enumerate(lists):
        file.write_text(f"{tmp_path / str(number)}.png\n")
    stdin = io.TextIOWrapper(io.BytesIO(os.fsencode(tmp_path / "2.png") + b"\n"))
    monkeypatch.setattr(sys, "stdin", stdin)
    search = find_pictures([f"@{lists[0]}", "-", str(tmp_path / "3.png")], [str(lists[1])])
    assert sorted(path.name for path in search.pictures) == [f"{n}.png" for n in range(4)]


def test_no_picture_at_all_is_refused(tmp_path: Path) -> None:
    touch(tmp_path / "notes.txt")
    with pytest.raises(PictureError, match=r"no picture in .*\.png"):
        find_pictures([str(tmp_path)])
    (tmp_path / "list").write_text("\n\n")
    with pytest.raises(PictureError, match="no picture in a list without a path; at least one"):
        find_pictures([], [str(tmp_path / "list")])


def test_one_named_file_is_told_from_all_else(tmp_path: Path) -> None:
    touch(tmp_path / "a*.png")
    assert named_file([str(tmp_path / "a*.png")], []) == tmp_path / "a*.png"
    assert named_file(["none.png"], []) == Path("none.png")
    for inputs, lists in (
        ([str(tmp_path)], []),
        (["a.png", "b.png"], []),
        (["a.png"], ["list"]),
        (["@list"], []),
        (["-"], []),
        (["b*.png"], []),
    ):
        assert named_file(inputs, lists) is None


def test_a_folder_of_folders_as_deep_as_the_system_allows_is_gone_through(tmp_path: Path) -> None:
    deep = tmp_path
    for _ in range(300):
        deep /= "d"
    subprocess.run(["mkdir", "-p", deep], check=True)
    touch(deep / "a.png")
    assert len(find_pictures([str(tmp_path)]).pictures) == 1
