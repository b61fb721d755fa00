"""Counting words where some scripts write none between spaces, and guessing tokens where none are counted."""

import re

IDEOGRAPHS = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0002fa1f"
"""Chinese and Japanese characters, for a character class of a regular expression."""
_WORD = re.compile(rf"[{IDEOGRAPHS}]|[^\s{IDEOGRAPHS}]*[^\W{IDEOGRAPHS}][^\s{IDEOGRAPHS}]*")


def count_words(text: str) -> int:
    """How many words a person would count: a Chinese or Japanese character is one, a dash alone none."""
    return sum(1 for _ in _WORD.finditer(text))


# Tokenizers make about this of a token: characters of ASCII, bytes of anything else.
_ASCII_PER_TOKEN = 4
_BYTES_PER_TOKEN = 3


def estimate_tokens(text: str) -> int:
    """About how many tokens a model's tokenizer makes of a text; no vocabulary is loaded."""
    ascii_only = len(text.encode("ascii", "ignore"))
    beyond = len(text.encode("utf-8", "replace")) - ascii_only
    return -(-ascii_only // _ASCII_PER_TOKEN) + -(-beyond // _BYTES_PER_TOKEN)
