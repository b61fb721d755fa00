"""The prompts of a scored round: each with its rows, its marks, and what the optimizer was shown."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal, NamedTuple

from spotui.domain.events import BlockShown, CandidateScored, PastShown
from spotui.domain.figures import change_in_words
from spotui.domain.records import CallKey
from spotui.domain.rows import Row
from spotui.lang import N_, _, ngettext
from spotui.view.picture import Picture, RoundPicture
from spotui.view.round_entries import item_line, past_line
from spotui.view.traces import NO_TRACES, brief_trace

Tone = Literal["plain", "heading", "best", "win", "loss", "tie", "void"]


class Part(NamedTuple):
    """One text of a passage.

    Attributes:
        name: What it is.
        text: The text, whole.
        before: What it was made from, where the change is of interest.
    """

    name: str
    text: str
    before: str | None = None


class Passage(NamedTuple):
    """A title with its facts, and the texts below it."""

    title: str
    facts: str = ""
    parts: tuple[Part, ...] = ()
    tone: Tone = "plain"


@dataclass(frozen=True)
class Prompt:
    """A prompt with what it scored.

    Attributes:
        name: What it is called in its round.
        text: The prompt.
        scored: Its score; None as long as it has none.
        modification: What was changed, one sentence.
        reasoning: Why.
        words_changed: Of the prompt it was made from.
        parents: The rounds that it was made from, the one it is compared with first.
        marks: By the row's position in the split.
    """

    name: str
    text: str
    scored: CandidateScored | None = None
    modification: str = ""
    reasoning: str = ""
    words_changed: int | None = None
    parents: tuple[int, ...] = ()
    marks: Mapping[int, float | None] = field(default_factory=dict)


def read_prompts(picture: Picture, number: int) -> list[Prompt]:
    """The prompts of a round: the candidates, the best first, then the best before it and the seed.

    Args:
        picture: The run.
        number: The round.
    """
    one = picture.rounds.get(number)
    if one is None:
        return []
    own = [_own(picture, one, text) for text in dict.fromkeys([*one.scores.proposed, *one.scores.by_prompt])]
    own.sort(key=_rank)
    return own + [
        known
        for known in (the_best(picture, number), the_seed(picture))
        if known is not None and known.text not in {prompt.text for prompt in own}
    ]


def the_best(picture: Picture, number: int) -> Prompt | None:
    """The prompt that a round's candidates had to beat; None for the seed round."""
    one = picture.rounds.get(number)
    if one is None or not one.best or one.best == 1:
        return None
    return _known(picture, _("round {best}, the best", best=one.best), picture.prompt_of(one.best))


def the_seed(picture: Picture) -> Prompt | None:
    """The prompt that the run started from."""
    return _known(picture, _("seed"), picture.prompt_of(1)) if picture.prompt_of(1) else None


def _own(picture: Picture, shown: RoundPicture, text: str) -> Prompt:
    scored = shown.scores.by_prompt.get(text)
    proposed = shown.scores.proposed.get(text)
    if proposed is None:
        known = _known(picture, "", text)
        is_best = shown.best > 1 and text == picture.prompt_of(shown.best)
        is_old = any(
            text in other.scores.by_prompt for n, other in picture.rounds.items() if n < shown.number
        )
        name = _("the best") if is_best else _("earlier prompt") if is_old else _("prompt")
        name = _("seed") if text == picture.prompt_of(1) else name
        return Prompt(
            name,
            text,
            scored,
            modification=known.modification,
            marks=known.marks,
        )
    name = _("written by hand") if proposed.edited else _("candidate {number}", number=proposed.index + 1)
    return Prompt(
        name,
        text,
        scored,
        proposed.modification,
        proposed.reasoning,
        proposed.words_changed,
        (proposed.parent, *proposed.other_parents),
        _marks(scored),
    )


def _known(picture: Picture, name: str, text: str) -> Prompt:
    """A prompt with its score on the most rows, whichever round brought it."""
    scores = [
        found
        for _, one in sorted(picture.rounds.items())
        if (found := one.scores.by_prompt.get(text)) is not None
    ]
    best = max(scores, key=lambda one: len(one.marks), default=None)
    return Prompt(name, text, best, best.modification if best is not None else "", marks=_marks(best))


def _marks(scored: CandidateScored | None) -> dict[int, float | None]:
    if scored is None:
        return {}
    positions = scored.positions or range(len(scored.marks))
    return dict(zip(positions, scored.marks, strict=False))


