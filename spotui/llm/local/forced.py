"""Forced decoding: makes a model write a given answer, to read how likely it finds every token of it.

The judge by likelihood asks for each answer:

    Request(model=..., messages=(requirement and question,), temperature=0.0,
            grammar=literal_grammar(answer), logprobs=True, max_tokens=64)

and compares the means of `Reply.logprobs`. They are those of the model without the grammar, one for every
token of the answer. `max_tokens` judges by the beginning alone: the reply then ends with the reason `length`,
which is no fault here.
"""

import re
from typing import Final

_START: Final = 'root ::= "'
_END: Final = '"'

# Everything that could end the literal, or that a line-based reader would break at, as its code point.
_UNSAFE = re.compile(r'["\\\x00-\x1f\x7f-\x9f\u2028\u2029\ufeff]')
_ESCAPE = re.compile(r"\\U([0-9A-F]{8})")


def literal_grammar(text: str) -> str:
    """A GBNF grammar that allows this text and nothing else.

    Args:
        text: What must be written; lone surrogates become U+FFFD, as no reply can hold one.
    """
    whole = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return _START + _UNSAFE.sub(lambda found: f"\\U{ord(found[0]):08X}", whole) + _END


def literal_text(grammar: str) -> str | None:
    """The text of a grammar that `literal_grammar` made, or None for any other grammar."""
    if not (grammar.startswith(_START) and grammar.endswith(_END)):
        return None
    body = grammar[len(_START) : -len(_END)]
    text = _ESCAPE.sub(lambda found: chr(int(found[1], 16)), body)
    return text if literal_grammar(text) == grammar else None
