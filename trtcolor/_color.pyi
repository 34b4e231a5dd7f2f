"""Types of the compiled module, for mypy; trtcolor/color.py and its neighbours are what to call."""

from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

_Codes: TypeAlias = NDArray[np.uint8 | np.uint16]
_F32: TypeAlias = NDArray[np.float32]
_Index: TypeAlias = NDArray[np.intp]
_Samples: TypeAlias = NDArray[Any]

GAMUT_CLIP: int
GAMUT_REDUCE: int
MATRIX_BT601: int
MATRIX_BT709: int
MATRIX_BT2020: int

def variants() -> tuple[str, ...]: ...
def variant() -> str: ...
def use(name: str) -> None: ...
def pool_workers() -> int: ...
def lab_from_rgb(lab: _F32, rgb: _Samples, threads: int) -> None: ...
def rgb_from_lab(rgb: _Samples, lab: _F32, gamut: int, threads: int) -> None: ...
def luv_from_rgb(luv: _F32, rgb: _Samples, threads: int) -> None: ...
def rgb_from_luv(rgb: _Samples, luv: _F32, gamut: int, threads: int) -> None: ...
def lightness_from_rgb(lightness: _F32, rgb: _Samples, threads: int) -> None: ...
def lightness_from_grey(
    lightness: _F32, grey: _Samples, table: _F32 | None, threads: int
) -> None: ...
def lightness_table(table: _F32) -> None: ...
def luma_table(table: _F32, shift: int, black: float, span: float) -> None: ...
def merge_lab(
    rgb: _Samples,
    lightness: _Samples,
    chroma: _F32,
    table: _F32 | None,
    scale: int,
    gamut: int,
    threads: int,
) -> None: ...
def upsample_chroma(
    upsampled: _F32,
    lightness: _F32,
    chroma: _F32,
    guide: _F32,
    height: int,
    top: int,
    scale: int,
    range_sigma: float,
    threads: int,
) -> None: ...
def chroma_planes(
    u: _Codes,
    v: _Codes,
    luma: _Codes,
    chroma: _F32,
    shift: int,
    halved_rows: int,
    halved_columns: int,
    cosited_rows: int,
    cosited_columns: int,
    scale: int,
    matrix: int,
    luma_black: float,
    luma_range: float,
    chroma_zero: float,
    chroma_range: float,
    chroma_low: float,
    chroma_high: float,
    threads: int,
) -> None: ...
def resize_taps(source: int, target: int) -> int: ...
def resize_weights(start: _Index, count: _Index, values: _F32, source: int) -> None: ...
def resize_planes(
    out: _F32,
    planes: _F32,
    row_start: _Index,
    row_count: _Index,
    row_values: _F32,
    column_start: _Index,
    column_count: _Index,
    column_values: _F32,
    threads: int,
) -> None: ...
