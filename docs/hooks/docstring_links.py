"""Names in single backticks of docstrings become links to where what they name is documented."""

from __future__ import annotations

import re
from typing import Any

import griffe
from stars import escaped_stars

_NAME = re.compile(r"(?<![`\w])`([A-Za-z_][\w.]*)`(?!`)")
_PACKAGES = ("trtcolor", "trtcolor_train")


class DocstringLinks(griffe.Extension):
    """Of a package, once all of it is read."""

    def on_package(self, *, pkg: griffe.Module, **_: Any) -> None:
        self._link(pkg)

    def _link(self, found: griffe.Object) -> None:
        if found.docstring is not None:
            text = escaped_stars(found.docstring.value)
            found.docstring.value = _NAME.sub(lambda match: _linked(found, match[1]), text)
        for member in found.members.values():
            if not member.is_alias:
                self._link(member)


def _linked(found: griffe.Object, name: str) -> str:
    """The name as an optional reference; code alone where it names nothing of ours."""
    first, dot, rest = name.partition(".")
    try:
        path = name if first in _PACKAGES else found.resolve(first) + dot + rest
    except griffe.NameResolutionError:
        return f"`{name}`"
    if path.partition(".")[0] not in _PACKAGES:
        return f"`{name}`"
    return f'<autoref optional identifier="{path}"><code>{name}</code></autoref>'
