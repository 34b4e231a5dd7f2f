"""TIFFs that Pillow does not decode right: 16-bit planes and L*a*b*, by the package tifffile."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from trtcolor.errors import PictureError
from trtcolor.images.samples import Samples, Space

# TIFF 6.0, PhotometricInterpretation
_WHITE_IS_ZERO, _BLACK_IS_ZERO, _RGB, _SEPARATED, _CIELAB, _ICCLAB = 0, 1, 2, 5, 8, 9
_SPACES: dict[int, tuple[Space, int]] = {
    _WHITE_IS_ZERO: ("grey", 1),
    _BLACK_IS_ZERO: ("grey", 1),
    _RGB: ("rgb", 3),
    _SEPARATED: ("cmyk", 4),
    _CIELAB: ("lab", 3),
    _ICCLAB: ("lab", 3),
}
_ASSOCIATED_ALPHA, _UNASSOCIATED_ALPHA = 1, 2


def decode_tiff(
    stream: BinaryIO, index: int, reason: str, check: Callable[[int, int], None]
) -> tuple[Samples, bytes, int]:
    """Decode a page of a TIFF.

    Args:
        stream: the file.
        index: of the page.
        reason: what came that Pillow cannot, the beginning of a sentence.
        check: called with (width, height) before decoding; raises to refuse.

    Returns:
        The samples, the ICC profile or nothing, and how many pages there are.

    Raises:
        PictureError: the package is not installed.
        NotImplementedError: samples of another kind.
        Exception: nearly any, for a file that is broken.
    """
    try:
        import tifffile
    except ImportError:
        raise PictureError(
            f"{reason} came without the extra 'pictures', which was needed to read it; "
            "pip install 'trtcolor[pictures]'"
        ) from None
    logging.getLogger("tifffile").addHandler(logging.NullHandler())  # the error is raised too
    stream.seek(0)
    with tifffile.TiffFile(stream) as file:
        pages = len(file.pages)
        page = file.pages[index]
        assert isinstance(page, tifffile.TiffPage)
        check(page.imagewidth, page.imagelength)
        photometric = int(page.photometric)
        space, colours = _SPACES.get(photometric, ("grey", 0))
        unsigned = page.dtype in (np.uint8, np.uint16) or space == "lab"
        if not colours or page.samplesperpixel < colours or not unsigned or page.imagedepth != 1:
            raise NotImplementedError(
                f"{page.bitspersample}-bit samples of kind {photometric} and type {page.dtype}"
            )
        if page.samplesperpixel > 8:
            raise NotImplementedError(f"{page.samplesperpixel} samples a pixel")
        pixels = np.asarray(page.asarray(maxworkers=1))
        if pixels.ndim == 3 and int(page.planarconfig) == 2:
            pixels = np.moveaxis(pixels, 0, -1)
        pixels = pixels.reshape(page.imagelength, page.imagewidth, -1)
        if pixels.dtype.itemsize > 2 or pixels.dtype.kind not in "ui":
            raise NotImplementedError(f"samples of {pixels.dtype}")
        bits = int(page.bitspersample)
        extra = [int(sample) for sample in page.extrasamples]
        icc = page.iccprofile or b""
    return _samples(pixels, photometric, space, colours, bits, extra), icc, pages


def _samples(
    pixels: NDArray[Any], photometric: int, space: Space, colours: int, bits: int, extra: list[int]
) -> Samples:
    alpha = None
    unsigned = pixels.view(f"u{pixels.dtype.itemsize}")
    if extra and extra[0] in (_ASSOCIATED_ALPHA, _UNASSOCIATED_ALPHA):
        alpha = unsigned[..., colours]
    colour = np.ascontiguousarray(unsigned[..., :colours])
    top = int(np.iinfo(colour.dtype).max)
    if bits < 8 * colour.dtype.itemsize:
        colour = (colour.astype(np.uint32) * top // ((1 << bits) - 1)).astype(colour.dtype)
    if alpha is not None and extra[0] == _ASSOCIATED_ALPHA and space != "lab":
        whole = np.maximum(alpha[..., None].astype(np.uint64), 1)
        colour = np.minimum(colour * np.uint64(top) // whole, top).astype(colour.dtype)
    if photometric == _WHITE_IS_ZERO:
        colour = np.subtract(top, colour, dtype=colour.dtype)
    if photometric == _CIELAB:  # a* and b* are signed; elsewhere they lie above 0
        colour[..., 1:] ^= 1 << (8 * colour.dtype.itemsize - 1)
    if photometric == _ICCLAB and bits == 16:  # L* is 100 at 0xFF00 (Photoshop's TIFF note)
        colour[..., 0] = np.minimum(colour[..., 0] * np.uint32(257) // 256, top)
    return Samples(colour[..., 0] if colours == 1 else colour, alpha, space, bits)
