"""Kill `trtcolor colorize` on a folder at random moments, finish it, and look at what it left.

    python tests/kill_archive.py --pictures 300 --kills 10 --source PHOTOS

Makes a folder of whole pictures in several formats (of the files in PHOTOS, and of noise) and of
broken ones, has it coloured with as many kills as asked for, each at a random time within that of
an unbroken run, and then to the end. Every whole picture must be there once, the same as of the
unbroken run, every broken one must be named in the report, and nothing else may lie there. Where
exiftool is installed, it writes into the pictures before and reads the same from the outputs.
"""

from __future__ import annotations

import argparse
import json
import random
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "support"))

from archives import Archive, make_archive, outcomes, tree
from command_line import command


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pictures", type=int, default=300)
    parser.add_argument("--kills", type=int, default=10)
    parser.add_argument("--source", type=Path, help="a folder with pictures to take")
    parser.add_argument("--keep", type=Path, help="make all this in this folder, and leave it")
    parser.add_argument("--seed", type=int, default=0)
    options, others = parser.parse_known_args()
    with tempfile.TemporaryDirectory() as name:
        folder = options.keep or Path(name)
        archive = make_archive(folder / "in", options.pictures, options.source, options.seed)
        tagged = _tagged(folder / "in")
        print(f"{tagged} pictures have metadata") if tagged else print("there is no exiftool")
        print(f"{len(archive.whole)} whole pictures and {len(archive.broken)} broken ones")
        began = time.monotonic()
        _begin(folder / "in", folder / "unbroken", others).wait()
        seconds = time.monotonic() - began
        print(f"unbroken: {seconds:.1f} s")
        _killed(folder / "in", folder / "out", others, options.kills, seconds, options.seed)
        faults = list(_faults(archive, folder))
        for fault in faults:
            print(f"WRONG: {fault}")
        print(f"{options.kills} kills, {len(faults)} faults")
    return 1 if faults else 0


def _begin(source: Path, output: Path, options: list[str]) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        command("colorize", source, "-o", output, "--skip-existing", *options),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def _killed(
    source: Path, output: Path, options: list[str], kills: int, seconds: float, seed: int
) -> None:
    """Kill so many runs, each at a random time of its share of the work; then one to the end."""
    chance = random.Random(seed)
    for number in range(kills):
        process = _begin(source, output, options)
        try:
            process.wait(timeout=chance.uniform(0.3, 0.5 + 1.5 * seconds / kills))
            print(f"kill {number + 1} came too late: the run was through")
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            left = (
                len(list((output / ".trtcolor" / "parts").rglob("*.*"))) if output.exists() else 0
            )
            print(f"kill {number + 1}: {len(tree(output))} outputs, {left} half-made")
    _begin(source, output, options).wait()


def _faults(archive: Archive, folder: Path) -> list[str]:
    output, unbroken = folder / "out", folder / "unbroken"
    found = tree(output)
    faults = [f"{name} is missing" for name in sorted(archive.whole - set(found))]
    faults += [f"{name} is too many" for name in sorted(set(found) - archive.whole)]
    same = tree(unbroken)
    faults += [f"{name} differs" for name in found if found[name] != same.get(name)]
    told = outcomes(output)
    for name in sorted(archive.broken):
        if told.get(name, ("", ""))[0] != "failed" or not told[name][1]:
            faults.append(f"{name} is not said to have failed: {told.get(name)}")
    for name in sorted(archive.whole):
        if told.get(name, ("", ""))[0] not in ("coloured", "skipped"):
            faults.append(f"{name} is not said to be coloured: {told.get(name)}")
    before, after = _metadata(folder / "in"), _metadata(output)
    faults += [
        f"{name} had {before.get(name)} and has {tags}"
        for name, tags in after.items()
        if before.get(name) != tags
    ]
    inner = {path.name for path in (output / ".trtcolor").iterdir()}
    faults += [f".trtcolor/{name} is left" for name in sorted(inner - {"lock", "results.jsonl"})]
    return faults


TAGS = {
    "EXIF:Artist": "A. Photographer",
    "EXIF:DateTimeOriginal": "1915:06:01 12:00:00",
    "IPTC:Keywords": "street",
    "IPTC:Caption-Abstract": "A street",
    "XMP:Title": "Straße",
    "XMP:Rights": "public domain",
}


def _tagged(folder: Path) -> int:
    """Write metadata into all pictures that can be written to; how many have some then."""
    if shutil.which("exiftool") is None:
        return 0
    words = [f"-{name}={value}" for name, value in TAGS.items()]
    subprocess.run(
        ["exiftool", "-q", "-q", "-m", "-overwrite_original", "-r", *words, folder],
        capture_output=True,
    )
    return sum(bool(tags) for tags in _metadata(folder).values())


def _metadata(folder: Path) -> dict[str, dict[str, str]]:
    """By name, of every picture that can be read, what exiftool finds of `TAGS`."""
    if shutil.which("exiftool") is None:
        return {}
    words = [f"-{name}" for name in TAGS]
    found = subprocess.run(
        ["exiftool", "-q", "-q", "-m", "-j", "-G", "-r", *words, folder], capture_output=True
    )
    return {
        str(Path(entry.pop("SourceFile")).relative_to(folder)): entry
        for entry in json.loads(found.stdout or "[]")
    }


if __name__ == "__main__":
    sys.exit(main())
