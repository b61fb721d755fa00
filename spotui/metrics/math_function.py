"""Compares mathematical expressions with math-verify; runs in the process of a metric, never in ours.

The answers are text of a model: a power tower in one of them must take neither our time nor our memory.
"""

import logging
import re
import resource
from functools import cache
from typing import Any

from math_verify import parse, verify

from spotui.domain.rows import Row
from spotui.lang import _

_SECONDS = 3
_EDGE = re.compile(
    r"(?<=[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7a3])(?=[-\d])|(?<=\d)(?=[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7a3])"
)
"""Between a number and a script without spaces, where math-verify wants a space."""
_BYTES = 2 * 1024**3

logging.disable(logging.CRITICAL)
resource.setrlimit(resource.RLIMIT_AS, (_BYTES, resource.getrlimit(resource.RLIMIT_AS)[1]))


def equivalent(answer: str, row: Row) -> bool:
    """Whether an answer comes to an expression that is equivalent to any reference."""
    expected = [found for one in row.references if (found := _reference(one))]
    if not expected:
        raise ValueError(
            _(
                "no answer of the row is a mathematical expression: {reference}",
                reference=row.references[0][:40],
            )
        )
    found = parse(_EDGE.sub(" ", answer), parsing_timeout=_SECONDS)
    return any(verify(one, found, timeout_seconds=_SECONDS) for one in expected)


@cache
def _reference(text: str) -> list[Any]:
    """A reference, which is an expression from beginning to end."""
    text = text.rpartition("####")[2].strip()
    is_marked = any(mark in text for mark in ("$", r"\boxed", r"\[", r"\("))
    found: list[Any] = parse(text if is_marked else f"${text}$", parsing_timeout=_SECONDS)
    return found
