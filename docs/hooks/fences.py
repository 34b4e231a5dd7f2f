"""Fenced code blocks of the documents: what each is, and why it does not run, if it does not.

The info string behind the three backticks is a language and options:

    ```bash                           run by bash, must end with status 0
    ```bash exit=1                    must end with status 1
    ```python                         run, in one session with the others of its page
    ```text output                    what the block before it prints; `...` is anything
    ```text output numbers="vary"     the same but for its numbers: seconds, bytes, frames a second
    ```bash with="ffmpeg"             run where these programs or Python modules are installed
    ```bash needs="an NVIDIA GPU"     not run; the reader sees the reason above the block
    ```toml, ```json                  parsed
    ```toml file="own.toml"           a file that the reader writes, of any language
    ```text                           anything else

``<!-- test:python`` to ``-->`` is a block that only the tests see.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass, field

LANGUAGES = ("bash", "python", "toml", "json", "text")

_FENCE = re.compile(
    r"^(?P<indent>[ ]*)(?P<ticks>`{3,})(?P<info>[^`\n]*)\n(?P<body>.*?)^(?P=indent)(?P=ticks)[ ]*$",
    re.DOTALL | re.MULTILINE,
)
_HIDDEN = re.compile(r"^<!-- test:(?P<info>[^\n]*)\n(?P<body>.*?)^-->$", re.DOTALL | re.MULTILINE)
_OURS = ("needs", "with", "exit", "output", "file", "numbers")


@dataclass(frozen=True)
class Block:
    """A block of a document.

    Attributes:
        language: one of `LANGUAGES`.
        text: what stands between the fences, without their indent.
        line: of the opening fence, from 1.
        options: of the info string.
        hidden: whether only the tests see it.
    """

    language: str
    text: str
    line: int
    options: dict[str, str] = field(default_factory=dict)
    hidden: bool = False

    @property
    def needs(self) -> str | None:
        """Why the block is not run; None if it is."""
        return self.options.get("needs")

    @property
    def programs(self) -> list[str]:
        """Programs and modules without which it cannot run."""
        return self.options.get("with", "").split()

    @property
    def file(self) -> str | None:
        """Name under which the reader keeps it; None for what is not a file."""
        return self.options.get("file")

    @property
    def is_output(self) -> bool:
        """Whether it is what the block before it prints."""
        return "output" in self.options

    @property
    def status(self) -> int:
        """Exit status that it must end with."""
        return int(self.options.get("exit", "0"))


def blocks(text: str) -> list[Block]:
    """The blocks of a document in their order.

    Raises:
        ValueError: for a language that is not known, or an empty reason.
    """
    found = [_block(match, text, hidden=False) for match in _FENCE.finditer(text)]
    found += [_block(match, text, hidden=True) for match in _HIDDEN.finditer(text)]
    return sorted(found, key=lambda block: block.line)


def prose(text: str) -> Iterator[tuple[bool, str]]:
    """A document's parts in order: (whether it is a code block, text)."""
    end = 0
    for match in _FENCE.finditer(text):
        yield False, text[end : match.start()]
        yield True, match.group()
        end = match.end()
    yield False, text[end:]


def for_readers(text: str) -> str:
    """A document without what only the tests need, each reason as the block's title."""
    return _FENCE.sub(_titled, _HIDDEN.sub("", text))


def _block(match: re.Match[str], text: str, *, hidden: bool) -> Block:
    line = text.count("\n", 0, match.start()) + 1
    language, options = _parsed(match["info"])
    if language not in LANGUAGES:
        raise ValueError(
            f"line {line}: the block is {language or 'without a language'!r}, not one of "
            f"{', '.join(LANGUAGES)}; write it behind the backticks"
        )
    if options.get("needs") == "":
        raise ValueError(f'line {line}: needs="" gives no reason; say what the block needs')
    indent = match.groupdict().get("indent") or ""
    body = re.sub(rf"^{indent}", "", match["body"], flags=re.MULTILINE)
    return Block(language, body, line, options, hidden)


def _parsed(info: str) -> tuple[str, dict[str, str]]:
    language, _, rest = info.strip().partition(" ")
    words = shlex.split(rest)
    return language, {key: value for key, _, value in (word.partition("=") for word in words)}


def _titled(match: re.Match[str]) -> str:
    language, options = _parsed(match["info"])
    title = options.get("title", options.get("file"))
    if "needs" in options:
        title = f"not run by the tests: needs {options['needs']}"
    elif "output" in options:
        title = "prints"
    kept = {key: value for key, value in options.items() if key not in (*_OURS, "title")}
    if title:
        kept["title"] = title
    info = " ".join([language, *(f'{key}="{value}"' for key, value in kept.items())])
    indent, ticks = match["indent"], match["ticks"]
    return f"{indent}{ticks}{info}\n{match['body']}{indent}{ticks}"
