"""Counting words where some scripts write none between spaces."""

import re

IDEOGRAPHS = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0002fa1f"
"""Chinese and Japanese characters, for a character class of a regular expression."""
_WORD = re.compile(rf"[{IDEOGRAPHS}]|[^\s{IDEOGRAPHS}]*[^\W{IDEOGRAPHS}][^\s{IDEOGRAPHS}]*")


def count_words(text: str) -> int:
    """How many words a person would count: a Chinese or Japanese character is one, a dash alone none."""
    return sum(1 for _ in _WORD.finditer(text))
