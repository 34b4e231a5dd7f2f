"""Files of every kind, and the linear luminance that their numbers mean, by their definitions."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import icc_files
import numpy as np
import tifffile
from noise import picture as noise
from numpy.typing import NDArray
from PIL import Image, PngImagePlugin

from trtcolor.demo import photographs

Floats = NDArray[np.float64]
LUMINANCE = np.array([0.212671, 0.715160, 0.072169])
_TO_XYZ = np.array([[0.412453, 0.357580, 0.180423], LUMINANCE, [0.019334, 0.119193, 0.950227]])


@dataclass(frozen=True)
class Case:
    """A kind of file.

    Attributes:
        name: of the source; its suffix is what the copy gets too.
        write: writes it and gives the linear luminance (H, W) that it means.
        limit: of |dL*|, or of the mean |dY'| where `lossy`.
    """

    name: str
    write: Callable[[Path], Floats]
    limit: float
    lossy: bool = False
    copy: str = ""


def srgb_linear(code: Floats) -> Floats:
    return np.where(code <= 0.04045, code / 12.92, ((code + 0.055) / 1.055) ** 2.4)


def _grey(
    kind: str,
    dtype: type[Any] = np.uint8,
    *,
    gamma: float | None = None,
    lab: bool = False,
    table: Floats | None = None,
    **options: Any,
) -> Callable[[Path], Floats]:
    """A grey picture with all codes, in a format, with or without a profile."""
    top = int(np.iinfo(dtype).max)

    def write(path: Path) -> Floats:
        samples = (np.linspace(0, top, 256 * 256).reshape(256, 256) + 0.5).astype(dtype)
        code = samples / top
        icc = b""
        linear = srgb_linear(code)
        if table is not None:
            icc = icc_files.grey_icc(table=table.tolist())
            linear = np.interp(code, np.linspace(0, 1, len(table)), np.rint(table * 65535) / 65535)
        elif gamma:
            icc = icc_files.grey_icc(gamma, lab=lab)
            linear = code ** (round(gamma * 256) / 256)
            if lab:
                f = (100 * linear + 16) / 116
                linear = np.where(f > 6 / 29, f**3, 3 * (6 / 29) ** 2 * (f - 4 / 29))
        image = Image.fromarray(samples)
        image.save(path, kind, **({"icc_profile": icc} if icc else {}), **options)
        return linear

    return write


def _rgb(
    kind: str, columns: Any, gamma: float, dtype: type[Any] = np.uint8
) -> Callable[[Path], Floats]:
    """A picture in the colours of a profile of a matrix and gamma."""

    def write(path: Path) -> Floats:
        samples = noise(96, 96, 3, dtype=dtype)
        samples[:, :48] = samples[:, :48, :1]
        icc = icc_files.rgb_icc(columns, icc_files.curve(gamma))
        if dtype == np.uint16:
            tifffile.imwrite(path, samples, photometric="rgb", iccprofile=icc, metadata=None)
        else:
            Image.fromarray(samples).save(path, kind, icc_profile=icc)
        linear = (samples / np.iinfo(dtype).max) ** (round(gamma * 256) / 256)
        return _d65_luminance(linear @ np.rint(np.array(columns) * 65536) / 65536)

    return write


def _d65_luminance(xyz_d50: Floats) -> Floats:
    """Y under D65 of colours under D50, by Bradford's matrix."""
    bradford = np.array(
        [[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]]
    )
    scale = (bradford @ _TO_XYZ.sum(axis=1)) / (bradford @ np.array(icc_files.D50))
    adapt = np.linalg.inv(bradford) @ np.diag(scale) @ bradford
    return (xyz_d50 @ adapt.T)[..., 1]


def _photograph(path: Path) -> Floats:
    """A real photograph in grey as a JPEG of quality 92, whatever the name says.

    A JPEG, since quality 95 by itself takes 1.0 to 1.4 from a detailed picture that was none.
    """
    with Image.open(photographs()[0]) as image:
        image.convert("L").save(path, "JPEG", quality=92)
    with Image.open(path) as image:
        return srgb_linear(np.asarray(image) / 255)


def _adobe_photograph(path: Path) -> Floats:
    """The same in colour, and Adobe RGB."""
    columns = icc_files.ADOBE_COLUMNS
    with Image.open(photographs()[0]) as image:
        icc = icc_files.rgb_icc(columns, icc_files.curve(2.2))
        image.convert("RGB").save(path, "JPEG", quality=92, icc_profile=icc)
    with Image.open(path) as image:
        linear = (np.asarray(image) / 255) ** (round(2.2 * 256) / 256)
    return _d65_luminance(linear @ np.rint(np.array(columns) * 65536) / 65536)


