"""The tokens of a template's texts, counted in a process of its own."""

from pathlib import Path

import msgspec

from spotui.checking import check
from spotui.tui.child import ask


class _Row(msgspec.Struct):
    question: int
    answer: int


class _Tokens(msgspec.Struct):
    prompt: int
    requirements: int
    qa: list[_Row]


class _Told(msgspec.Struct):
    tokens: _Tokens | None = None


async def count_texts(path: Path, text: str) -> dict[str, int]:
    """Count the tokens of every text of a template file.

    Args:
        path: The file.
        text: What it held a moment ago.

    Returns:
        The tokens of each text; nothing when the file is another by now, or cannot be read.
    """
    told = await ask(["check", str(path), "--json"])
    try:
        tokens = msgspec.json.decode(told.out, type=_Told).tokens
    except msgspec.DecodeError:
        return {}
    template = check(text).template
    if tokens is None or template is None or len(tokens.qa) != len(template.qa):
        return {}
    counted = {template.prompt: tokens.prompt, template.requirements: tokens.requirements}
    for row, counts in zip(template.qa, tokens.qa, strict=True):
        counted |= {row.question: counts.question, row.answer: counts.answer}
    return counted
