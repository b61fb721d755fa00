"""Forced decoding: makes a model write a given answer, to read how likely it finds every token of it.

The judge by likelihood asks for each answer:

    Request(model=..., messages=..., temperature=0.0, grammar=literal_grammar(answer), logprobs=True)

The log-probabilities of the reply are those of the model without the grammar, one for every token of the
answer; characters that take several tokens, as some emoji do, count as one token.
"""

import re
from typing import Final

_RULE: Final = "root ::= "

# Everything that could end the literal, or that a line-based reader would break at, as its code point.
_UNSAFE = re.compile(r'["\\\x00-\x1f\x7f-\x9f\u2028\u2029\ufeff]')
_ESCAPE = re.compile(r"\\U([0-9A-F]{8})")


def literal_grammar(text: str) -> str:
    """A GBNF grammar that allows this text and nothing else.

    Args:
        text: What must be written; lone surrogates become U+FFFD, as no reply can hold one.
    """
    return _RULE + literal(text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace"))


def literal(text: str) -> str:
    """A text as it stands in a grammar, in quotes."""
    safe = _UNSAFE.sub(lambda found: f"\\U{ord(found[0]):08X}", text)
    return f'"{safe}"'


def literal_text(grammar: str) -> str | None:
    """The text of a grammar that `literal_grammar` made, or None for any other grammar."""
    body = grammar.removeprefix(_RULE)[1:-1]
    text = _ESCAPE.sub(lambda found: chr(int(found[1], 16)), body)
    return text if literal_grammar(text) == grammar else None