def _gama(path: Path) -> Floats:
    """A PNG whose gAMA chunk says that it is linear."""
    samples = np.arange(65536, dtype=np.uint16).reshape(256, 256)
    info = PngImagePlugin.PngInfo()
    info.add(b"gAMA", (100000).to_bytes(4, "big"))
    Image.fromarray(samples).save(path, pnginfo=info)
    return samples / 65535


def _cmyk(dtype: type[Any]) -> Callable[[Path], Floats]:
    """Inks through a table, read by Little CMS in floats."""

    def write(path: Path) -> Floats:
        import imagecodecs

        samples = noise(96, 96, 4, dtype=dtype)
        icc = icc_files.cmyk_icc()
        tifffile.imwrite(path, samples, photometric="separated", iccprofile=icc, metadata=None)
        xyz = imagecodecs.cms_transform(
            samples,
            icc,
            imagecodecs.cms_profile("xyz"),
            colorspace="cmyk",
            outcolorspace="xyz",
            outdtype="float64",
            intent=1,
        )
        return _d65_luminance(np.asarray(xyz))

    return write


def _lab(dtype: type[Any]) -> Callable[[Path], Floats]:
    """L*a*b* under D50; neutral in one half."""

    def write(path: Path) -> Floats:
        wide = np.iinfo(dtype).bits - 8
        samples = noise(96, 96, 3, dtype=dtype)
        samples[..., 1:] = (noise(96, 96, 2).astype(int) % 40).astype(dtype) << wide
        samples[:48, :, 1:] = 0
        tifffile.imwrite(path, samples, photometric="cielab", metadata=None)
        f = (100 * (samples[..., 0] / np.iinfo(dtype).max) + 16) / 116
        a, b = (samples[..., i] / (1 << wide) for i in (1, 2))
        roots = np.stack((f + a / 500, f, f - b / 200), axis=-1)
        xyz = np.where(roots > 6 / 29, roots**3, 3 * (6 / 29) ** 2 * (roots - 4 / 29))
        return _d65_luminance(xyz * np.array(icc_files.D50))

    return write


def _white_is_zero(path: Path) -> Floats:
    samples = np.arange(65536, dtype=np.uint16).reshape(256, 256)
    tifffile.imwrite(path, samples, photometric="miniswhite", compression="zlib")
    return srgb_linear(1 - samples / 65535)


DOT_GAIN = np.linspace(0, 1, 256) ** 1.75
CASES = (
    *(
        Case(f"grey.{s}", _grey(k), 0.6)
        for s, k in (("png", "PNG"), ("tif", "TIFF"), ("bmp", "BMP"))
    ),
    Case("grey.pgm", _grey("PPM"), 0.6, copy=".ppm"),
    Case("grey.gif", _grey("GIF"), 0.6, copy=".png"),
    Case("lossless.webp", _grey("WEBP", lossless=True), 0.6),
    Case("gamma-2.2.png", _grey("PNG", gamma=2.2), 0.6),
    Case("gamma-1.8.tif", _grey("TIFF", gamma=1.8), 0.6),
    Case("dot-gain.tif", _grey("TIFF", table=DOT_GAIN), 0.6),
    Case("lstar.tif", _grey("TIFF", gamma=1.0, lab=True), 0.6),
    Case("adobe-rgb.png", _rgb("PNG", icc_files.ADOBE_COLUMNS, 2.19921875), 0.6),
    Case("display-p3-gamma.tif", _rgb("TIFF", icc_files.P3_COLUMNS, 2.2), 0.6),
    Case("cmyk.tif", _cmyk(np.uint8), 0.6),
    Case("lab.tif", _lab(np.uint8), 0.6),
    Case("grey-16.png", _grey("PNG", np.uint16), 0.01),
    Case("grey-16.tif", _grey("TIFF", np.uint16), 0.01),
    Case("white-is-zero-16.tif", _white_is_zero, 0.01),
    Case("linear-gama-16.png", _gama, 0.01),
    Case("gamma-2.2-16.tif", _grey("TIFF", np.uint16, gamma=2.2), 0.01),
    Case("dot-gain-16.tif", _grey("TIFF", np.uint16, table=DOT_GAIN), 0.01),
    Case("lstar-16.tif", _grey("TIFF", np.uint16, gamma=1.0, lab=True), 0.01),
    Case("adobe-rgb-16.tif", _rgb("TIFF", icc_files.ADOBE_COLUMNS, 2.19921875, np.uint16), 0.01),
    Case("cmyk-16.tif", _cmyk(np.uint16), 0.01),
    Case("lab-16.tif", _lab(np.uint16), 0.01),
    Case("photograph.jpg", _photograph, 1.0, lossy=True),
    Case("adobe-rgb.jpg", _adobe_photograph, 1.0, lossy=True),
    Case("lossy.webp", _photograph, 1.5, lossy=True),
    Case("photograph.avif", _photograph, 1.0, lossy=True),
    Case("photograph.heic", _photograph, 1.0, lossy=True),
)
