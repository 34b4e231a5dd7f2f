"""Samples of any colour space as sRGB codes whose lightness is the one that the numbers mean.

What is in sRGB already stays as it is. Everything else comes out with 16 bits, whatever it had, so
that the rounding of the picture that is written stays the only one. A colour that sRGB does not
have is drawn toward grey at its own lightness; a colour engine would clip it and change that.
"""

from __future__ import annotations

import io
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trtcolor.errors import PictureError
from trtcolor.images.profiles import Profile
from trtcolor.images.srgb import (
    D50,
    SRGB_TO_XYZ,
    Floats,
    code_from_linear,
    linear_srgb_from_xyz_d50,
)

BAND = 256
"""Rows in floats at a time."""

_XYZ = SRGB_TO_XYZ.astype(np.float32)
_WHITE_D50 = D50.astype(np.float32)
_DELTA = 6 / 29
_OUTSIDE = np.float32(1e-6)  # of linear light: 0.001 of L* where it changes fastest


def srgb_from_grey(samples: NDArray[Any], profile: Profile) -> NDArray[Any]:
    """Grey as a profile means it.

    Args:
        samples: (H, W) uint8 or uint16.
        profile: grey, or RGB for a picture whose R, G and B are the same.

    Returns:
        (H, W): the samples themselves where they are sRGB, else uint16.
    """
    if profile.is_srgb:
        return samples
    codes = np.linspace(0, 1, 1 << 8 * samples.itemsize)
    if profile.perceptual:
        linear = _from_lightness(100 * profile.curves[0](codes))
    elif profile.matrix is not None:
        rgb = np.stack([curve(codes) for curve in profile.curves]).T
        linear = rgb @ profile.matrix.T @ SRGB_TO_XYZ[1]
    else:
        linear = profile.curves[0](codes)
    coded: NDArray[np.uint16] = _sixteen(code_from_linear(linear))[samples]
    return coded


def srgb_from_rgb(samples: NDArray[Any], profile: Profile) -> NDArray[Any]:
    """RGB as a profile of curves and a matrix means it.

    Args:
        samples: (H, W, 3) uint8 or uint16.
        profile: with a matrix.

    Returns:
        (H, W, 3): the samples themselves where they are sRGB, else uint16.
    """
    if profile.is_srgb or profile.matrix is None:
        return samples
    codes = np.linspace(0, 1, 1 << 8 * samples.itemsize)
    tables = [curve(codes).astype(np.float32) for curve in profile.curves]
    matrix = profile.matrix.T.astype(np.float32)
    coded = np.empty(samples.shape, np.uint16)
    for top in range(0, len(samples), BAND):
        band = samples[top : top + BAND]
        linear = np.stack([table[band[..., c]] for c, table in enumerate(tables)], axis=-1)
        coded[top : top + BAND] = _coded(linear @ matrix)
    return coded


def srgb_from_lab(samples: NDArray[Any]) -> NDArray[np.uint16]:
    """CIELAB under D50 (TIFF 6.0, section 23).

    Args:
        samples: (H, W, 3) as in `trtcolor.images.samples.Samples`.

    Returns:
        (H, W, 3).
    """
    top, middle = (255, 128) if samples.dtype == np.uint8 else (65535, 32768)
    coded = np.empty(samples.shape, np.uint16)
    for start in range(0, len(samples), BAND):
        band = samples[start : start + BAND].astype(np.float32)
        chroma = (band[..., 1:] - middle) * np.float32(128 / middle)
        f = (band[..., 0] * np.float32(100 / top) + 16) / 116
        roots = np.stack((f + chroma[..., 0] / 500, f, f - chroma[..., 1] / 200), axis=-1)
        xyz = np.where(roots > _DELTA, roots**3, 3 * _DELTA**2 * (roots - 4 / 29)) * _WHITE_D50
        coded[start : start + BAND] = _coded(linear_srgb_from_xyz_d50(xyz.astype(np.float32)))
    return coded


