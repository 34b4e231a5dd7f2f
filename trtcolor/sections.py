"""Plain data, as read from TOML, into nested frozen dataclasses: unknown entries are refused."""

from __future__ import annotations

import reprlib
from collections.abc import Mapping
from dataclasses import MISSING, fields
from types import NoneType, UnionType
from typing import Any, Literal, TypeVar, get_args, get_type_hints

from trtcolor.errors import ConfigError

Section = TypeVar("Section")
LARGEST_INTEGER = 1 << 53
"""Up to it a float holds every integer."""


def section(kind: type[Section], entries: Any, where: str) -> Section:
    """A dataclass from a table of entries.

    Args:
        kind: whose entries are bool, int, float, str, dict, Literal of texts, tuple of fixed or
            of any length, mapping of texts to one kind, one of these or None, such a dataclass,
            or a class that makes itself of a text by ``parse``.
        entries: the table.
        where: what to call it in an error.

    Raises:
        ConfigError: an entry is unknown, missing or of another type.
    """
    if not isinstance(entries, Mapping):
        raise ConfigError(
            f"{where} is {_short(entries)}; a table of entries was needed; mend the file"
        )
    hints = get_type_hints(kind)
    unknown = sorted(set(entries) - set(hints))
    if unknown:
        raise ConfigError(
            f"{where} has unknown entries {', '.join(unknown)}; only {', '.join(hints)} were "
            "needed; mend the file"
        )
    values = {
        name: _value(hints[name], value, f"{where}: {name}") for name, value in entries.items()
    }
    required = {
        entry.name
        for entry in fields(kind)  # type: ignore[arg-type]
        if entry.default is MISSING and entry.default_factory is MISSING
    }
    missing = sorted(required - set(entries))
    if missing:
        raise ConfigError(
            f"{where} lacks an entry that has no default ({', '.join(missing)}); mend the file"
        )
    return kind(**values)


def _value(hint: Any, value: Any, where: str) -> Any:
    if isinstance(hint, UnionType):
        (wanted,) = (kind for kind in get_args(hint) if kind is not NoneType)
        return None if value is None else _value(wanted, value, where)
    if hasattr(hint, "parse"):
        return _parsed(hint, value, where)
    if hasattr(hint, "__dataclass_fields__"):
        return section(hint, value, where)
    choices = get_args(hint) if getattr(hint, "__origin__", None) is Literal else ()
    if choices:
        if value not in choices:
            raise ConfigError(
                f"{where} is {_short(value)}; one of {', '.join(choices)} was needed; mend the file"
            )
        return value
    if getattr(hint, "__origin__", None) is tuple:
        kinds = get_args(hint)
        if kinds[-1] is Ellipsis and isinstance(value, list | tuple):
            kinds = kinds[:1] * len(value)
        if not isinstance(value, list | tuple) or len(value) != len(kinds):
            long = "values" if kinds[-1] is Ellipsis else f"{len(kinds)} values"
            raise ConfigError(
                f"{where} is {_short(value)}; a list of {long} was needed; mend the file"
            )
        return tuple(_value(kind, part, where) for kind, part in zip(kinds, value, strict=True))
    kind = getattr(hint, "__origin__", hint)
    if kind is Mapping and get_args(hint)[1] is not Any and isinstance(value, Mapping):
        of = get_args(hint)[1]
        return {name: _value(of, part, f"{where}: {name}") for name, part in value.items()}
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
        value = float(value) if abs(value) <= LARGEST_INTEGER else value
    if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
        raise ConfigError(
            f"{where} is {_short(value)}; a value of type {kind.__name__} was needed; mend the file"
        )
    return value


def _parsed(kind: Any, value: Any, where: str) -> Any:
    if not isinstance(value, str):
        raise ConfigError(f"{where} is {_short(value)}; a text was needed; mend the file")
    try:
        return kind.parse(value)
    except ValueError as error:
        raise ConfigError(f"{where}: {error}") from None


def _short(value: Any) -> str:
    """A value as a sentence may quote it, however long or deep it is."""
    quote = reprlib.Repr()
    quote.maxstring = quote.maxother = quote.maxlong = 200
    return quote.repr(value)
