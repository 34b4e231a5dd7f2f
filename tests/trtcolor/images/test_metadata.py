"""A copy says what its file said, by exiftool's word; only what is no longer true is changed."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from picture_corpus import corpus

from trtcolor.images import Picture, read_pages, read_picture, write_pages, write_picture

needs_exiftool = pytest.mark.skipif(
    shutil.which("exiftool") is None, reason="exiftool, which compares, is not installed"
)

TAGS = (
    "-EXIF:Artist=Jürgen Weiß",
    "-EXIF:ImageDescription=Market square, 1931",
    "-EXIF:UserComment=box 7",
    "-EXIF:ColorSpace#=65535",
    "-GPSLatitude=48.5",
    "-GPSLatitudeRef=N",
    "-XMP-dc:Title=Old town",
    "-XMP-dc:Subject=market",
    "-XMP-photoshop:ICCProfileName=Adobe RGB (1998)",
)
IPTC = ("-IPTC:Keywords=market", "-IPTC:Keywords=Straße", "-IPTC:CodedCharacterSet=UTF8")
NEVER_COMPARED = ("SourceFile", "ExifTool:", "System:", "File:", "Composite:", "ICC", "Adobe:")
NEVER_COMPARED += ("PNG:", "RIFF:", "QuickTime:", "GIF:", "BMP:", "JFIF:")
STRUCTURE = {  # of a TIFF
    *("BitsPerSample", "Compression", "PhotometricInterpretation", "RowsPerStrip", "StripOffsets"),
    *("StripByteCounts", "SamplesPerPixel", "PlanarConfiguration", "Predictor", "ImageWidth"),
    *("ImageHeight", "TileWidth", "TileLength", "TileOffsets", "TileByteCounts", "ColorMap"),
    *("JPEGTables", "PreviewImage", "PreviewImageStart", "PreviewImageLength"),
}
MADE_TRUE = {"Orientation", "ColorSpace", "ICCProfile", "ICCProfileName", "InteropIndex"}


def told(*paths: Path) -> list[dict[str, Any]]:
    """What exiftool says of each file's metadata, by group and tag."""
    words = ["exiftool", "-G1", "-a", "-j", "-struct", *map(str, paths)]
    return [_compared(told) for told in json.loads(subprocess.check_output(words))]


def _compared(told: dict[str, Any]) -> dict[str, Any]:
    is_tiff = told["SourceFile"].endswith(".tif")
    return {
        name: value
        for name, value in told.items()
        if not name.startswith(NEVER_COMPARED)
        and name.split(":")[-1] not in STRUCTURE | MADE_TRUE | {"CurrentIPTCDigest"}
        and "Thumbnail" not in name
        and (is_tiff or not name.startswith("IFD1:"))
    }


def coloured(picture: Picture) -> Any:
    """The picture as a Colorizer gives it: RGB or RGBA."""
    planes = picture.pixels.reshape(*picture.pixels.shape[:2], -1)
    alpha = [] if picture.alpha is None else [picture.alpha[..., None]]
    colours = planes[..., :3] if planes.shape[2] > 2 else np.repeat(planes[..., :1], 3, axis=2)
    return np.concatenate([colours, *alpha], axis=2)


def source(folder: Path, name: str, *, tagged: bool = True) -> Path:
    path = folder / name
    path.write_bytes(corpus()[name])
    if tagged:
        iptc = IPTC if path.suffix in (".jpg", ".tif", ".png") else ()
        words = ["exiftool", "-q", "-m", "-overwrite_original", "-charset", "iptc=UTF8"]
        subprocess.run([*words, *TAGS, *iptc, str(path)], check=True)
    return path


def copied(path: Path, suffix: str | None = None, **options: Any) -> Path:
    copy = path.with_name(f"copy-{path.stem}{suffix or path.suffix}")
    write_pages(copy, ((coloured(page), page) for page in read_pages(path)), **options)
    return copy


SAME = [name for name in corpus() if name.rsplit(".")[1] in ("jpg", "png", "tif", "webp")]
BOXES = [name for name in corpus() if name.rsplit(".")[1] in ("avif", "heic")]


