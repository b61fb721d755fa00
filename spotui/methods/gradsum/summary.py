"""Gradients and their summary: GRAD-SUM's contribution (arXiv 2407.12865, modules 3 and 4)."""

from collections.abc import Sequence
from itertools import count

from spotui.engine import Engine, RowOutcome, RowSet, ScoredRound, together
from spotui.events import NoteWritten
from spotui.methods.prompt_texts import fenced, shown, shown_input, shown_references

MOST_SUMMARIES = 10_000
"""Calls that one prompt of the beam may take for its summaries; their indices are kept apart by it."""


class Summarizer:
    """Says what has to change in one prompt of the beam.

    Args:
        engine: The run.
        turn: The round.
        member: The prompt's place in the beam, from 0.
        prompt: The prompt.
        limit: Characters of gradients that one summary is made of.
    """

    def __init__(self, engine: Engine, turn: ScoredRound, member: int, prompt: str, limit: int) -> None:
        self._engine = engine
        self._turn = turn
        self._member = member
        self._prompt = prompt
        self._limit = limit
        self._summaries = count(member * MOST_SUMMARIES)

    async def summary(self, rows: RowSet, outcomes: Sequence[RowOutcome]) -> str:
        """One paragraph for all rows below full score; empty when there is none.

        A row that errored is no failure: nothing is learned from it.
        """
        failed = [one for one in outcomes if one.mark is not None and one.mark < 1]
        gradients = await together([self._gradient(rows, one) for one in failed])
        written = [one for one in gradients if one] or [one.note for one in failed if one.note]
        if not written:
            return ""
        text = await self._reduce(written)
        self._engine.tell(
            NoteWritten(
                round=self._turn.number, what="summary", text=text, index=self._member, prompt=self._prompt
            )
        )
        return text

    async def _gradient(self, rows: RowSet, outcome: RowOutcome) -> str:
        """What to change in the prompt for the sake of one row."""
        row, task = rows.row(outcome.position), self._engine.task
        reason = shown(outcome.note) or "It is not what was expected."
        text = self._engine.meta["gradsum_gradient"].render(
            task=task.description,
            prompt=fenced(self._prompt),
            input=shown_input(row),
            response=shown(outcome.answer),
            criteria=fenced(task.criteria),
            reason=f"{reason} Expected: {shown_references(row)}" if row.references else reason,
        )
        index = self._member * rows.size + outcome.position
        gradient = await self._turn.ask("evaluator", "gradient", text, index=index)
        self._engine.tell(
            NoteWritten(
                round=self._turn.number, what="gradient", text=gradient, index=index, prompt=self._prompt
            )
        )
        return gradient

    async def _reduce(self, texts: Sequence[str]) -> str:
        """One paragraph of many; in a tree, where they are more than one request can hold."""
        groups = grouped(texts, self._limit)
        parts = await together([self._merge(group) for group in groups])
        return parts[0] if len(parts) == 1 else await self._reduce(parts)

    async def _merge(self, texts: Sequence[str]) -> str:
        index = next(self._summaries)
        text = self._engine.meta["gradsum_summarize"].render(
            task=self._engine.task.description,
            gradients="\n\n".join(fenced(one[: self._limit]) for one in texts),
        )
        merged = await self._turn.ask("evaluator", "summarize", text, index=index)
        return merged or texts[0]


def grouped(texts: Sequence[str], limit: int) -> list[list[str]]:
    """The texts in their order, in as few groups as hold at most so many characters each.

    A group holds at least two texts, so that every level of the tree is smaller than the one before; a last
    text that is left over joins the group before it.
    """
    groups: list[list[str]] = []
    for text in texts:
        room = limit - sum(map(len, groups[-1])) if groups else 0
        if groups and (len(groups[-1]) < 2 or len(text) <= room):
            groups[-1].append(text)
        else:
            groups.append([text])
    if len(groups) > 1 and len(groups[-1]) == 1:
        groups[-2:] = [groups[-2] + groups[-1]]
    return groups
