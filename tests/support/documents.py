"""The documents of this checkout, and sessions in which their code blocks run."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import threading
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from fences import Block, blocks

ROOT = Path(__file__).parents[2]
HOME = "/home/you"
"""What a page calls the folder that its reader works in."""
SECONDS = 240
"""That a block may take."""

INTERPRETER = """
import contextlib, io, json, os, sys, traceback
answers = os.fdopen(os.dup(1), "w")
os.dup2(2, 1)  # what programs of the blocks print is no answer
namespace = {"__name__": "__main__"}
for line in sys.stdin:
    code, name = json.loads(line)
    failure, printed = None, io.StringIO()
    with contextlib.redirect_stdout(printed):
        try:
            exec(compile(code, name, "exec"), namespace)
        except BaseException:
            failure = traceback.format_exc()
    print(json.dumps([failure, printed.getvalue()]), file=answers, flush=True)
"""


def documents() -> list[Path]:
    """README.md and every page of docs."""
    return [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]


def name_of(document: Path) -> str:
    return document.relative_to(ROOT).as_posix()


def blocks_of(document: Path) -> list[Block]:
    return blocks(document.read_text(encoding="utf-8"))


def matches(expected: str, printed: str, *, numbers: bool = True) -> bool:
    """Whether that was printed: ``...`` is anything, space at the ends of lines does not count.

    Args:
        numbers: whether they must be those that are written; else how much space there is, which
            goes with their lengths, does not count either.
    """

    def trimmed(text: str) -> str:
        lines = [line.rstrip() for line in text.strip().splitlines()]
        if not numbers:
            lines = [re.sub(r"\s+", " ", re.sub(r"\d[\d.,:]*", "#", line)) for line in lines]
        return "\n".join(lines)

    pattern = ".*?".join(re.escape(part) for part in trimmed(expected).split("..."))
    return re.fullmatch(pattern, trimmed(printed), re.DOTALL) is not None


class Session:
    """The code blocks of one document, run in their order in one folder.

    bash begins anew with each block; Python goes on where the block before it ended.
    """

    def __init__(self, name: str, folder: Path, environment: dict[str, str]) -> None:
        self.name = name
        self.folder = folder
        self.environment = environment
        self.printed = ""
        self._python: subprocess.Popen[str] | None = None

    def __enter__(self) -> Session:
        return self

    def __exit__(self, *_: object) -> None:
        if self._python is not None:
            self._python.kill()
            self._python.communicate()

    def run(self, block: Block) -> None:
        """Run one block, or hold what was printed against one.

        Raises:
            AssertionError: naming the line, where it does not do what it says.
        """
        where = f"{self.name}:{block.line}"
        if block.is_output:
            told = self.printed.replace(str(self.folder), HOME)
            told = told.replace(str(self.folder.parent), HOME)
            same = matches(block.text, told, numbers="numbers" not in block.options)
            assert same, f"{where}: printed was\n{self.printed}"
        elif block.file is not None:
            path = self.folder / block.file
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(block.text, encoding="utf-8")
        elif block.language == "bash":
            self._run_bash(block, where)
        elif block.language == "python":
            self._run_python(block, where)

    def _run_bash(self, block: Block, where: str) -> None:
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", block.text],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            timeout=SECONDS,
            check=False,
            **self._started(),
        )
        self.printed = done.stdout
        assert done.returncode == block.status, f"{where}: {done.returncode}\n{done.stdout}"

    def _run_python(self, block: Block, where: str) -> None:
        if self._python is None:
            command = [sys.executable, "-P", "-c", INTERPRETER]
            pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
            self._python = subprocess.Popen(command, **pipes, **self._started())
        assert self._python.stdin is not None
        assert self._python.stdout is not None
        lines = "\n" * block.line  # a traceback names the document's own
        print(json.dumps([lines + block.text, self.name]), file=self._python.stdin, flush=True)
        late = threading.Timer(SECONDS, self._python.kill)
        late.start()
        answer = self._python.stdout.readline()
        late.cancel()
        assert answer, f"{where}: Python ended, or took more than {SECONDS} s"
        failure, self.printed = json.loads(answer)
        assert failure is None, f"{where}: {failure}"

    def _started(self) -> dict[str, Any]:
        return {"cwd": self.folder, "env": self.environment, "text": True}


def below(section: str) -> list[Path]:
    """The pages of a folder of docs that have code blocks."""
    return [path for path in sorted((ROOT / "docs" / section).rglob("*.md")) if blocks_of(path)]


def missing(block: Block) -> list[str]:
    """Those of a block's programs, modules and GStreamer elements that are not installed here."""
    return [
        name
        for name in block.programs
        if not (shutil.which(name) or find_spec(name) or _is_element(name))
    ]


def _is_element(name: str) -> bool:
    """Whether GStreamer has an element of that name, asked in a process of its own."""
    program = (
        "import sys, gi; gi.require_version('Gst', '1.0'); from gi.repository import Gst; "
        "Gst.init(None); sys.exit(Gst.ElementFactory.find(sys.argv[1]) is None)"
    )
    command = [sys.executable, "-P", "-c", program, name]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0
