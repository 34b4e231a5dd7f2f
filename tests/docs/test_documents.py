"""Blocks are told apart, figures filled in, and what was printed is held against the page."""

from __future__ import annotations

import pytest
from documents import matches, missing
from fences import blocks, for_readers
from jinja2 import UndefinedError
from pages import filled
from stars import escaped_stars

TOLD = "a.png  1.20 s\nb.png 12 failed"


def test_three_dots_stand_for_anything() -> None:
    assert matches("a...failed", TOLD)
    assert not matches("a...coloured", TOLD)


def test_only_numbers_that_vary_may_differ() -> None:
    other = "a.png  0.9 s\nb.png  7 failed"
    assert not matches(TOLD, other)
    assert matches(TOLD, other, numbers=False)
    assert not matches(TOLD, other.replace("failed", "coloured"), numbers=False)
    assert not matches(TOLD, other.replace("0.9", "no"), numbers=False)


def test_a_figure_that_no_result_has_ends_the_build() -> None:
    assert filled('{{ result("film-speed.json").medians.ratio | number(2) }}') != ""
    with pytest.raises(UndefinedError):
        filled('{{ result("film-speed.json").medians.nothing | number(2) }}')
    with pytest.raises(FileNotFoundError):
        filled('{{ result("nothing.json") }}')


def test_the_stars_of_colour_are_no_emphasis() -> None:
    assert escaped_stars("L* and a*b*, `a*b*`, *so* 2*a") == r"L\* and a\*b\*, `a*b*`, *so* 2*a"


def test_code_is_left_as_it_stands() -> None:
    text = "```python\nf'{{1}}'\n```\n"
    assert filled(text) == text


def test_a_reader_sees_why_a_block_is_not_run() -> None:
    text = '```bash needs="an NVIDIA GPU"\ntrue\n```\n<!-- test:bash\nfalse\n-->\n'
    shown = for_readers(text)
    assert shown.startswith('```bash title="not run by the tests: needs an NVIDIA GPU"\n')
    assert "false" not in shown


def test_a_block_without_a_language_or_a_reason_is_refused() -> None:
    with pytest.raises(ValueError, match="without a language"):
        blocks("```\ntrue\n```\n")
    with pytest.raises(ValueError, match="gives no reason"):
        blocks('```bash needs=""\ntrue\n```\n')


def test_what_a_block_lacks_is_named() -> None:
    (block,) = blocks('```python with="json bash no-such-program avdec_no_such_codec"\npass\n```\n')
    assert missing(block) == ["no-such-program", "avdec_no_such_codec"]
