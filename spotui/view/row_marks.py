"""Row by row: what became of it with the seed, with the best before, and with a candidate."""

from collections.abc import Mapping, Sequence
from typing import Literal, NamedTuple

from spotui.dataset import Row
from spotui.view.figures import plural
from spotui.view.passage import Part, Passage
from spotui.view.tried_prompts import Prompt
from spotui.workspace.lines import CallKey

Verdict = Literal["won", "lost", "same", "not compared"]

_ORDER: tuple[Verdict, ...] = ("won", "lost", "same", "not compared")
_LONGEST = 1000
"""Characters of an answer that are shown; a thousand rows have answers of three prompts each."""


class Tally(NamedTuple):
    """Rows that a prompt won and lost against another."""

    won: int
    lost: int


def tally(prompt: Prompt, against: Prompt) -> Tally:
    """How many rows a prompt answers better than another, and how many worse."""
    verdicts = [_verdict(prompt, against, position) for position in prompt.marks]
    return Tally(verdicts.count("won"), verdicts.count("lost"))


def answer_keys(prompt: Prompt) -> list[CallKey]:
    """The calls that hold a prompt's answers and what the evaluator said of them."""
    if prompt.scored is None or not prompt.scored.asked:
        return []
    return [
        _key(prompt, purpose, position)
        for position in prompt.marks
        for purpose in ("score_eval", "mark_eval")
    ]


def read_rows(
    prompts: Sequence[Prompt], rows: Sequence[Row], replies: Mapping[CallKey, str]
) -> list[Passage]:
    """Every row that the last prompt was asked: those it won first, then those it lost.

    Args:
        prompts: From the one to be compared with to the one that is looked at, without any twice.
        rows: Of the split.
        replies: What models replied, as far as it is known.
    """
    if not prompts:
        return []
    shown, before = prompts[-1], prompts[-2] if len(prompts) > 1 else None
    found = [
        (_verdict(shown, before, position) if before else "not compared", position)
        for position in shown.marks
    ]
    found.sort(key=lambda one: (_ORDER.index(one[0]), shown.marks[one[1]] or 0.0, one[1]))
    return [_row(verdict, position, prompts, rows, replies) for verdict, position in found]


def in_words(prompt: Prompt, against: Prompt) -> str:
    """How a prompt compares with another, row by row."""
    won, lost = tally(prompt, against)
    return f"{plural(won, 'row')} won, {lost} lost"


def _row(
    verdict: Verdict,
    position: int,
    prompts: Sequence[Prompt],
    rows: Sequence[Row],
    replies: Mapping[CallKey, str],
) -> Passage:
    row = rows[position] if position < len(rows) else None
    parts = []
    if row is not None:
        slots = [f"{name}: {text}" for name, text in row.slots.items()]
        parts.append(Part("", "\n".join(filter(None, [row.question.strip(), *slots]))))
        if row.references:
            parts.append(Part("expected", " | ".join(row.references)))
    for prompt in prompts:
        if position in prompt.marks:
            reply = replies.get(_key(prompt, "score_eval", position))
            text = "…" if reply is None else _cut(reply)
            if reason := _reason(replies.get(_key(prompt, "mark_eval", position), "")):
                text += f"\nEvaluator: {reason}"
            parts.append(Part(f"{prompt.name}  {_mark(prompt.marks[position])}", text))
    facts = "   ".join(f"{one.name} {_mark(one.marks[position])}" for one in prompts if position in one.marks)
    tone: Literal["win", "loss", "plain"] = {"won": "win", "lost": "loss"}.get(verdict, "plain")  # type: ignore[assignment]
    said = "" if verdict == "not compared" else f"  {verdict}"
    return Passage(f"row {position + 1}{said}", facts, tuple(parts), tone)


def _verdict(prompt: Prompt, against: Prompt, position: int) -> Verdict:
    mine, theirs = prompt.marks.get(position), against.marks.get(position)
    if mine is None or theirs is None:
        return "not compared"
    return "won" if mine > theirs else "lost" if mine < theirs else "same"


def _key(prompt: Prompt, purpose: str, position: int) -> CallKey:
    assert prompt.scored is not None  # noqa: S101 - it has marks
    return CallKey(prompt.scored.asked, purpose, prompt.scored.first + position)


def _mark(mark: float | None) -> str:
    return "errored" if mark is None else f"{mark:.3g}"


def _cut(text: str) -> str:
    text = text.strip()
    if len(text) <= _LONGEST:
        return text
    return f"{text[:_LONGEST]}… ({len(text):,} characters)"


def _reason(reply: str) -> str:
    from spotui.tags import last_tagged

    return " ".join((last_tagged(reply, "reason") or "").split())
