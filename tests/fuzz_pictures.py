"""Throws mutated picture files at trtcolor.images.

    python tests/fuzz_pictures.py --files 100000 --seed 0
    python tests/fuzz_pictures.py --seed 0 --only 123

A file may give a picture of a known shape and dtype, or a PictureError of one sentence; a picture
is written as some format, metadata and all, and what was written must read back. The work is done
in a child with bounded memory, so that a file which kills or hangs it is named and the rest goes
on. Each file is made from the seed and its own number alone.
"""

from __future__ import annotations

import argparse
import collections
import faulthandler
import mmap
import random
import resource
import struct
import subprocess
import sys
import tempfile
import time
import warnings
import zlib
from pathlib import Path

import numpy as np

# in place of this folder, whose trtcolor/ has the tests
sys.path.pop(0)
sys.path.insert(0, str(Path(__file__).parent / "support"))

from picture_corpus import corpus

from trtcolor.errors import PictureError
from trtcolor.images import Picture, read_picture, write_picture

MEMORY = 3 << 30
SECONDS = 60
"""How long one file may take before it counts as a hang, on however busy a machine."""
MAX_PIXELS = 1 << 20
_NUMBERS = (0, 1, 2, 0x7F, 0x80, 0xFF, 0x7FFF, 0x8000, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF)
_SUFFIXES = (".png", ".jpg", ".tif", ".webp", ".bmp", ".ppm")
_FILES = tuple(corpus().items())

# ---- what is thrown ----------------------------------------------------------------------------


def mutated(rng: random.Random) -> tuple[str, bytes]:
    """The name of the file that it was, and what became of it."""
    name, content = rng.choice(_FILES)
    data = bytearray(content)
    for _ in range(rng.choice((0, 1, 1, 1, 1, 2, 3, 6))):
        _mutate(data, rng)
    if name.endswith(".png") and rng.random() < 0.7:
        _mend_checksums(data)
    return name, bytes(data)


def _mutate(data: bytearray, rng: random.Random) -> None:
    # headers and tables are where it matters
    at = rng.randrange(min(len(data), rng.choice((64, 400, len(data)))) or 1) if data else 0
    match rng.randrange(8):
        case 0 | 1:
            data[at : at + 1] = rng.randbytes(1)
        case 2:
            if data:
                data[at % len(data)] ^= 1 << rng.randrange(8)
        case 3 | 4:
            size, order = rng.choice((1, 2, 4)), rng.choice(("little", "big"))
            number = rng.choice(_NUMBERS) & ((1 << 8 * size) - 1)
            data[at : at + size] = number.to_bytes(size, order)
        case 5:
            del data[rng.randrange(len(data) + 1) :]
        case 6:
            end = at + rng.choice((1, 4, 12, 100))
            data[at:end] = rng.choice((b"", bytes(data[at:end]) * 2))
        case _:
            other = rng.choice(_FILES)[1]
            start = rng.randrange(len(other))
            data[at : at + 32] = other[start : start + rng.choice((4, 32, 300))]


def _mend_checksums(data: bytearray) -> None:
    """A PNG's chunks as far as they can be followed, so that decoders see what was changed."""
    at = 8
    while at + 12 <= len(data):
        (size,) = struct.unpack_from(">I", data, at)
        end = at + 8 + size
        if end + 4 > len(data):
            return
        struct.pack_into(">I", data, end, zlib.crc32(bytes(data[at + 4 : end])))
        at = end + 4


# ---- one file ----------------------------------------------------------------------------------


def try_file(seed: int, number: int, folder: Path) -> tuple[str, str | None]:
    """What came of it in a word, and what is wrong with that, if anything."""
    rng = random.Random(f"{seed}:{number}")
    name, data = mutated(rng)
    path = folder / rng.choice((name, "a", "\udcff\udcfe" + name, "a\nb" + name))
    path.write_bytes(data)
    page = rng.choice((None, None, None, 0, 1, 2))
    try:
        picture = read_picture(path, max_pixels=MAX_PIXELS, page=page)
    except PictureError as error:
        return "refused", _refusal_fault(str(error))
    except Exception as error:
        return "fault", f"{name}: reading raised {type(error).__name__}: {error}"
    finally:
        path.unlink()
    fault = _picture_fault(picture)
    if fault is None and rng.random() < 0.5:
        fault = _copy_fault(picture, folder / f"copy{rng.choice(_SUFFIXES)}", rng.random() < 0.9)
    return "read", f"{name}: {fault}" if fault else None


def _refusal_fault(message: str) -> str | None:
    if "; " not in message or len(message) > 700:
        return f"no sentence of what came, what was needed, what to do: {message}"
    return None


def _picture_fault(picture: Picture) -> str | None:
    pixels = picture.pixels
    channels = 1 if pixels.ndim == 2 else pixels.shape[-1]
    if pixels.dtype not in (np.uint8, np.uint16) or pixels.ndim not in (2, 3) or channels > 4:
        return f"gave {pixels.dtype} {pixels.shape}"
    if not 0 < pixels.shape[0] * pixels.shape[1] <= MAX_PIXELS:
        return f"gave {pixels.shape[1]}x{pixels.shape[0]}"
    if not 0 <= picture.page < picture.pages or not 1 <= picture.bits <= 16:
        return f"gave page {picture.page} of {picture.pages}, {picture.bits} bits"
    return None