def srgb_from_tables(samples: NDArray[Any], icc: bytes, space: str) -> NDArray[Any]:
    """What a profile of tables means, by Little CMS, relative colorimetric.

    Args:
        samples: (H, W) grey, (H, W, 3) RGB or (H, W, 4) CMYK, uint8 or uint16.
        icc: the profile.
        space: of the samples: ``"grey"``, ``"rgb"`` or ``"cmyk"``.

    Returns:
        (H, W, 3) RGB: uint16, or uint8 without the package imagecodecs, rounded and clipped then.

    Raises:
        PictureError: 16 bits without that package.
        ValueError: Little CMS does not take the profile.
    """
    from PIL import ImageCms

    try:
        import imagecodecs
    except ImportError:
        if samples.dtype == np.uint8:
            return _eight_bits_from_tables(samples, icc)
        raise PictureError(
            "16-bit samples with a colour profile of tables came; the extra 'pictures' was needed "
            "to convert them; pip install 'trtcolor[pictures]'"
        ) from None
    xyz = ImageCms.ImageCmsProfile(ImageCms.createProfile("XYZ")).tobytes()
    coded = np.empty((*samples.shape[:2], 3), np.uint16)
    for top in range(0, len(samples), BAND):
        try:
            band = imagecodecs.cms_transform(
                np.ascontiguousarray(samples[top : top + BAND]),
                icc,
                xyz,
                colorspace={"grey": "gray"}.get(space, space),
                outcolorspace="xyz",
                outdtype="float32",
                intent=int(ImageCms.Intent.RELATIVE_COLORIMETRIC),
            )
        except Exception as error:
            raise ValueError(str(error) or "Little CMS refused it") from None
        coded[top : top + BAND] = _coded(linear_srgb_from_xyz_d50(np.asarray(band)))
    return coded


def _eight_bits_from_tables(samples: NDArray[Any], icc: bytes) -> NDArray[np.uint8]:
    from PIL import Image, ImageCms

    image = (
        Image.fromarray(samples, "CMYK")
        if samples.ndim == 3 and samples.shape[2] == 4
        else (Image.fromarray(samples))
    )
    intent = ImageCms.Intent.RELATIVE_COLORIMETRIC
    try:
        transformed = ImageCms.profileToProfile(
            image, io.BytesIO(icc), ImageCms.createProfile("sRGB"), intent, "RGB"
        )
    except (ImageCms.PyCMSError, OSError) as error:
        raise ValueError(str(error)) from None
    return np.asarray(transformed)


def _coded(linear: NDArray[np.float32]) -> NDArray[np.uint16]:
    """Unbounded linear sRGB, (H, W, 3), to codes; outside sRGB at the same L*."""
    coded = _sixteen(code_from_linear(linear))
    outside = ((linear < -_OUTSIDE) | (linear > 1 + _OUTSIDE)).any(axis=-1)
    if outside.any():
        coded[outside] = _reduced(linear[outside])
    return coded


def _reduced(linear: NDArray[np.float32]) -> NDArray[np.uint16]:
    """(N, 3) of colours outside sRGB to the nearest inside on the way to grey."""
    from trtcolor import color

    relative = np.clip(linear @ (_XYZ / _XYZ.sum(axis=1, keepdims=True)).T, 0, 4)
    f = np.where(
        relative > _DELTA**3, np.cbrt(relative), relative / np.float32(3 * _DELTA**2) + 4 / 29
    )
    lightness = (116 * f[:, 1] - 16).astype(np.float32)[None]
    chroma = np.stack((500 * (f[:, 0] - f[:, 1]), 200 * (f[:, 1] - f[:, 2])))[:, None]
    merged: NDArray[np.uint16] = color.merge_lab(
        lightness, chroma.astype(np.float32), scale=1, format="rgb48", gamut="reduce"
    )[0]
    return merged


def _from_lightness(lightness: Floats) -> Floats:
    f = (lightness + 16) / 116
    return np.where(f > _DELTA, f**3, 3 * _DELTA**2 * (f - 4 / 29))


def _sixteen(code: NDArray[Any]) -> NDArray[np.uint16]:
    return (code * 65535 + 0.5).astype(np.uint16)
