"""Throws anything at the public functions of trtcolor.color, resize and planes.

    python tests/fuzz_color.py --calls 1000000 --seed 0
    python tests/fuzz_color.py --seed 0 --only 123

A call may give a result of the right shape and dtype, finite where that is promised, with its
inputs and whatever lies around ``out`` untouched; or, where something wrong was thrown, a
ValueError or TypeError of one sentence. The calls are made in a child, so that one that kills the
process is named too. Each is drawn from the seed and its own number alone.
"""

from __future__ import annotations

import argparse
import faulthandler
import mmap
import random
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

# in place of this folder, whose trtcolor/ has the tests
sys.path.pop(0)
sys.path.insert(0, str(Path(__file__).parent / "support"))

from thrown_arrays import NO_ARRAYS, NO_WORDS, POISON, Thrown

from trtcolor import color, planes, resize, upsampling

# ---- the functions -----------------------------------------------------------------------------


@dataclass(frozen=True)
class Call:
    """A function with its arguments, and what a result must be."""

    function: Callable[..., Any]
    arguments: tuple[Any, ...]
    options: dict[str, Any]
    shape: Callable[[], tuple[int, ...]]
    dtype: str
    finite: bool = True
    parts: int = 0  # 2: a tuple of two arrays of this shape


def picture_shape(thrown: Thrown, layout: Any, channels: int = 3) -> tuple[int, ...]:
    height, width = thrown.side(), thrown.side()
    return (channels, height, width) if layout == "chw" else (height, width, channels)


def plane_of(array: Any, layout: Any) -> tuple[int, ...]:
    return tuple(np.shape(array)[1:] if layout == "chw" else np.shape(array)[:2])


def from_rgb(thrown: Thrown) -> Call:
    function = thrown.rng.choice((color.lab_from_rgb, color.luv_from_rgb))
    layout = thrown.word(("hwc", "chw"))
    shape = picture_shape(thrown, layout)
    rgb = thrown.array(shape, ("uint8", "float32"))
    options = {"layout": layout, "out": thrown.output(shape, "float32")}
    return Call(function, (rgb,), options, lambda: np.shape(rgb), "float32")


def to_rgb(thrown: Thrown) -> Call:
    function = thrown.rng.choice((color.rgb_from_lab, color.rgb_from_luv))
    layout, dtype = thrown.word(("hwc", "chw")), thrown.word(("uint8", "float32"))
    shape = picture_shape(thrown, layout)
    lab = thrown.array(shape, ("float32",))
    known = dtype if dtype in ("uint8", "float32") else "uint8"
    options = {
        "layout": layout,
        "dtype": dtype,
        "gamut": thrown.word(("clip", "reduce")),
        "out": thrown.output(shape, known),
    }
    return Call(function, (lab,), options, lambda: np.shape(lab), known)


def lightness_from_rgb(thrown: Thrown) -> Call:
    layout = thrown.word(("hwc", "chw"))
    shape = picture_shape(thrown, layout)
    rgb = thrown.array(shape, ("uint8", "float32"))
    out = thrown.output(shape[1:] if layout == "chw" else shape[:2], "float32")
    options = {"layout": layout, "out": out}
    return Call(color.lightness_from_rgb, (rgb,), options, lambda: plane_of(rgb, layout), "float32")


def lightness_from_grey(thrown: Thrown) -> Call:
    shape = thrown.side(), thrown.side()
    grey = thrown.array(shape, ("uint8", "uint16", "float32"))
    options = {"out": thrown.output(shape, "float32")}
    return Call(color.lightness_from_grey, (grey,), options, lambda: np.shape(grey), "float32")


