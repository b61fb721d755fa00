"""The nearest word."""

import pytest

from spotui.domain.errors import nearest


@pytest.mark.parametrize(
    ("word", "meant"),
    [
        ("requirments", "requirements"),
        ("Base-URL", "base_url"),
        ("COUNT", "count"),
        ("colour", None),
        ("", None),
        ("x" * 100_000, None),
    ],
)
def test_a_likely_typo_finds_its_word(word: str, meant: str | None) -> None:
    assert nearest(word, ["requirements", "base_url", "count"]) == meant


def test_nothing_is_near_to_nothing() -> None:
    assert nearest("count", []) is None


def test_letters_in_another_order_come_first() -> None:
    assert nearest("modle", ["mode", "model"]) == "model"
