"""Asking a model one short question, in a process of its own."""

from collections.abc import Sequence
from typing import NamedTuple

import msgspec

from spotui.errors import SpotuiError
from spotui.tui.child import ask
from spotui.view.figures import duration


class Price(msgspec.Struct):
    """USD per million tokens."""

    input: float
    output: float


class _Told(msgspec.Struct):
    reply: str
    seconds: float
    is_priced: bool
    price: Price | None = None


class Answer(NamedTuple):
    """What came of it.

    Attributes:
        took: How long the answer took, as a person reads it.
        line: All of it on one line.
        is_priced: Whether it is known what a call costs.
    """

    took: str
    line: str
    is_priced: bool


async def probe(words: Sequence[str], key: str = "") -> Answer | None:
    """Ask as `spotui models WORDS` does.

    Args:
        words: What to ask, such as `test gpt-4o`.
        key: The key that was typed; it goes through standard input and nowhere else.

    Returns:
        The answer, or None when nobody was asked.

    Raises:
        SpotuiError: No answer came, and why.
    """
    told = await ask(["models", *words[:1], "--json", *words[1:]], stdin=f"{key}\n" if key else "")
    if told.fault:
        raise SpotuiError(told.fault)
    if not told.out.strip():
        return None
    found = msgspec.json.decode(told.out, type=_Told)
    took = duration(found.seconds)
    return Answer(took, f"It answered {found.reply[:40]!r} in {took}; {_price(found)}.", found.is_priced)


def _price(found: _Told) -> str:
    if found.price is None:
        return "what a call costs is known" if found.is_priced else "its price is unknown"
    if not found.price.input and not found.price.output:
        return "it costs nothing"
    return f"${found.price.input:g} and ${found.price.output:g} a million tokens"