@needs_exiftool
@pytest.mark.parametrize("name", SAME)
def test_a_copy_in_its_files_format_says_all_that_the_file_said(name: str, tmp_path: Path) -> None:
    by_hand = name not in ("jpeg.tif", "big.tif")  # which exiftool breaks or cannot write
    path = source(tmp_path, name, tagged=by_hand)
    expected, found = told(path, copied(path))
    if "ExifIFD:ExifImageWidth" in expected:
        sides = expected["ExifIFD:ExifImageWidth"], expected["ExifIFD:ExifImageHeight"]
        expected["ExifIFD:ExifImageHeight"], expected["ExifIFD:ExifImageWidth"] = sides
    assert len(expected) > (6 if by_hand else -1)
    assert found == expected


@needs_exiftool
@pytest.mark.parametrize("name", BOXES)
def test_avif_and_heif_keep_exif_and_xmp(name: str, tmp_path: Path) -> None:
    path = source(tmp_path, name)
    expected, found = told(path, copied(path))
    # not IFD0:Artist: Pillow codes the text of a turned AVIF anew, and only in ASCII
    for tag in ("IFD0:Make", "ExifIFD:UserComment", "GPS:GPSLatitude", "XMP-dc:Title"):
        assert found[tag] == expected[tag]


@needs_exiftool
@pytest.mark.parametrize("suffix", [".png", ".tif", ".jpg"])
@pytest.mark.parametrize("name", ["grey.jpg", "deep.tif", "text.png"])
def test_exif_iptc_and_xmp_go_from_format_to_format(name: str, suffix: str, tmp_path: Path) -> None:
    path = source(tmp_path, name)
    expected, found = told(path, copied(path, suffix))
    # exiftool calls the same records IPTC2 where they lie in Photoshop's resources of a TIFF
    found = {tag.replace("IPTC2:", "IPTC:"): value for tag, value in found.items()}
    for tag in ("IFD0:Artist", "IFD0:ImageDescription", "ExifIFD:UserComment", "GPS:GPSLatitude"):
        assert found[tag] == expected[tag]
    for tag in ("XMP-dc:Title", "XMP-dc:Subject", "IPTC:Keywords"):
        assert found[tag] == expected[tag]


@needs_exiftool
def test_what_is_no_longer_true_is_said_anew(tmp_path: Path) -> None:
    copy = copied(source(tmp_path, "grey.jpg"))
    words = ["exiftool", "-G1", "-a", "-j", "-n", str(copy)]
    found = json.loads(subprocess.check_output(words))[0]
    assert found["IFD0:Orientation"] == 1
    assert found["XMP-tiff:Orientation"] == 1
    assert found["ExifIFD:ColorSpace"] == 1
    assert found["XMP-photoshop:ICCProfileName"] == "sRGB IEC61966-2.1"
    assert (found["ExifIFD:ExifImageWidth"], found["ExifIFD:ExifImageHeight"]) == (20, 24)
    assert found["ICC_Profile:ProfileDescription"] == "sRGB IEC61966-2.1"
    assert not any("Thumbnail" in tag for tag in found)


@needs_exiftool
@pytest.mark.parametrize("suffix", [".jpg", ".png", ".tif"])
def test_without_metadata_only_the_profile_is_written(suffix: str, tmp_path: Path) -> None:
    copy = copied(source(tmp_path, "grey.jpg"), suffix, keep_metadata=False)
    assert {tag for tag in told(copy)[0] if not tag.startswith("JFIF:")} == set()
    assert read_picture(copy).origin.icc


def test_what_a_format_has_no_place_for_is_named(tmp_path: Path) -> None:
    path = source(tmp_path, "grey.jpg", tagged=False)
    picture = read_picture(path)
    left_out = write_picture(tmp_path / "a.ppm", coloured(picture), like=picture)
    assert left_out == ("EXIF", "XMP", "comments", "the resolution")
    assert write_picture(tmp_path / "a.png", coloured(picture), like=picture) == ()