def chroma_size(thrown: Thrown, size: tuple[int, int], scale: Any) -> tuple[int, int]:
    if scale not in (1, 2, 4):
        return thrown.side(), thrown.side()
    return -(-size[0] // int(scale)), -(-size[1] // int(scale))


_FORMATS = {"rgb24": "uint8", "bgr24": "uint8", "rgb48": "uint16", "rgbf32": "float32"}


def merge_lab(thrown: Thrown) -> Call:
    layout, scale = thrown.word(("hwc", "chw")), thrown.word((1, 2, 4, None))
    form = thrown.word(tuple(_FORMATS))
    height, width = thrown.side(), thrown.side()
    size = chroma_size(thrown, (height, width), scale)
    lightness = thrown.array((height, width), ("float32", "uint8", "uint16"))
    chroma = thrown.array((2, *size), ("float32",))
    shape = (3, height, width) if layout == "chw" else (height, width, 3)
    dtype = _FORMATS[form] if isinstance(form, str) and form in _FORMATS else "uint8"
    options = {
        "scale": scale,
        "format": form,
        "gamut": thrown.word(("clip", "reduce")),
        "layout": layout,
        "out": thrown.output(shape, dtype),
    }

    def expected() -> tuple[int, ...]:
        sides = np.shape(lightness)
        return (3, *sides) if layout == "chw" else (*sides, 3)

    return Call(color.merge_lab, (lightness, chroma), options, expected, dtype)


def joint_bilateral_upsample(thrown: Thrown) -> Call:
    scale, height, width = thrown.word((1, 2, 4, None)), thrown.side(), thrown.side()
    size = chroma_size(thrown, (height, width), scale)
    lightness = thrown.array((height, width), ("float32",))
    chroma = thrown.array((2, *size), ("float32",))
    first = thrown.rng.randrange(height)
    rows = (first, thrown.rng.randint(first + 1, height)) if thrown.rarely(0.5) else (0, height)
    options = {
        "scale": scale,
        "guide": thrown.array(size, ("float32",)) if thrown.rarely(0.5) else None,
        "rows": thrown.word((rows,), ((0, 0), (-1, 1), (0, 2**70), 5, "rows", (0.5, 1), (0, 1, 2))),
        "range_sigma": thrown.word((10, 0.01, 1000, np.float32(3)), (0, -1, "", None, np.nan, [4])),
        "out": thrown.output((2, rows[1] - rows[0], width), "float32"),
    }

    def expected() -> tuple[int, ...]:
        return (2, rows[1] - rows[0], np.shape(lightness)[1])

    return Call(
        upsampling.joint_bilateral_upsample, (chroma, lightness), options, expected, "float32"
    )


def resize_plane(thrown: Thrown) -> Call:
    shape: tuple[int, ...] = (thrown.side(), thrown.side())
    if thrown.rarely(0.5):
        shape = (thrown.rng.randint(1, 3), *shape)
    size: Any = (thrown.side(), thrown.side())
    plane = thrown.array(shape, ("float32",))
    options = {"out": thrown.output((*shape[:-2], *size), "float32")}
    if thrown.mistake(0.05):
        size = thrown.rng.choice((None, 3, (0, 4), (4,), (1, 2, 3), (-1, 2), (1.5, 2), "ab", []))

    def expected() -> tuple[int, ...]:
        return (*np.shape(plane)[:-2], *size)

    return Call(resize.resize_plane, (plane, size), options, expected, "float32", finite=False)


def coding(thrown: Thrown) -> tuple[dict[str, Any], str]:
    """Depth, layout and range, and the dtype that they need."""
    depth = thrown.word((8, 8, 10, 12, 9, 16), (7, 17, 8.0, "8", None, -1))
    layout = thrown.word(("planar", "nv12") if depth == 8 else ("planar", "nv12", "p010"))
    extent = thrown.word(("limited", "full"))
    dtype = "uint8" if depth == 8 else "uint16"
    return {"depth": depth, "layout": layout, "range": extent}, dtype


def lightness_from_luma(thrown: Thrown) -> Call:
    options, dtype = coding(thrown)
    shape = thrown.side(), thrown.side()
    y = thrown.array(shape, (dtype,))
    options["out"] = thrown.output(shape, "float32")
    return Call(planes.lightness_from_luma, (y,), options, lambda: np.shape(y), "float32")


def chroma_planes(thrown: Thrown) -> Call:
    options, dtype = coding(thrown)
    planar = options["layout"] == "planar"
    scale = thrown.word((1, 2, 4, None))
    subsampling = thrown.word((420, 422, 444), (*NO_WORDS, "420", 411))
    size, halved = (thrown.side(), thrown.side()), (subsampling == 420, subsampling != 444)
    y = thrown.array(size, (dtype,))
    chroma = thrown.array((2, *chroma_size(thrown, size, scale)), ("float32",))

    def grid(sides: tuple[int, ...]) -> tuple[int, ...]:
        return tuple((n + half) >> half for n, half in zip(sides, halved, strict=True))

    out: Any = None
    if not planar:
        out = thrown.output((*grid(size), 2), dtype)
    elif thrown.rarely(0.5):
        out = (thrown.output(grid(size), dtype), thrown.output(grid(size), dtype))
    elif thrown.mistake():
        out = thrown.rng.choice(NO_ARRAYS[1:])
    options |= {
        "scale": scale,
        "subsampling": subsampling,
        "matrix": thrown.word(("bt601", "bt709", "bt2020")),
        "siting": thrown.word(("left", "center", "topleft")),
        "out": out,
    }

    def expected() -> tuple[int, ...]:
        return grid(np.shape(y)) if planar else (*grid(np.shape(y)), 2)

    parts = 2 if planar else 0
    return Call(planes.chroma_planes, (y, chroma), options, expected, dtype, parts=parts)


FUNCTIONS = (
    from_rgb,
    to_rgb,
    lightness_from_rgb,
    lightness_from_grey,
    merge_lab,
    joint_bilateral_upsample,
    resize_plane,
    lightness_from_luma,
    chroma_planes,
)


# ---- one call ----------------------------------------------------------------------------------


def try_call(seed: int, number: int) -> str | None:
    """What is wrong with the outcome of this call, if anything."""
    thrown = Thrown(random.Random(f"{seed}:{number}"))
    call = thrown.rng.choice(FUNCTIONS)(thrown)
    call.options["threads"] = thrown.threads()
    before = [base.tobytes() for _, base in thrown.outer]
    name = call.function.__name__
    try:
        result = call.function(*call.arguments, **call.options)
    except (ValueError, TypeError) as error:
        untouched = [base.tobytes() for _, base in thrown.outer] == before
        return refusal_fault(name, error, thrown.wrong, untouched)
    except Exception as error:
        return f"{name} raised {type(error).__name__}: {error}"
    for fault in (result_fault(call, result), memory_fault(thrown, call)):
        if fault:
            return f"{name}: {fault}"
    return None


def refusal_fault(name: str, error: Exception, wrong: bool, untouched: bool) -> str | None:
    message = str(error)
    came = f"{name} raised {type(error).__name__}: {message}"
    if not wrong:
        return f"{came}, though nothing was wrong"
    if not untouched:
        return f"{came}, after it had written to out"
    if "\n" in message or "; " not in message or len(message) > 300:
        return f"{came}, which is not one sentence of what came, what was needed, what to do"
    return None


def result_fault(call: Call, result: Any) -> str | None:
    out = call.options["out"]
    if call.parts:
        if not isinstance(result, tuple) or len(result) != call.parts:
            return f"gave a {type(result).__name__}, not {call.parts} arrays"
        outs = out or (None,) * call.parts
        faults = (array_fault(call, *both) for both in zip(result, outs, strict=True))
        return next((fault for fault in faults if fault), None)
    return array_fault(call, result, out)


def array_fault(call: Call, result: Any, out: Any) -> str | None:
    if not isinstance(result, np.ndarray):
        return f"gave a {type(result).__name__}"
    if (result.shape, result.dtype) != (call.shape(), np.dtype(call.dtype)):
        return f"gave {result.shape} {result.dtype}, not {call.shape()} {call.dtype}"
    if out is not None and result is not out:
        return "gave another array than out"
    if call.finite and result.dtype.kind == "f" and not np.isfinite(result).all():
        return "gave values that are not finite"
    return None


def memory_fault(thrown: Thrown, call: Call) -> str | None:
    """Whether an input changed, or memory beside the samples of out."""
    if any(array.tobytes() != data for array, data in thrown.inputs):
        return "changed an input"
    for out, base in thrown.outer:
        out[...] = np.frombuffer(bytes([POISON]) * out.itemsize, out.dtype)[0]
        if not (base.view(np.uint8) == POISON).all():
            return "wrote beside the samples of out"
    return None


# ---- the run -----------------------------------------------------------------------------------


def run(seed: int, numbers: range, state: Path | None) -> int:
    """Make the calls; the number of each is in the state file before it is made."""
    warnings.simplefilter("ignore")
    faults = 0
    with open(state or tempfile.mkstemp()[1], "r+b") as file:
        file.truncate(8)
        with mmap.mmap(file.fileno(), 8) as shared:
            for number in numbers:
                shared[:] = number.to_bytes(8, "little")
                fault = try_call(seed, number)
                if fault:
                    faults += 1
                    print(f"call {number}: {fault}", flush=True)
                if faults == 20:
                    break
    return faults


def main() -> int:
    """Fuzz in a child and name the call if it dies."""
    parser = argparse.ArgumentParser(description="Throw anything at trtcolor's public functions.")
    parser.add_argument("--calls", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", type=int, help="make this one call, in this very process")
    parser.add_argument("--state", type=Path, help=argparse.SUPPRESS)
    words = parser.parse_args()
    faulthandler.enable()
    if words.only is not None:
        return min(run(words.seed, range(words.only, words.only + 1), None), 1)
    if words.state is not None:
        return min(run(words.seed, range(words.calls), words.state), 1)
    began = time.monotonic()
    with tempfile.NamedTemporaryFile() as state:
        child = [sys.executable, *sys.argv, "--state", state.name]
        code = subprocess.run(child).returncode
        last = int.from_bytes(Path(state.name).read_bytes(), "little")
    replay = f"python {sys.argv[0]} --seed {words.seed} --only"
    if code < 0:
        print(f"killed by signal {-code} in call {last}; replay it with: {replay} {last}")
    elif code:
        print(f"replay a call with: {replay} NUMBER")
    else:
        print(f"{words.calls} calls, seed {words.seed}: {time.monotonic() - began:.0f} s, no fault")
    return 1 if code else 0


if __name__ == "__main__":
    sys.exit(main())
