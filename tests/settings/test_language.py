"""The language that was typed."""

import pytest

from spotui.settings.language import typed_language


@pytest.mark.parametrize(
    ("words", "language"),
    [
        ([], ""),
        (["list"], ""),
        (["--lang", "zh", "list"], "zh"),
        (["list", "--lang=zh"], "zh"),
        (["--lang=en", "--lang", "zh"], "zh"),
        (["list", "--lang"], ""),
        (["list", "--", "--lang=zh"], ""),
    ],
)
def test_the_last_flag_counts(words: list[str], language: str) -> None:
    assert typed_language(words) == language
