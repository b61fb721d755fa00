"""Expressions that are compiled at their first use find what compiled ones find."""

import re

from hypothesis import given
from hypothesis import strategies as st

from spotui.domain.lazy_pattern import LazyPattern

PATTERN = r"(a+)(b)?"


@given(text=st.text(alphabet="ABab ", max_size=12), start=st.integers(0, 4))
def test_it_finds_what_the_compiled_expression_finds(text: str, start: int) -> None:
    lazy, compiled = LazyPattern(PATTERN, re.IGNORECASE), re.compile(PATTERN, re.IGNORECASE)
    for method in ("search", "match"):
        found, wanted = getattr(lazy, method)(text, start), getattr(compiled, method)(text, start)
        assert (found and found.span()) == (wanted and wanted.span())
    assert bool(lazy.fullmatch(text)) == bool(compiled.fullmatch(text))
    assert [one.span() for one in lazy.finditer(text)] == [one.span() for one in compiled.finditer(text)]
    assert lazy.findall(text) == compiled.findall(text)
    assert lazy.split(text) == compiled.split(text)
    assert lazy.sub(r"<\1>", text) == compiled.sub(r"<\1>", text)


def test_nothing_is_compiled_before_it_is_used() -> None:
    broken = LazyPattern("(")
    try:
        broken.search("")
    except re.error:
        return
    raise AssertionError("a broken expression was used")