def _copy_fault(picture: Picture, path: Path, keep_metadata: bool) -> str | None:
    """Coloured as a Colorizer would, written and read again."""
    pixels = picture.pixels
    planes = pixels.reshape(*pixels.shape[:2], -1)
    colours = planes[..., [0, 0, 0] if planes.shape[2] < 3 else [0, 1, 2]]
    alpha = [] if picture.alpha is None else [picture.alpha[..., None]]
    coloured = np.concatenate([colours, *alpha], axis=2)
    try:
        write_picture(path, coloured, like=picture, keep_metadata=keep_metadata, overwrite=True)
    except PictureError as error:
        foreseen = "transparency" in str(error) or "exceeds WebP limit" in str(error)
        return _refusal_fault(str(error)) if foreseen else str(error)
    except Exception as error:
        return f"writing {path.suffix} raised {type(error).__name__}: {error}"
    try:
        copy = read_picture(path)
    except Exception as error:
        return f"the {path.suffix} that was written raised {type(error).__name__}: {error}"
    if copy.pixels.shape[:2] != coloured.shape[:2] or copy.warnings:
        return f"the {path.suffix} that was written is {copy.pixels.shape}, {copy.warnings}"
    return None


# ---- the run -----------------------------------------------------------------------------------


def run(seed: int, numbers: range, state: Path | None) -> int:
    """Try the files; the number of each is in the state file before it is made."""
    warnings.simplefilter("ignore")
    faults = 0
    counts: collections.Counter[str] = collections.Counter()
    with (
        tempfile.TemporaryDirectory() as folder,
        open(state or Path(folder, "state"), "r+b" if state else "w+b") as file,
    ):
        file.truncate(8)
        with mmap.mmap(file.fileno(), 8) as shared:
            for number in numbers:
                shared[:] = number.to_bytes(8, "little")
                outcome, fault = try_file(seed, number, Path(folder))
                counts[outcome] += 1
                if fault:
                    faults += 1
                    print(f"file {number}: {fault!r}", flush=True)
                if faults == 20:
                    break
    print(f"{counts['read']} read, {counts['refused']} refused", flush=True)
    return faults


def watched(seed: int, numbers: range) -> int:
    """Run in children, a new one behind each file that kills or hangs one; how many faults."""
    faults = 0
    start = numbers.start
    while start < numbers.stop and faults < 20:
        # libtiff speaks on the standard error of each broken file; wanted is what faulthandler says
        with tempfile.NamedTemporaryFile() as state, tempfile.TemporaryFile() as errors:
            words = ["--seed", str(seed), "--state", state.name, "--range", str(start)]
            child = subprocess.Popen(
                [sys.executable, __file__, *words, "--files", str(numbers.stop)], stderr=errors
            )
            last, since = -1, time.monotonic()
            while child.poll() is None:
                time.sleep(0.2)
                now = int.from_bytes(Path(state.name).read_bytes() or b"\0", "little")
                if now != last:
                    last, since = now, time.monotonic()
                elif time.monotonic() - since > SECONDS:
                    child.kill()
                    child.wait()
                    print(f"file {now}: took more than {SECONDS} s", flush=True)
            last = int.from_bytes(Path(state.name).read_bytes() or b"\0", "little")
            errors.seek(max(0, errors.tell() - 3000))
            tail = errors.read().decode(errors="replace") if child.returncode < 0 else ""
        if child.returncode >= 0:
            return faults + child.returncode
        faults += 1
        print(f"file {last}: killed by signal {-child.returncode}\n{tail}", flush=True)
        start = last + 1
    return faults


def main() -> int:
    parser = argparse.ArgumentParser(description="Throw mutated picture files at trtcolor.images.")
    parser.add_argument("--files", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", type=int, help="try this one file, in this very process")
    parser.add_argument("--save", type=Path, help="with --only: write the file here instead")
    parser.add_argument("--state", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--range", type=int, default=0, help=argparse.SUPPRESS)
    words = parser.parse_args()
    faulthandler.enable()
    if words.save is not None:
        words.save.write_bytes(mutated(random.Random(f"{words.seed}:{words.only}"))[1])
        return 0
    if words.only is not None:
        return min(run(words.seed, range(words.only, words.only + 1), None), 1)
    if words.state is not None:
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
        return run(words.seed, range(words.range, words.files), words.state)
    began = time.monotonic()
    faults = watched(words.seed, range(words.files))
    if faults:
        print(f"{faults} faults; replay one with: {sys.argv[0]} --seed {words.seed} --only NUMBER")
    else:
        seconds = time.monotonic() - began
        print(f"{words.files} files, seed {words.seed}: {seconds:.0f} s, no fault")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
