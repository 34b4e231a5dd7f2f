"""What is thrown at functions that take arrays: fitting and wrong ones, in any layout."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

Array = NDArray[Any]
POISON = 0xA5

_NOISE = np.random.default_rng(0)
_FLOATS: Array = _NOISE.uniform(-150, 150, 1 << 20).astype(np.float32)
_WILD = _FLOATS.copy()
_WILD[::5] = _NOISE.choice(
    np.array([np.nan, np.inf, -np.inf, 3e38, -3e38, 1e-42, -0.0, 1000, 1e9], np.float32),
    _WILD[::5].size,
)
_CODES: Array = _NOISE.integers(0, 65536, 1 << 20).astype(np.uint16)
_WRONG_NUMBERS = ("float64", "float16", "int8", "int32", "uint64", "bool", "complex64")
_WRONG_DTYPES = (*_WRONG_NUMBERS, "object", "U3", "S2", "datetime64[s]", "V3", ">i2")
NO_ARRAYS: tuple[Any, ...] = (None, "picture", b"bytes", 7, 1.5, [], [[1, 2], [3]], {}, object())
NO_WORDS: tuple[Any, ...] = (None, "", "HWC", 3, -1, 2.0, b"clip", ["hwc"], True, object)
_NO_NUMBERS: tuple[Any, ...] = (0, -1, 1.5, "2", True, [2], 2**70, -(2**70), object(), np.nan)


@dataclass
class Thrown:
    """One call's arguments, and what must hold after it."""

    rng: random.Random
    wrong: bool = False
    inputs: list[tuple[Array, bytes]] = field(default_factory=list)
    outer: list[tuple[Array, Array]] = field(default_factory=list)

    def rarely(self, chance: float = 0.06) -> bool:
        return self.rng.random() < chance

    def mistake(self, chance: float = 0.04) -> bool:
        made = self.rarely(chance)
        self.wrong |= made
        return made

    def side(self) -> int:
        if self.rarely(0.002):
            return self.rng.randint(300, 700)
        return self.rng.choice((1, 2, 3)) if self.rarely(0.2) else self.rng.randint(1, 40)

    def word(self, words: Sequence[Any], wrong: Sequence[Any] = NO_WORDS) -> Any:
        if not self.mistake(0.02):
            return self.rng.choice(words)
        return self.rng.choice(wrong)

    def threads(self) -> Any:
        return self.word((None, 1, 2, 3, 7, np.int64(2)), _NO_NUMBERS)

    def array(self, shape: tuple[int, ...], dtypes: Sequence[str]) -> Any:
        """Mostly of that shape and one of the dtypes, in any layout."""
        if self.mistake(0.01):
            return self.rng.choice(NO_ARRAYS)
        if self.mistake():
            shape = self.another(shape)
        dtype = np.dtype(self.rng.choice(_WRONG_DTYPES if self.mistake() else dtypes))
        array = self.laid_out(shape, dtype)
        if array.flags.writeable:
            array[...] = self.values(shape, dtype)
        if self.rarely():
            array = array.astype(dtype.newbyteorder())
        if dtype.kind in "fu" and dtype.itemsize <= 4:
            self.inputs.append((array, array.tobytes()))
        return array

    def another(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        sides = list(shape)
        axis = self.rng.randrange(len(sides))
        match self.rng.randrange(4):
            case 0:
                sides[axis] = 0
            case 1:
                sides[axis] += self.rng.choice((1, 2))
            case 2:
                del sides[axis]
            case _:
                sides.insert(axis, self.rng.choice((0, 1, 2)))
        return tuple(sides)

    def values(self, shape: tuple[int, ...], dtype: np.dtype[Any]) -> Array:
        count = int(np.prod(shape))
        start = self.rng.randrange(4096)
        if dtype.kind != "f":
            values = _CODES[start : start + count]
        elif self.rarely(0.3):
            values = _WILD[start : start + count]
        else:
            values = _FLOATS[start : start + count] / np.float32(150 if self.rarely(0.5) else 1)
        return values.reshape(shape).astype(dtype.newbyteorder("="), casting="unsafe")

    def laid_out(self, shape: tuple[int, ...], dtype: np.dtype[Any], *, own: bool = False) -> Array:
        """An array in any strides; with `own`, one whose samples lie apart and are aligned."""
        kinds = ["plain"] * 3 + ["fortran", "flipped", "stepped", "cropped"]
        if not own and dtype.kind in "fu":
            kinds += ["broadcast", "sliding", "misaligned", "readonly"]
        kind = self.rng.choice(kinds)
        if not shape or 0 in shape or dtype.kind == "O":
            kind = "plain"
        if kind in ("stepped", "cropped"):
            steps = [self.rng.choice((1, 1, 2, 3)) if kind == "stepped" else 1 for _ in shape]
            room = [n * s + self.rng.randrange(4) for n, s in zip(shape, steps, strict=True)]
            base = self.poisoned(tuple(room), dtype)
            return base[tuple(slice(0, n * s, s) for n, s in zip(shape, steps, strict=True))]
        if kind == "fortran":
            order = self.rng.sample(range(len(shape)), len(shape))
            inverse = tuple(np.argsort(order))
            return self.poisoned(tuple(shape[axis] for axis in order), dtype).transpose(inverse)
        if kind == "broadcast":
            kept = tuple(self.rng.choice((1, n)) for n in shape)
            return np.broadcast_to(self.values(kept, dtype), shape)
        if kind == "sliding":
            *outer, last = shape
            windows = (int(np.prod(outer)) if outer else 1) + last - 1
            return sliding_window_view(self.values((windows,), dtype), last).reshape(shape)
        if kind == "misaligned":
            raw = np.zeros(int(np.prod(shape)) * dtype.itemsize + 1, np.uint8)
            return raw[1:].view(dtype).reshape(shape)
        array = self.poisoned(shape, dtype)
        if kind == "flipped":
            return array[tuple(slice(None, None, self.rng.choice((1, -1))) for _ in shape)]
        array.flags.writeable = kind != "readonly"
        return array

    def poisoned(self, shape: tuple[int, ...], dtype: np.dtype[Any]) -> Array:
        if dtype.kind not in "fu":
            return np.zeros(shape, dtype)
        raw = np.full(int(np.prod(shape)) * dtype.itemsize, POISON, np.uint8)
        return raw.view(dtype).reshape(shape)

    def output(self, shape: tuple[int, ...], dtype: str) -> Any:
        """None, or an array to fill: mostly a fitting one."""
        if self.rarely(0.5):
            return None
        if not self.mistake(0.3):
            out = self.laid_out(shape, np.dtype(dtype), own=True)
            self.outer.append((out, _base_of(out)))
            return out
        match self.rng.randrange(6):
            case 0:
                return self.rng.choice(NO_ARRAYS[1:])
            case 1:
                return np.zeros(self.another(shape) if shape else (1,), dtype)
            case 2:
                return np.zeros(shape, self.rng.choice(_WRONG_NUMBERS))
            case 3:
                return np.broadcast_to(np.zeros((), dtype), shape)
            case 4:
                self.wrong = True
                return np.zeros(shape, np.dtype(dtype).newbyteorder())
            case _:
                arrays = [array for array, _ in self.inputs if array.ndim]
                return self.rng.choice(arrays) if arrays else np.zeros((), dtype)


def _base_of(array: Array) -> Array:
    while isinstance(array.base, np.ndarray):
        array = array.base
    return array