def _rank(prompt: Prompt) -> tuple[int, float, int]:
    if prompt.scored is None:
        return (1, 0.0, 0)
    return (-len(prompt.scored.marks), -prompt.scored.score, len(prompt.text))


def read_shown(picture: Picture, number: int) -> list[Passage]:
    """Past prompts with similarity and score, edit budget, notes and blocks of a round.

    Args:
        picture: The run.
        number: The round.
    """
    one = picture.rounds.get(number)
    if number == 1:
        return [Passage(_("The seed round proposes nothing: it scores the seed prompt."))]
    if one is None or not (one.scores.shown or one.scores.notes or one.scores.blocks):
        return [Passage(_("Nothing is known of what the optimizer was shown in this round."))]
    found = [*_notes(picture, number)]
    if one.scores.shown is not None:
        found += _past(picture, one.scores.shown)
    for block in one.scores.blocks.values():
        found += _block(block)
    return found


def read_prompt(picture: Picture, prompt: Prompt) -> list[Passage]:
    """One prompt, whole: what it changes, and why."""
    parts = [Part(_("modification"), prompt.modification)] if prompt.modification else []
    if prompt.reasoning:
        parts.append(Part(_("reasoning"), prompt.reasoning))
    parts.append(Part(_("prompt"), prompt.text))
    befores = [(parent, picture.prompt_of(parent)) for parent in prompt.parents]
    parts += [
        Part(_("against {origin}", origin=_round(parent)), prompt.text, before)
        for parent, before in befores
        if before and before != prompt.text
    ]
    changed = "" if prompt.words_changed is None else change_in_words(prompt.words_changed)
    return [Passage(prompt.name, changed, tuple(parts), "heading")]


def _past(picture: Picture, shown: PastShown) -> Iterator[Passage]:
    budget = (
        _("no edit budget")
        if shown.edit_budget is None
        else ngettext("edit budget {n:,} word", "edit budget {n:,} words", shown.edit_budget)
    )
    current = Part("", picture.prompt_of(shown.current))
    yield Passage(
        _("Current prompt: {current}", current=_round(shown.current)), budget, (current,), "heading"
    )
    if not shown.past:
        yield Passage(_("No earlier prompt was shown."))
    for past in shown.past:
        yield Passage(past_line(past), "", (Part("", past.text),))


def _notes(picture: Picture, number: int) -> Iterator[Passage]:
    notes = picture.rounds[number].scores.notes
    counts: dict[tuple[str, str], int] = {}
    for prompt in dict.fromkeys(note.prompt for note in notes):
        if prompt:
            yield Passage(_("What was learned of this prompt"), "", (Part("", prompt),), "heading")
        own = [note for note in notes if note.prompt == prompt]
        order = list(dict.fromkeys(note.what for note in own))
        for note in sorted(own, key=lambda one: (order.index(one.what), one.index)):
            counts[prompt, note.what] = nth = counts.get((prompt, note.what), 0) + 1
            several = sum(one.what == note.what for one in own) > 1
            title = f"{note.what} {nth}" if several else note.what
            yield Passage(title, "", (Part("", note.text or _("Nothing was written.")),))


def _block(block: BlockShown) -> Iterator[Passage]:
    yield Passage(f"{block.name}: {block.title}", f"{len(block.items):,}", tone="heading")
    for one in block.items:
        rows = ngettext("{n:,} row", "{n:,} rows", one.rows) if one.rows else ""
        yield Passage(item_line(one), rows, (Part("", one.text),))


def _round(number: int) -> str:
    return _("the seed") if number == 1 else _("round {number}", number=number)


RowVerdict = Literal["won", "lost", "same", "not compared"]

_ORDER: tuple[RowVerdict, ...] = ("won", "lost", "same", "not compared")
_VERDICTS: Final[Mapping[str, str]] = {
    "won": N_("won"),
    "lost": N_("lost"),
    "same": N_("same"),
    "not compared": N_("not compared"),
}
_LONGEST = 1000
"""Characters of an answer that are shown; a thousand rows have answers of three prompts each."""
_TRACE_LINES = 12


class Tally(NamedTuple):
    """Rows that a prompt won and lost against another."""

    won: int
    lost: int


def tally(prompt: Prompt, against: Prompt) -> Tally:
    """How many rows a prompt answers better than another, and how many worse."""
    verdicts = [_verdict(prompt, against, position) for position in prompt.marks]
    return Tally(verdicts.count("won"), verdicts.count("lost"))


