"""Counting words where some scripts write none between spaces."""

import re

_IDEOGRAPH = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0002fa1f"
_WORD = re.compile(rf"[{_IDEOGRAPH}]|[^\s{_IDEOGRAPH}]*[^\W{_IDEOGRAPH}][^\s{_IDEOGRAPH}]*")


def count_words(text: str) -> int:
    """How many words a person would count: a Chinese or Japanese character is one, a dash alone none."""
    return sum(1 for _ in _WORD.finditer(text))
