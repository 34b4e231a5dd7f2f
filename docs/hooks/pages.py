"""The hook of mkdocs.yml: figures are filled into pages when the site is built.

``{{ expression }}`` is Jinja over `results.result`, the tables of ``tables_*.py`` and the plots of
`plots`; what is missing ends the build. Code blocks are left as they stand but for the reasons of
`fences`.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import million
import plots
import results
import tables_colours
import tables_speed
from commands import command_reference
from fences import for_readers, prose
from jinja2 import Environment, StrictUndefined
from mkdocs.exceptions import PluginError
from stars import escaped_stars


class Missing(StrictUndefined):
    """What no result has; formatting it fails as all else does."""

    __format__ = StrictUndefined._fail_with_undefined_error


@cache
def environment() -> Environment:
    made = Environment(
        undefined=Missing,
        autoescape=False,  # Markdown comes out, HTML is made of it later
        comment_start_string="{##",  # `{#anchor}` is Markdown's
        keep_trailing_newline=True,
    )
    made.globals |= {"result": results.result, "table": results.table}
    made.globals["command_reference"] = command_reference
    made.globals |= tables_speed.TABLES | tables_colours.TABLES | plots.PLOTS | million.TABLES
    made.filters |= results.FILTERS
    return made


def filled(text: str) -> str:
    """A page with its figures in place.

    Raises:
        jinja2.UndefinedError, LookupError, OSError: for what no result has.
    """
    parts = [(code, part if code else escaped_stars(part)) for code, part in prose(text)]
    template = "".join("\0" if code else part for code, part in parts)
    rendered = environment().from_string(template).render().split("\0")
    codes = [part for code, part in parts if code] + [""]
    return "".join(a + b for a, b in zip(rendered, codes, strict=True))


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
    try:
        return for_readers(filled(markdown))
    except Exception as error:
        raise PluginError(f"{page.file.src_path}: {type(error).__name__}: {error}") from error