def gain_of(prompt: Prompt, against: Prompt) -> float | None:
    """The mean difference of marks on the rows that both have one for, -1..1; None without such a row."""
    pairs = [
        (mine, theirs)
        for position, mine in prompt.marks.items()
        if mine is not None and (theirs := against.marks.get(position)) is not None
    ]
    return sum(mine - theirs for mine, theirs in pairs) / len(pairs) if pairs else None


def row_marks(prompt: Prompt, against: Prompt) -> list[RowVerdict]:
    """What became of each row of a prompt against another, in the order of the rows."""
    return [_verdict(prompt, against, position) for position in sorted(prompt.marks)]


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
    prompts: Sequence[Prompt],
    rows: Sequence[Row],
    replies: Mapping[CallKey, str],
    traces: Mapping[CallKey, Sequence[str]] = NO_TRACES,
) -> list[Passage]:
    """Every row that the last prompt was asked: those it won first, then those it lost.

    Args:
        prompts: From the one to be compared with to the one that is looked at, without any twice.
        rows: Of the split.
        replies: What models replied, as far as it is known.
        traces: What programs reported of their answers.
    """
    if not prompts:
        return []
    shown, before = prompts[-1], prompts[-2] if len(prompts) > 1 else None
    found = [
        (_verdict(shown, before, position) if before else "not compared", position)
        for position in shown.marks
    ]
    found.sort(key=lambda one: (_ORDER.index(one[0]), shown.marks[one[1]] or 0.0, one[1]))
    return [_row(verdict, position, prompts, rows, replies, traces) for verdict, position in found]


def in_words(prompt: Prompt, against: Prompt) -> str:
    """How a prompt compares with another, row by row."""
    won, lost = tally(prompt, against)
    return ngettext("{n:,} row won, {lost:,} lost", "{n:,} rows won, {lost:,} lost", won, lost=lost)


def _row(
    verdict: RowVerdict,
    position: int,
    prompts: Sequence[Prompt],
    rows: Sequence[Row],
    replies: Mapping[CallKey, str],
    traces: Mapping[CallKey, Sequence[str]],
) -> Passage:
    row = rows[position] if position < len(rows) else None
    parts = []
    if row is not None:
        slots = [f"{name}: {text}" for name, text in row.slots.items()]
        parts.append(Part("", "\n".join(filter(None, [row.asked.strip(), *slots]))))
        if row.references:
            parts.append(Part(_("expected"), " | ".join(row.references)))
    for prompt in prompts:
        if position in prompt.marks:
            reply = replies.get(_key(prompt, "score_eval", position))
            text = "…" if reply is None else _cut(reply)
            if reason := _reason(replies.get(_key(prompt, "mark_eval", position), "")):
                text += "\n" + _("Evaluator: {reason}", reason=reason)
            parts.append(Part(f"{prompt.name}  {_mark(prompt.marks[position])}", text))
            if trace := brief_trace(traces, _key(prompt, "score_eval", position), _TRACE_LINES):
                parts.append(Part(_("trace of {prompt}", prompt=prompt.name), trace))
    facts = "   ".join(f"{one.name} {_mark(one.marks[position])}" for one in prompts if position in one.marks)
    tone: Literal["win", "loss", "plain"] = {"won": "win", "lost": "loss"}.get(verdict, "plain")  # type: ignore[assignment]
    title = _("row {number}", number=position + 1)
    if verdict in _VERDICTS:
        title = f"{title}  {_(_VERDICTS[verdict])}"
    return Passage(title, facts, tuple(parts), tone)


def _verdict(prompt: Prompt, against: Prompt, position: int) -> RowVerdict:
    mine, theirs = prompt.marks.get(position), against.marks.get(position)
    if mine is None or theirs is None:
        return "not compared"
    return "won" if mine > theirs else "lost" if mine < theirs else "same"


def _key(prompt: Prompt, purpose: str, position: int) -> CallKey:
    assert prompt.scored is not None  # noqa: S101 - it has marks
    return CallKey(prompt.scored.asked, purpose, prompt.scored.first + position)


def _mark(mark: float | None) -> str:
    return _("errored") if mark is None else f"{mark:.3g}"


def _cut(text: str) -> str:
    text = text.strip()
    if len(text) <= _LONGEST:
        return text
    return _("{text}… ({length:,} characters)", text=text[:_LONGEST], length=len(text))


def _reason(reply: str) -> str:
    from spotui.domain.tags import read_form

    return " ".join(read_form(reply, "reason", "score").get("reason", "").split())
