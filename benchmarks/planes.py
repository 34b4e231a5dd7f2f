"""How far the colours of the video path are from those of the RGB path: CIEDE2000 on photographs.

    python benchmarks/planes.py DATA [--json FILE]

Each picture of DATA is made grey (the sRGB code of its L*) and its own a*b*, averaged to half its
size, stand for a network's chroma. The RGB path is merge_lab, which keeps L*. The video path takes
the same grey as its Y' plane, writes U and V by chroma_planes and is decoded to RGB. Of the two:
``difference``, with the share that is not in lightness (``chroma_difference``: both with one L*),
and the distance of each from the picture; ``of_own_luma`` is the video path's where the Y' plane is
that of the colour picture.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click
import numpy as np
from numpy.typing import NDArray

from trtcolor import dataset
from trtcolor.color import lab_from_rgb, merge_lab, rgb_from_lab
from trtcolor.measure import machine
from trtcolor.metrics.difference import ciede2000
from trtcolor.planes import chroma_planes
from trtcolor.resize import resize_plane

Bytes = NDArray[np.uint8]
Float = NDArray[np.floating]

LUMA = {"bt601": (0.299, 0.114), "bt709": (0.2126, 0.0722)}  # of R' and B'
FORMATS: list[dict[str, Any]] = [
    {"subsampling": 444, "depth": 8, "matrix": "bt709", "range": "full"},
    {"subsampling": 444, "depth": 8, "matrix": "bt601", "range": "full"},
    {"subsampling": 420, "depth": 8, "matrix": "bt709", "range": "full"},
    {"subsampling": 420, "depth": 8, "matrix": "bt709", "range": "limited"},
    {"subsampling": 420, "depth": 10, "matrix": "bt709", "range": "limited"},
]


@click.command()
@click.argument("data")
@click.option("--json", "json_file", type=click.Path(path_type=Path))
def main(data: str, json_file: Path | None) -> None:
    """Print a row a video format for the pictures of DATA."""
    pictures = [dataset.decode(sample) for sample in dataset.open_pictures(data).samples]
    names = ("difference", "chroma_difference", "rgb_path", "video_path", "of_own_luma")
    print(f"{'':30}" + "".join(f"{name:>26}" for name in names))
    rows = []
    for format in FORMATS:
        errors = [compare(picture, format) for picture in pictures]
        row: dict[str, Any] = dict(format)
        for name in names:
            every = np.concatenate([error[name].ravel() for error in errors])
            row[name] = {"mean": float(every.mean()), "p95": float(np.quantile(every, 0.95))}
        rows.append(row)
        print(
            f"{' '.join(map(str, format.values())):30}"
            + "".join(f"{row[name]['mean']:16.3f}, 95 %{row[name]['p95']:6.2f}" for name in names)
        )
    if json_file is not None:
        result = {"data": data, "pictures": len(pictures), "machine": machine(), "rows": rows}
        json_file.write_text(json.dumps(result, indent=2) + "\n")


def compare(picture: Bytes, format: dict[str, Any]) -> dict[str, Float]:
    """CIEDE2000 of every pixel, by name."""
    lab = lab_from_rgb(picture)
    half = (-(-lab.shape[0] // 2), -(-lab.shape[1] // 2))
    chroma = resize_plane(np.moveaxis(lab[..., 1:], -1, 0), half)
    greys = np.stack([lab[..., 0], *np.zeros((2, *lab.shape[:2]), np.float32)], axis=-1)
    grey = rgb_from_lab(greys)[..., 0] / np.float32(255)

    of_rgb = lab_from_rgb(merge_lab(lab[..., 0].copy(), chroma, scale=2, gamut="reduce"))
    of_video = lab_from_rgb(video(grey, chroma, format))
    same_lightness = of_video.copy()
    same_lightness[..., 0] = of_rgb[..., 0]
    red, blue = LUMA[format["matrix"]]
    own = picture.astype(np.float32) @ np.array([red, 1 - red - blue, blue], np.float32) / 255
    return {
        "difference": ciede2000(of_rgb, of_video),
        "chroma_difference": ciede2000(of_rgb, same_lightness),
        "rgb_path": ciede2000(lab, of_rgb),
        "video_path": ciede2000(lab, of_video),
        "of_own_luma": ciede2000(lab, lab_from_rgb(video(own, chroma, format))),
    }


def video(luma: Float, chroma: Float, format: dict[str, Any]) -> Bytes:
    """RGB of the frame that has this Y' (0..1) and the planes made for it, sited at the centre."""
    extra = format["depth"] - 8
    full = format["range"] == "full"
    top = (256 << extra) - 1
    black, span, chroma_span = (0, top, top) if full else (16 << extra, 219 << extra, 224 << extra)
    y = np.rint(black + span * luma).astype(np.uint8 if extra == 0 else np.uint16)
    u, v = chroma_planes(y, chroma, scale=2, siting="center", **format)
    zero = 128 << extra
    cb, cr = (
        resize_plane((plane.astype(np.float32) - zero) / chroma_span, y.shape) for plane in (u, v)
    )
    red, blue = LUMA[format["matrix"]]
    code = (y.astype(np.float32) - black) / span
    r, b = code + (2 - 2 * red) * cr, code + (2 - 2 * blue) * cb
    rgb = np.stack([r, (code - red * r - blue * b) / (1 - red - blue), b], axis=-1)
    coded: Bytes = np.rint(255 * rgb.clip(0, 1)).astype(np.uint8)
    return coded


if __name__ == "__main__":
    main()
