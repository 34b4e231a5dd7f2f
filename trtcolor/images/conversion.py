"""From samples to sRGB: which colour space a file means, and what to do where that is broken."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trtcolor.images import coded
from trtcolor.images.profiles import (
    ADOBE_RGB,
    Profile,
    ProfileError,
    profile_from_gamma,
    profile_from_icc,
)
from trtcolor.images.samples import Samples
from trtcolor.images.upright import adobe_rgb

_SRGB_GAMMA = 0.45455
_SRGB_CHROMATICITIES = (0.3127, 0.329, 0.64, 0.33, 0.3, 0.6, 0.15, 0.06)
_MAX_ICC = 1 << 24


@dataclass(frozen=True)
class Meaning:
    """What a file says of its colours.

    Attributes:
        icc: its profile, or nothing.
        profile: of formula or tables; None stands for sRGB.
        warnings: a sentence for what is broken.
    """

    icc: bytes = b""
    profile: Profile | None = None
    warnings: tuple[str, ...] = ()


def meaning_of(info: dict[Any, Any], exif: bytes, icc: bytes = b"") -> Meaning:
    """A profile counts before PNG's chunks, and those before EXIF.

    Args:
        info: Pillow's, of the opened picture.
        exif: its EXIF block, as it was.
        icc: the profile, where Pillow has none.
    """
    found = icc or info.get("icc_profile") or b""
    try:
        if found:
            if not isinstance(found, bytes) or len(found) > _MAX_ICC:
                raise ProfileError("a profile of more than 16 MiB")
            return Meaning(found, profile_from_icc(found))
        if "srgb" in info:
            return Meaning()
        if "gamma" in info or "chromaticity" in info:
            return Meaning(b"", _from_chunks(info.get("gamma"), info.get("chromaticity")))
    except (ProfileError, ArithmeticError, np.linalg.LinAlgError) as error:
        return Meaning(warnings=(_broken(error),))
    return Meaning(profile=ADOBE_RGB if adobe_rgb(exif) else None)


def _from_chunks(gamma: Any, chromaticity: Any) -> Profile | None:
    """Gamma 1/2.2 with sRGB's primaries is what PNG writers say for sRGB, as libpng reads it."""
    near = chromaticity is None or all(
        abs(a - b) < 0.001 for a, b in zip(chromaticity, _SRGB_CHROMATICITIES, strict=True)
    )
    if near and (gamma is None or abs(gamma - _SRGB_GAMMA) < 0.001):
        return None
    if gamma is None:
        gamma = _SRGB_GAMMA
    return profile_from_gamma(float(gamma), None if near else tuple(chromaticity))


def to_srgb(samples: Samples, meaning: Meaning) -> tuple[NDArray[Any], bool, tuple[str, ...]]:
    """Convert what was decoded.

    Returns:
        Pixels as in `trtcolor.images.picture.Picture` but not yet upright; whether the file's
        profile is true of a copy too; and warnings.

    Raises:
        PictureError: as from `trtcolor.images.coded.srgb_from_tables`.
    """
    warnings = meaning.warnings
    profile = meaning.profile
    colour: NDArray[Any]
    if samples.space == "lab":
        colour = coded.srgb_from_lab(samples.colour)
    else:
        try:
            colour, fits = _converted(samples, meaning)
        except ValueError as error:
            colour, fits, profile = *_converted(samples, Meaning()), None
            warnings += (_broken(error),)
        if not fits:
            warnings += (
                f"the colour profile is for {profile.space if profile else 'nothing'} and the "
                f"samples are {samples.space}; it was left out",
            )
        if samples.space == "cmyk" and (profile is None or not fits):
            warnings += (
                "CMYK without a profile that fits; converted by formula, its lightness is a guess",
            )
    keeps_profile = bool(meaning.icc and profile and profile.space == "rgb" and profile.is_srgb)
    return _with_alpha(colour, samples), keeps_profile, warnings


def _converted(samples: Samples, meaning: Meaning) -> tuple[NDArray[Any], bool]:
    """Pixels, and whether the profile is one for such samples."""
    profile, colour = meaning.profile, samples.colour
    if profile is None:
        return (_from_cmyk(colour) if samples.space == "cmyk" else colour), True
    if samples.space == "grey" and profile.curves:
        return coded.srgb_from_grey(colour, profile), True
    if samples.space == "rgb" and profile.space == "rgb" and profile.curves:
        return coded.srgb_from_rgb(colour, profile), True
    if samples.space == profile.space:
        return coded.srgb_from_tables(colour, meaning.icc, samples.space), True
    if samples.space == "grey" and profile.space == "rgb":
        rgb = np.repeat(colour[..., None], 3, axis=2)
        return coded.srgb_from_tables(rgb, meaning.icc, "rgb"), True
    return _converted(samples, Meaning())[0], False


def _from_cmyk(inks: NDArray[Any]) -> NDArray[Any]:
    """Without a profile: what ink leaves of the light, times what black leaves."""
    top = int(np.iinfo(inks.dtype).max)
    left = (top - inks[..., :3]).astype(np.uint32)
    black = (top - inks[..., 3:]).astype(np.uint32)
    return ((left * black + top // 2) // top).astype(inks.dtype)


def _with_alpha(colour: NDArray[Any], samples: Samples) -> NDArray[Any]:
    if samples.alpha is None:
        return colour
    alpha = samples.alpha
    if alpha.dtype != colour.dtype:
        alpha = alpha.astype(np.uint16) * 257
    return np.concatenate((colour.reshape(*alpha.shape, -1), alpha[..., None]), axis=2)


def _broken(error: Exception) -> str:
    return f"the colour profile is broken ({error}); sRGB was taken for it"
