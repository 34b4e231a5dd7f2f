"""TIFFs of every layout are read exactly as they were written, by tifffile here."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from noise import picture as noise
from numpy.typing import NDArray

from trtcolor.errors import PictureError
from trtcolor.images import read_picture, write_picture

DEPTHS = pytest.mark.parametrize("dtype", [np.uint8, np.uint16])


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    logging.getLogger("tifffile").setLevel(logging.CRITICAL)
    yield
    logging.getLogger("tifffile").setLevel(logging.NOTSET)


def read(path: Path, array: NDArray[Any], photometric: str, **options: Any) -> NDArray[Any]:
    tifffile.imwrite(path / "a.tif", array, photometric=photometric, metadata=None, **options)
    return read_picture(path / "a.tif").pixels


@DEPTHS
@pytest.mark.parametrize("byteorder", ["<", ">"])
@pytest.mark.parametrize(
    "options",
    [
        *({"compression": name} for name in ("lzw", "zlib", "packbits", "zstd", "lzma")),
        *({"compression": name, "predictor": True} for name in ("lzw", "zlib")),
        *({"tile": (16, 16)}, {"tile": (16, 16), "compression": "zlib"}),
        *({"rowsperstrip": 7}, {"bigtiff": True}),
    ],
    ids=str,
)
def test_compressed_tiled_and_big_ones(
    options: dict[str, Any], byteorder: str, dtype: type[Any], tmp_path: Path
) -> None:
    for array, kind in (
        (noise(32, 48, dtype=dtype), "minisblack"),
        (noise(32, 48, 3, dtype=dtype), "rgb"),
    ):
        found = read(tmp_path, array, kind, byteorder=byteorder, **options)
        np.testing.assert_array_equal(found, array)


@DEPTHS
@pytest.mark.parametrize("channels", [2, 4])
def test_alpha_beside_the_colours(channels: int, dtype: type[Any], tmp_path: Path) -> None:
    array = noise(8, 9, channels, dtype=dtype)
    kind = "rgb" if channels == 4 else "minisblack"
    found = read(tmp_path, array, kind, extrasamples=["unassalpha"])
    np.testing.assert_array_equal(found, array)


@DEPTHS
def test_colours_multiplied_by_their_alpha_are_divided_again(
    dtype: type[Any], tmp_path: Path
) -> None:
    array = noise(8, 9, 4, dtype=dtype)
    top = int(np.iinfo(dtype).max)
    array[..., 3] |= top // 2 + 1  # where little is left of a colour, little comes back
    multiplied = array.copy()
    multiplied[..., :3] = np.rint(array[..., :3] * (array[..., 3:] / top))
    found = read(tmp_path, multiplied, "rgb", extrasamples=["assocalpha"])
    np.testing.assert_allclose(found.astype(int), array, atol=2)


@DEPTHS
def test_what_is_white_at_zero_is_turned(dtype: type[Any], tmp_path: Path) -> None:
    array = noise(8, 9, dtype=dtype)
    expected = np.iinfo(dtype).max - array
    np.testing.assert_array_equal(read(tmp_path, array, "miniswhite"), expected)


@DEPTHS
@pytest.mark.parametrize("compression", [None, "lzw"])
def test_planes_are_put_together(compression: str | None, dtype: type[Any], tmp_path: Path) -> None:
    planes = noise(3, 8, 9, dtype=dtype)
    found = read(tmp_path, planes, "rgb", planarconfig="separate", compression=compression)
    np.testing.assert_array_equal(found, np.moveaxis(planes, 0, -1))


@pytest.mark.parametrize("dtype", [np.float32, np.int16, np.uint32])
def test_samples_without_a_black_and_a_white_are_named(dtype: type[Any], tmp_path: Path) -> None:
    with pytest.raises(PictureError, match=f"type {np.dtype(dtype).name}; .* convert it first"):
        read(tmp_path, noise(8, 9).astype(dtype), "minisblack")


@pytest.mark.parametrize(("compression", "expected"), [(None, 1), ("lzw", 8), ("zlib", 8)])
def test_a_copy_is_compressed_where_its_file_was(
    compression: str | None, expected: int, tmp_path: Path
) -> None:
    array = noise(8, 9, 3)
    tifffile.imwrite(tmp_path / "a.tif", array, photometric="rgb", compression=compression)
    write_picture(tmp_path / "b.tif", array, like=read_picture(tmp_path / "a.tif"))
    with tifffile.TiffFile(tmp_path / "b.tif") as copy:
        assert int(copy.pages.first.compression) == expected
        np.testing.assert_array_equal(copy.asarray(), array)


@DEPTHS
@pytest.mark.parametrize("bigtiff", [False, True])
@pytest.mark.parametrize("byteorder", ["<", ">"])
@pytest.mark.parametrize("planarconfig", ["contig", "separate"])
def test_every_kind_is_turned_upright_once(
    planarconfig: str, byteorder: str, bigtiff: bool, dtype: type[Any], tmp_path: Path
) -> None:
    array = noise(8, 9, 3, dtype=dtype)
    found = read(
        tmp_path,
        array if planarconfig == "contig" else np.moveaxis(array, -1, 0),
        "rgb",
        planarconfig=planarconfig,
        byteorder=byteorder,
        bigtiff=bigtiff,
        extratags=[(274, 3, 1, 6, True)],
    )
    np.testing.assert_array_equal(found, np.rot90(array, -1))


def test_a_cameras_raw_file_is_refused_and_its_preview_not_taken_for_it(tmp_path: Path) -> None:
    dng = [(50706, 1, 4, b"\1\4\0\0", True)]
    with pytest.raises(PictureError, match="a camera's raw file"):
        read(tmp_path, noise(8, 9, 3), "rgb", extratags=dng)
    with tifffile.TiffWriter(tmp_path / "b.tif") as writer:
        writer.write(noise(8, 9, 3), photometric="rgb", subfiletype=1, subifds=1, metadata=None)
        writer.write(noise(32, 36), photometric="minisblack", metadata=None)
    with pytest.raises(PictureError, match="a camera's raw file"):
        read_picture(tmp_path / "b.tif")


def test_reduced_pictures_inside_a_page_are_told_to_be_left_out(tmp_path: Path) -> None:
    with tifffile.TiffWriter(tmp_path / "a.tif") as writer:
        writer.write(noise(32, 36), photometric="minisblack", subifds=1, metadata=None)
        writer.write(noise(16, 18), photometric="minisblack", subfiletype=1, metadata=None)
    picture = read_picture(tmp_path / "a.tif")
    assert picture.warnings == ("layers or reduced pictures inside the page are left out",)
    assert picture.pages == 1
