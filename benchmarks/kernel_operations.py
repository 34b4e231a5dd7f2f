"""What benchmarks/kernels.py times: each operation by this project and by what else can do it.

Every candidate writes to arrays that were made before (``out=``, ``dst=``) where its library has
that. Inputs are real pictures, and the same for all.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from trtcolor import color, planes, resize

Array = NDArray[Any]


def _untyped(name: str) -> Any:
    """A module whose functions have no types; None if it is not installed."""
    try:
        return import_module(name)
    except ImportError:
        return None


sk_color, sk_data, sk_transform = map(
    _untyped, ("skimage.color", "skimage.data", "skimage.transform")
)
torch, kornia = _untyped("torch"), _untyped("kornia")

TRTCOLOR, OPENCV, SKIMAGE, KORNIA, COPY, FILL = (
    "trtcolor",
    "opencv",
    "scikit-image",
    "kornia",
    "copy",
    "fill",
)


@dataclass(frozen=True)
class Candidate:
    """One way to do an operation.

    Attributes:
        slow: timed in the first few rounds only.
    """

    name: str
    call: Callable[[], object]
    slow: bool = False


@dataclass(frozen=True)
class Target:
    """Ours must take at most `times` the time of the other candidate (below 1: be faster)."""

    other: str
    times: float
    two_threads: float | None = None

    def limit(self, threads: int) -> float:
        return self.two_threads if threads == 2 and self.two_threads else self.times


@dataclass(frozen=True)
class Operation:
    """The same result in kind by several candidates, ours first."""

    name: str
    candidates: tuple[Candidate, ...]
    targets: tuple[Target, ...] = ()
    remark: str = ""


# ---- pictures ----------------------------------------------------------------------------------


def mosaic(size: int, pictures: list[Array]) -> Array:
    """Tiles of 256 (or fewer) pixels, cut from the pictures in turn; (size, size, 3) uint8."""
    rng, result = np.random.default_rng(0), np.empty((size, size, 3), np.uint8)
    side, number = min(256, size), 0
    for y in range(0, size, side):
        for x in range(0, size, side):
            picture = pictures[number % len(pictures)]
            tile = result[y : y + side, x : x + side]
            top, left = (
                int(rng.integers(0, whole - part + 1))
                for whole, part in zip(picture.shape[:2], tile.shape[:2], strict=True)
            )
            tile[...] = picture[top : top + tile.shape[0], left : left + tile.shape[1]]
            number += 1
    return result


def pictures_of(folder: Path | None, noise: bool) -> list[Array]:
    """Uniform noise, the pictures of a folder, or those that come with scikit-image."""
    if noise:
        return [np.random.default_rng(0).integers(0, 256, (512, 512, 3), np.uint8)]
    if folder is None:
        return [sk_data.astronaut(), sk_data.coffee(), sk_data.chelsea(), sk_data.rocket()]
    from PIL import Image

    paths = sorted(path for path in folder.iterdir() if path.suffix in (".png", ".jpg"))
    return [np.asarray(Image.open(path).convert("RGB")) for path in paths]


def share_out_of_gamut(lightness: Array, chroma: Array) -> float:
    """Of the pixels of the merge at scale 2, in float64."""
    ab = resize.resize_plane(chroma, lightness.shape).astype(np.float64)
    fy = (np.clip(lightness, 0, 100).astype(np.float64) + 16) / 116
    f = np.stack([fy + ab[0] / 500, fy, fy - ab[1] / 200], -1)
    xyz = np.where(f > 6 / 29, f**3, (f - 4 / 29) * 108 / 841)
    rows = [[0.412453, 0.357580, 0.180423], [0.212671, 0.715160, 0.072169]]
    matrix = np.array([*rows, [0.019334, 0.119193, 0.950227]])
    rgb = xyz @ np.linalg.inv(matrix / matrix.sum(1, keepdims=True)).T
    return float(np.mean(np.any(np.abs(rgb - 0.5) > 0.5 + 2e-6, axis=-1)))


# ---- copies ------------------------------------------------------------------------------------


def copy_of(pixels: int, read: float, written: float) -> Candidate:
    """A copy that moves as many bytes: half of what an operation reads and writes together."""
    source = np.ones(int(pixels * (read + written) / 2), np.uint8)
    target = np.empty_like(source)
    target[...] = source
    return Candidate(COPY, lambda: np.copyto(target, source))


# ---- operations --------------------------------------------------------------------------------


def operations(size: int, threads: int, pictures: list[Array]) -> Iterator[Operation]:
    """Every operation on a mosaic of size x size pixels, one at a time."""
    rgb = mosaic(size, pictures)
    lab = color.lab_from_rgb(rgb)
    lightness = np.ascontiguousarray(lab[:, :, 0])
    half = (size + 1) // 2
    chroma = resize.resize_plane(lab.transpose(2, 0, 1)[1:], (half, half))
    yield from merges(lightness, chroma, threads)
    yield from to_lab(rgb, threads)
    yield from to_rgb(lab, threads)
    yield from lightnesses(rgb, threads)
    yield from luvs(rgb, threads)
    if size > 224:
        yield resize_to_224(lightness, threads)


def merges(lightness: Array, chroma: Array, threads: int) -> Iterator[Operation]:
    """Everything that joins a full-resolution plane with chroma of half its size."""
    height, width = lightness.shape
    pixels = height * width
    grey = np.rint(lightness * 2.55).astype(np.uint8)

    def merge(light: Array, ab: Array, gamut: color.Gamut = "clip") -> Callable[[], object]:
        out = np.empty((height, width, 3), np.uint8)
        return lambda: color.merge_lab(light, ab, scale=2, gamut=gamut, out=out, threads=threads)

    clip, copy = merge(lightness, chroma), copy_of(pixels, 6, 3)
    yield Operation(
        "merge f32 L -> rgb24 x2, clip",
        (Candidate(TRTCOLOR, clip), *other_merges(lightness, chroma), copy),
        (Target(OPENCV, 1 / 6, 1 / 7), Target(COPY, 2.5)),
    )
    vivid = chroma * np.float32(1.3)
    far = np.full_like(chroma, 127.0)
    middle = np.clip(lightness, 30, 70)
    for name, light, ab, limit in (
        ("merge reduce, pictures with chroma x1.3", lightness, vivid, 1.3),
        ("merge reduce, every pixel out", middle, far, 2.0),
    ):
        yield Operation(
            name,
            (
                Candidate(TRTCOLOR, merge(light, ab, "reduce")),
                Candidate("clip", merge(light, ab)),
            ),
            (Target("clip", limit),),
            f"{share_out_of_gamut(light, ab):.2%} of the pixels are out of gamut",
        )
    yield Operation(
        "merge grey u8 -> rgb24 x2, clip",
        (Candidate(TRTCOLOR, merge(grey, chroma)), Candidate("f32 L", clip)),
        (Target("f32 L", 1.2),),
    )
    yield Operation(
        "merge f32 L -> rgb48 x2, clip",
        (
            Candidate(TRTCOLOR, merge_rgb48(lightness, chroma, threads)),
            Candidate("rgb24", clip),
        ),
    )
    yield Operation(
        "chroma planes 420, 8 bit, coinciding",
        (
            Candidate(TRTCOLOR, chroma_planes(grey, chroma, threads)),
            Candidate("rgb24", merge(grey, chroma)),
        ),
        (Target("rgb24", 0.6),),
    )


def merge_rgb48(lightness: Array, chroma: Array, threads: int) -> Callable[[], object]:
    out = np.empty((*lightness.shape, 3), np.uint16)
    return lambda: color.merge_lab(
        lightness, chroma, scale=2, format="rgb48", gamut="clip", out=out, threads=threads
    )


def chroma_planes(grey: Array, chroma: Array, threads: int) -> Callable[[], object]:
    out = (np.empty(chroma.shape[1:], np.uint8), np.empty(chroma.shape[1:], np.uint8))
    return lambda: planes.chroma_planes(
        grey, chroma, scale=2, range="full", siting="center", out=out, threads=threads
    )


def other_merges(lightness: Array, chroma: Array) -> Iterator[Candidate]:
    """OpenCV: planes enlarged and interleaved (faster than an interleaved enlargement)."""
    height, width = lightness.shape
    a, b = np.empty_like(lightness), np.empty_like(lightness)
    lab = np.empty((height, width, 3), np.float32)
    rgb, codes = np.empty_like(lab), np.empty((height, width, 3), np.uint8)

    def with_opencv() -> None:
        for plane, enlarged in zip(chroma, (a, b), strict=True):
            cv2.resize(plane, (width, height), enlarged, interpolation=cv2.INTER_LINEAR)
        cv2.mixChannels([lightness, a, b], [lab], [0, 0, 1, 1, 2, 2])
        cv2.cvtColor(lab, cv2.COLOR_Lab2RGB, rgb)
        cv2.convertScaleAbs(rgb, codes, 255)

    yield Candidate(OPENCV, with_opencv)

    def with_skimage() -> object:
        ab = sk_transform.resize(chroma.transpose(1, 2, 0), (height, width), order=1)
        merged = sk_color.lab2rgb(np.dstack([lightness, ab]))
        return np.rint(np.clip(merged, 0, 1) * 255).astype(np.uint8)

    yield Candidate(SKIMAGE, with_skimage, slow=True)
    if kornia is not None:
        light, ab = torch.from_numpy(lightness)[None, None], torch.from_numpy(chroma)[None]

        def with_kornia() -> object:
            enlarged = torch.nn.functional.interpolate(ab, size=(height, width), mode="bilinear")
            merged = kornia.color.lab_to_rgb(torch.cat([light, enlarged], 1))
            return merged.mul_(255).round_().to(torch.uint8)

        yield Candidate(KORNIA, with_kornia, slow=True)


def to_lab(rgb: Array, threads: int) -> Iterator[Operation]:
    pixels = rgb.shape[0] * rgb.shape[1]
    floats = np.multiply(rgb, np.float32(1 / 255), dtype=np.float32)
    out, scaled, other = np.empty_like(floats), np.empty_like(floats), np.empty_like(floats)
    table = np.multiply(np.arange(256), 1 / 255).astype(np.float32)

    def ours(source: Array) -> Candidate:
        return Candidate(TRTCOLOR, lambda: color.lab_from_rgb(source, out=out, threads=threads))

    def with_opencv() -> None:
        cv2.LUT(rgb, table, scaled)
        cv2.cvtColor(scaled, cv2.COLOR_RGB2Lab, other)

    yield Operation(
        "RGB u8 -> Lab f32",
        (
            ours(rgb),
            Candidate(OPENCV, with_opencv),
            Candidate(SKIMAGE, lambda: sk_color.rgb2lab(rgb), slow=True),
            copy_of(pixels, 3, 12),
        ),
        (Target(OPENCV, 1 / 7.5),),
    )
    candidates = [
        ours(floats),
        Candidate(OPENCV, lambda: cv2.cvtColor(floats, cv2.COLOR_RGB2Lab, other)),
        Candidate(SKIMAGE, lambda: sk_color.rgb2lab(floats), slow=True),
        copy_of(pixels, 12, 12),
    ]
    if kornia is not None:
        tensor = torch.from_numpy(floats.transpose(2, 0, 1).copy())[None]
        candidates.insert(3, Candidate(KORNIA, lambda: kornia.color.rgb_to_lab(tensor), slow=True))
    yield Operation("RGB f32 -> Lab f32", tuple(candidates), (Target(OPENCV, 1 / 4),))


def to_rgb(lab: Array, threads: int) -> Iterator[Operation]:
    pixels = lab.shape[0] * lab.shape[1]
    chw = np.ascontiguousarray(lab.transpose(2, 0, 1))
    codes, floats = np.empty(lab.shape, np.uint8), np.empty_like(lab)
    plane_codes, other, other_codes = np.empty(chw.shape, np.uint8), floats.copy(), codes.copy()

    def with_opencv() -> None:
        cv2.cvtColor(lab, cv2.COLOR_Lab2RGB, other)
        cv2.convertScaleAbs(other, other_codes, 255)

    def with_skimage() -> object:
        return np.rint(sk_color.lab2rgb(lab) * 255).astype(np.uint8)

    packed = Candidate(TRTCOLOR, lambda: color.rgb_from_lab(lab, out=codes, threads=threads))
    opencv, skimage = Candidate(OPENCV, with_opencv), Candidate(SKIMAGE, with_skimage, slow=True)
    yield Operation(
        "Lab f32 -> RGB u8",
        (packed, opencv, skimage, copy_of(pixels, 12, 3)),
        (Target(OPENCV, 1 / 3.7),),
    )
    planar = Candidate(
        TRTCOLOR,
        lambda: color.rgb_from_lab(chw, layout="chw", out=plane_codes, threads=threads),
    )
    yield Operation(
        "Lab f32 -> RGB u8, planar",
        (planar, opencv, copy_of(pixels, 12, 3)),
        (Target(OPENCV, 1 / 4.5),),
    )
    candidates = [
        Candidate(
            TRTCOLOR,
            lambda: color.rgb_from_lab(lab, dtype=np.float32, out=floats, threads=threads),
        ),
        Candidate(OPENCV, lambda: cv2.cvtColor(lab, cv2.COLOR_Lab2RGB, other)),
        Candidate(SKIMAGE, lambda: sk_color.lab2rgb(lab), slow=True),
        copy_of(pixels, 12, 12),
    ]
    if kornia is not None:
        tensor = torch.from_numpy(chw)[None]
        candidates.insert(3, Candidate(KORNIA, lambda: kornia.color.lab_to_rgb(tensor), slow=True))
    yield Operation("Lab f32 -> RGB f32", tuple(candidates), (Target(OPENCV, 1 / 2.7),))


def lightnesses(rgb: Array, threads: int) -> Iterator[Operation]:
    grey = np.ascontiguousarray(rgb[:, :, 1])
    out, other, filled = (np.empty(grey.shape, np.float32) for _ in range(3))
    table = np.linspace(0, 100, 256, dtype=np.float32)
    fill = Candidate(FILL, lambda: filled.fill(50.0))
    lut = Candidate(OPENCV, lambda: cv2.LUT(grey, table, other))
    wide = grey.astype(np.uint16) * 257
    for name, source, others in (("u8", grey, (lut, fill)), ("u16", wide, (fill,))):
        ours = Candidate(TRTCOLOR, lightness_of(source, out, threads))
        yield Operation(f"grey {name} -> lightness", (ours, *others), (Target(FILL, 1.1),))


def lightness_of(source: Array, out: Array, threads: int) -> Callable[[], object]:
    return lambda: color.lightness_from_grey(source, out=out, threads=threads)


def luvs(rgb: Array, threads: int) -> Iterator[Operation]:
    luv = color.luv_from_rgb(rgb)
    floats, out, other = (np.empty_like(luv) for _ in range(3))
    codes, other_codes = np.empty_like(rgb), np.empty_like(rgb)
    table = np.multiply(np.arange(256), 1 / 255).astype(np.float32)

    def forward() -> None:
        cv2.LUT(rgb, table, floats)
        cv2.cvtColor(floats, cv2.COLOR_RGB2Luv, other)

    def back() -> None:
        cv2.cvtColor(luv, cv2.COLOR_Luv2RGB, floats)
        cv2.convertScaleAbs(floats, other_codes, 255)

    ours = Candidate(TRTCOLOR, lambda: color.luv_from_rgb(rgb, out=out, threads=threads))
    yield Operation("RGB u8 -> Luv f32", (ours, Candidate(OPENCV, forward)))
    ours = Candidate(TRTCOLOR, lambda: color.rgb_from_luv(luv, out=codes, threads=threads))
    yield Operation("Luv f32 -> RGB u8", (ours, Candidate(OPENCV, back)))


def resize_to_224(lightness: Array, threads: int) -> Operation:
    out, other = np.empty((224, 224), np.float32), np.empty((224, 224), np.float32)
    ours = Candidate(
        TRTCOLOR, lambda: resize.resize_plane(lightness, (224, 224), out=out, threads=threads)
    )
    opencv = Candidate(
        OPENCV, lambda: cv2.resize(lightness, (224, 224), other, interpolation=cv2.INTER_AREA)
    )
    return Operation("resize f32 plane to 224x224", (ours, opencv))
