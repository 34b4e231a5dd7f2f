"""Plain data, as read from TOML, into nested frozen dataclasses: unknown entries are refused."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, fields
from typing import Any, Literal, TypeVar, get_args, get_type_hints

from trtcolor.errors import ConfigError

Section = TypeVar("Section")


def section(kind: type[Section], entries: Any, where: str) -> Section:
    """A dataclass from a table of entries.

    Args:
        kind: whose entries are bool, int, float, str, dict, Literal of texts, tuple of fixed
            length, or such a dataclass.
        entries: the table.
        where: what to call it in an error.

    Raises:
        ConfigError: an entry is unknown, missing or of another type.
    """
    if not isinstance(entries, Mapping):
        raise ConfigError(f"{where} is {entries!r}; a table of entries was needed; mend the file")
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
    if hasattr(hint, "__dataclass_fields__"):
        return section(hint, value, where)
    choices = get_args(hint) if getattr(hint, "__origin__", None) is Literal else ()
    if choices:
        if value not in choices:
            raise ConfigError(
                f"{where} is {value!r}; one of {', '.join(choices)} was needed; mend the file"
            )
        return value
    if getattr(hint, "__origin__", None) is tuple:
        kinds = get_args(hint)
        if not isinstance(value, list | tuple) or len(value) != len(kinds):
            raise ConfigError(
                f"{where} is {value!r}; a list of {len(kinds)} values was needed; mend the file"
            )
        return tuple(_value(kind, part, where) for kind, part in zip(kinds, value, strict=True))
    kind = getattr(hint, "__origin__", hint)
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
        raise ConfigError(
            f"{where} is {value!r}; a value of type {kind.__name__} was needed; mend the file"
        )
    return value
