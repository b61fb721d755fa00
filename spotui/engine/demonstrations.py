"""Demonstrations: solved train rows as a part of the prompt, and the round that tries them.

They are text in the prompt, so that whoever takes it away takes them along. Where the prompt stands in front
of the question they are at its end; otherwise they come first, and the prompt shows the question in its slot.
"""

import random
from collections.abc import Collection, Iterator, Sequence
from typing import TYPE_CHECKING, Final

import msgspec

from spotui.domain.rows import Row, slot_names
from spotui.domain.text import count_words
from spotui.engine.layout import Layout
from spotui.engine.task import Candidate, RowOutcome, RowSet
from spotui.engine.wording import say
from spotui.lang import _, ngettext

if TYPE_CHECKING:
    from spotui.engine.engine import Engine

SETS_TRIED: Final = 4
"""Sets that the closing round of another method tries."""

TRAIN_ROWS: Final = 30
"""Train rows that are asked for right answers there, at most."""

LONGEST: Final = 4000
"""Characters of a demonstration, at most: a longer one leaves too little room for the question."""

_DRAWS: Final = 20
"""How often another set is drawn in place of one that was tried already."""

LEAD: Final = "Examples of the task with their answers:"
CLOSE: Final = "Answer the following in the same way."
"""What stands in front of the demonstrations and behind them, as the executor reads it."""

_QUESTION: Final = "{question}"


class Demonstration(msgspec.Struct, frozen=True):
    """A train row with an answer to it.

    Attributes:
        position: Of the row in its split.
        row: The row.
        answer: A right answer: the executor's, or the reference.
    """

    position: int
    row: Row
    answer: str


def solved(rows: RowSet, outcomes: Sequence[RowOutcome]) -> list[Demonstration]:
    """The rows with a full mark, each with its answer; those that cannot be shown are left out."""
    right = [one for one in outcomes if one.mark == 1]
    found = [Demonstration(one.position, rows.row(one.position), one.answer.strip()) for one in right]
    return [one for one in found if _can_be_shown(one)]


def labelled(rows: RowSet) -> list[Demonstration]:
    """The rows with a reference answer, each with the first one; those that cannot be shown are left out."""
    answered = [(position, row) for position in rows.positions if (row := rows.row(position)).references]
    found = [Demonstration(position, row, row.references[0].strip()) for position, row in answered]
    return [one for one in found if _can_be_shown(one)]


def _can_be_shown(demonstration: Demonstration) -> bool:
    """Whether a demonstration is text without anything that a prompt takes for a slot."""
    text = "\n".join([demonstration.answer, demonstration.row.asked, *demonstration.row.slots.values()])
    is_text = not (demonstration.row.files or demonstration.row.turns)
    return bool(demonstration.answer) and is_text and len(text) <= LONGEST and not slot_names(text)


def draw_sets(
    pool: Sequence[Demonstration], most: int, count: int, tried: set[tuple[int, ...]], *, seed: str
) -> Iterator[tuple[Demonstration, ...]]:
    """Sets of demonstrations, the first one as large as allowed, the others of any size and order.

    Args:
        pool: What to draw from.
        most: Demonstrations in a set, at most.
        count: How many sets; fewer where there are no more.
        tried: The positions of sets that were tried; those that are drawn are added.
        seed: The same one draws the same sets.
    """
    rng = random.Random(seed)  # noqa: S311 - reproducible on purpose
    for number in range(count):
        for _again in range(_DRAWS):
            size = min(most, len(pool)) if number == 0 else rng.randint(1, min(most, len(pool)))
            drawn = tuple(rng.sample(pool, size))
            positions = tuple(one.position for one in drawn)
            if positions not in tried:
                tried.add(positions)
                yield drawn
                break


def shown_with(
    prompt: str, demonstrations: Sequence[Demonstration], layout: Layout, language: str = ""
) -> str:
    """A prompt with demonstrations, as one text.

    Args:
        prompt: The prompt.
        demonstrations: In the order in which they are shown.
        layout: Where the prompt stands.
        language: Of the words around them.
    """
    close = say(language, CLOSE)
    slots = slot_names(prompt)
    examples = (_shown(one, slots, layout, language) for one in demonstrations)
    block = "\n\n".join([say(language, LEAD), *examples])
    if "question" not in slots and not layout.around and layout.position in ("question_end", "answer_start"):
        asked = msgspec.structs.replace(layout, demos=()).render(prompt, Row(_QUESTION))
        return f"{block}\n\n{close}\n\n{asked}"
    if slots:
        return f"{block}\n\n{close}\n\n{prompt}"
    return f"{prompt}\n\n{block}\n\n{close}".strip()


def _shown(demonstration: Demonstration, slots: Collection[str], layout: Layout, language: str) -> str:
    question, answer = ("Q: {text}", "A: {text}") if layout.labels else ("Question: {text}", "Answer: {text}")
    asked = [f"{name}: {text}" for name, text in demonstration.row.slots.items() if name in slots]
    if demonstration.row.question:
        asked.append(say(language, question, text=demonstration.row.asked))
    return "\n".join([*asked, say(language, answer, text=demonstration.answer)])


def demonstrating(
    number: int,
    base: Candidate,
    demonstrations: Sequence[Demonstration],
    layout: Layout,
    language: str = "",
) -> Candidate:
    """A candidate that is a prompt with demonstrations; the word limit is for the prompt alone."""
    prompt = shown_with(base.prompt, demonstrations, layout, language)
    own = count_words(base.prompt)
    rows = ", ".join(str(one.position + 1) for one in demonstrations)
    return Candidate(
        round=number,
        prompt=prompt,
        parent=base.round,
        modification=ngettext(
            "{n} demonstration (train row {rows}): {words} words on top of the prompt's {own}",
            "{n} demonstrations (train rows {rows}): {words} words on top of the prompt's {own}",
            len(demonstrations),
            rows=rows,
            words=count_words(prompt) - own,
            own=own,
        ),
    )


def unsolved(rows: int, *, has_references: bool) -> str:
    """Why there is no demonstration, and what to do."""
    if has_references:
        return _(
            "None of {rows} train rows is answered right by the prompt in a form that can be shown. Show "
            "reference answers (answers: both, in fewshot), or start from a better prompt.",
            rows=rows,
        )
    return _(
        "None of {rows} train rows is answered right by the prompt in a form that can be shown. Use more or "
        "easier train rows, or start from a better prompt.",
        rows=rows,
    )


async def try_demonstrations(engine: "Engine", most: int) -> None:
    """Race the best prompt against itself with solved train rows, in one more round.

    Args:
        engine: The run, whose method has done its rounds.
        most: Demonstrations in a set, at most.

    Raises:
        Halted: The run ends before.
    """
    leader = engine.leader
    if leader is None or leader.score.mean == 1:
        return
    seed, base = engine.task.seed, leader.candidate
    train = engine.rows.train.draw(TRAIN_ROWS, seed=f"{seed}/demonstrations")
    async with engine.closing_round() as turn:
        pool = solved(train, await turn.outcomes(base.prompt, train))
        if not pool:
            has_references = any(train.row(position).references for position in train.positions)
            turn.explain(unsolved(len(train), has_references=has_references))
            return
        sets = draw_sets(pool, most, SETS_TRIED, set(), seed=f"{seed}/demonstrations/sets")
        language = engine.task.language
        made = [demonstrating(turn.number, base, one, engine.layout, language) for one in sets]
        candidates = await turn.propose_several([], [], made=made)
        await turn.keep_best(await turn.challenge(candidates, engine.rows.eval))
