"""Protocol Buffers' text format, as far as Triton's ``config.pbtxt`` needs it.

A message is a mapping of its fields in the order in which they are written. The server's schema
lies in `tritonclient`, which nobody needs to export a model: the tests read what is written here
with it. (Text format specification: protobuf.dev/reference/protobuf/textformat-spec.)
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias, Union

INDENT = "  "
ESCAPES = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r", "\t": "\\t"}


@dataclass(frozen=True)
class Enum:
    """The name of a value of an enumeration, which has no quotes."""

    name: str


Scalar: TypeAlias = bool | int | str | Enum
Field: TypeAlias = Union[Scalar, "Message", Sequence[Scalar], Sequence["Message"]]
Message: TypeAlias = Mapping[str, Field]


def text_format(message: Message) -> str:
    """A message as text, a field a line.

    Args:
        message: repeated fields are sequences, and empty ones are left out. A map is what
            `entries` makes of it.

    Raises:
        ValueError: a text holds a lone surrogate, which UTF-8 cannot write.
    """
    return "".join(f"{line}\n" for line in _lines(message))


def entries(mapping: Mapping[str, Scalar | Message]) -> list[Message]:
    """A map field: in text format a repeated message of ``key`` and ``value``."""
    return [{"key": key, "value": value} for key, value in mapping.items()]


def _lines(message: Message) -> Iterator[str]:
    for name, value in message.items():
        if isinstance(value, Mapping):
            yield from _block(name, value)
        elif isinstance(value, (bool, int, str, Enum)):
            yield f"{name}: {_scalar(value)}"
        elif value and isinstance(value[0], Mapping):
            for one in value:
                assert isinstance(one, Mapping)
                yield from _block(name, one)
        elif value:
            scalars = [one for one in value if not isinstance(one, Mapping)]
            yield f"{name}: [{', '.join(map(_scalar, scalars))}]"


def _block(name: str, message: Message) -> Iterator[str]:
    inner = [INDENT + line for line in _lines(message)]
    yield from (f"{name} {{", *inner, "}") if inner else (f"{name} {{}}",)


def _scalar(value: Scalar) -> str:
    if isinstance(value, Enum):
        return value.name
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, int) else _quoted(value)


def _quoted(text: str) -> str:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        raise ValueError(
            f"{text!r} came for a configuration; text that UTF-8 can write was needed; rename it"
        ) from None
    return f'"{"".join(map(_escaped, text))}"'


def _escaped(character: str) -> str:
    if character in ESCAPES:
        return ESCAPES[character]
    return character if character >= " " and character != "\x7f" else f"\\{ord(character):03o}"
