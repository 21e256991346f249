"""How errors look."""

from __future__ import annotations

from runner.cli.display import caret_line, excerpt


def test_a_caret_stands_under_its_column_after_tabs_and_wide_letters() -> None:
    assert caret_line("\t'表' x", 6) == "\t     ^"
    assert caret_line("e\u0301 x", 4) == "  ^"


def test_an_excerpt_shows_the_line_before() -> None:
    assert excerpt("SELECT 1,\nFROM;", 2, 1) == [" 1 | SELECT 1,", " 2 | FROM;", "   | ^"]
