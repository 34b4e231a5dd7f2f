"""What a command says while it is at work."""

from __future__ import annotations

import pytest

from trtcolor.cli.bar import Bar


def test_a_sentence_is_one_line_that_no_terminal_obeys(capsys: pytest.CaptureFixture[str]) -> None:
    Bar().say("new\nline \x1b[2J \udcff \u202e é 写真.png cannot be read", "failed")
    said = capsys.readouterr().err
    assert said == "failed: new\\nline \\x1b[2J \\udcff \\u202e é 写真.png cannot be read\n"
