"""New rows from few: the optimizer's model writes questions and edge cases like those of a template."""

import random
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final, NamedTuple

from spotui.domain.errors import SpotuiError
from spotui.domain.events import Event, Noticed
from spotui.domain.messages import user
from spotui.domain.records import CallKey
from spotui.domain.rows import Row, normalise
from spotui.domain.tags import quote_tags
from spotui.engine.context import Context
from spotui.lang import _
from spotui.llm.budget import Budget
from spotui.llm.connections import Connections
from spotui.llm.limits import Halted
from spotui.llm.protocol import lacks_answer
from spotui.runs.drafts import Draft, Drafts
from spotui.runs.prepare import Prepared
from spotui.runs.score import open_context
from spotui.runs.task import filled_slots, questions_of
from spotui.runs.trying import spending_of

AT_ONCE: Final = 10
"""Rows that one request asks for: models repeat themselves in longer lists."""

ALIKE: Final = 88.0
"""The similarity of two questions, 0 to 100, from which on they are the same test: the share of characters
that stay (Indel ratio) once case and white space make no difference."""

_SHOWN: Final = 8
_BLOCK: Final = re.compile(r"<row>(.*?)(?:</row>|(?=<row>)|\Z)", re.DOTALL)


class Written(NamedTuple):
    """What came of asking.

    Attributes:
        drafts: The rows.
        alike: Rows that were left out, as they are nearly the same as another one.
    """

    drafts: list[Draft]
    alike: int


async def write_rows(
    prepared: Prepared,
    folder: Path,
    connections: Connections,
    count: int,
    emit: Callable[[Event], None],
    on_draft: Callable[[Draft, int], None],
) -> Written:
    """Let the optimizer write new rows; undecided ones of an earlier time come first.

    Args:
        prepared: The template, prepared for this.
        folder: Where calls are kept, so that none is bought twice; made when it is missing.
        connections: The models; they are closed at the end.
        count: Rows that are wanted; there are fewer where the model only repeats what there is.
        emit: Called with every event.
        on_draft: Called with every row at once, and with how many were left out until then.

    Raises:
        SpotuiError: A call failed for good, the budget is spent, or nothing usable came.
        OSError: The folder cannot be made.
    """
    async with open_context(prepared, folder, connections, emit) as (context, budget):
        writer = _Writer(prepared, context, budget, Drafts(folder, prepared.path), on_draft)
        try:
            await writer.write(count)
        except Halted as halt:
            if not writer.drafts:
                raise SpotuiError(halt.cause) from None
            emit(Noticed(text=halt.cause, level="warning"))
    if not writer.drafts:
        raise SpotuiError(
            _("The optimizer wrote no row that can be used."),
            _("Choose a stronger model for it: --opt-model, or the optimizer on the models screen."),
        )
    return Written(writer.drafts, writer.alike)


class _Writer:
    def __init__(
        self,
        prepared: Prepared,
        context: Context,
        budget: Budget,
        known: Drafts,
        on_draft: Callable[[Draft, int], None],
    ) -> None:
        self.drafts: list[Draft] = []
        self.alike = 0
        self._repeated: list[Draft] = []
        self._prepared = prepared
        self._context = context
        self._budget = budget
        self._known = known
        self._on_draft = on_draft
        rows = prepared.rows
        self._rows = (
            [one for split in (rows.train, rows.eval, rows.test) for one in split]
            if rows is not None
            else [one.row for one in questions_of(prepared.template, None, prepared.files.attach) if one.row]
        )
        self._slots = sorted(filled_slots(prepared.template) - {"question", "prompt"})
        self._has_answers = any(one.references for one in self._rows)
        self._has_question = any(one.question for one in self._rows) or not self._slots
        self._dropped = {normalise(one.shown) for one in known.all("dropped")}
        self._seen = [*(normalise(_draft_of(one).shown) for one in self._rows), *self._dropped]

    async def write(self, count: int) -> None:
        """Take what is undecided, then ask until there are enough or two requests bring nothing new."""
        index = idle = 0
        for draft in self._known.all("open"):
            if len(self.drafts) < count and self._is_whole(draft) and self._take(draft):
                self._on_draft(draft, self.alike)
        while len(self.drafts) < count and idle < 2:
            before = len(self.drafts)
            asked = await self._ask(index, min(AT_ONCE, count - before))
            self._context.emit(spending_of(self._budget))
            for draft in asked:
                if len(self.drafts) < count and self._take(draft):
                    self._known.note([draft], "open")
                    self._on_draft(draft, self.alike)
            idle = 0 if len(self.drafts) > before else idle + 1
            index += 1

    async def _ask(self, index: int, count: int) -> list[Draft]:
        names = [*(["question"] if self._has_question else []), *self._slots]
        names += ["answer"] if self._has_answers else []
        asker, task = self._context.asker, self._prepared.task
        chance = random.Random(f"{task.seed}/rows/{index}")  # noqa: S311 - reproducible on purpose
        shown = chance.sample(self._rows, min(_SHOWN, len(self._rows)))
        known = [*map(_draft_of, shown), *self.drafts[-3 * AT_ONCE :], *self._repeated[-AT_ONCE:]]
        block = "\n".join(f"<{name}>...</{name}>" for name in names)
        text = self._context.meta["write_rows"].render(
            prompt=quote_tags(task.shown_prompt(task.prompt), ("prompt",)),
            requirements=quote_tags(task.aim, ("requirements",)),
            examples=quote_tags("\n\n".join(_as_block(one, names) for one in known), ("examples",)),
            count=str(count),
            fields="\n".join(
                task.say("- {name}: {meaning}", name=name, meaning=task.say(_FIELDS.get(name, _COLUMN)))
                for name in names
            ),
            form=f"<row>\n{block}\n</row>",
        )
        reply = await asker.ask(CallKey(1, "write_rows", index), asker.request("optimizer", [user(text)]))
        return [] if lacks_answer(reply) else read_drafts(reply.text, names)

    def _is_whole(self, draft: Draft) -> bool:
        """Whether it has the parts of a row, which may be others than when it was written."""
        has_parts = (bool(draft.question), bool(draft.answer)) == (self._has_question, self._has_answers)
        return has_parts and sorted(draft.slots) == self._slots

    def _take(self, draft: Draft) -> bool:
        from rapidfuzz.fuzz import ratio
        from rapidfuzz.process import extractOne

        text = normalise(draft.shown)
        if extractOne(text, self._seen, scorer=ratio, score_cutoff=ALIKE) is not None:
            self.alike += text not in self._dropped
            self._repeated.append(draft)  # the next request shows it, so that the model writes another
            return False
        self._seen.append(text)
        self.drafts.append(draft)
        return True


_FIELDS: Final = {"question": "what the user sends", "answer": "the answer that is right"}
_COLUMN: Final = "a part of the input, like those above"


def read_drafts(text: str, names: Sequence[str]) -> list[Draft]:
    """The rows in a reply; a block without one of the parts, or with dots in its place, is none."""
    found = []
    for block in _BLOCK.findall(text):
        parts = {name: _part(block, name) for name in names}
        if all(part.strip(". …") for part in parts.values()):
            question, answer = parts.pop("question", ""), parts.pop("answer", "")
            found.append(Draft(question, answer, parts))
    return found


def _part(block: str, name: str) -> str:
    match = re.search(rf"<{re.escape(name)}>(.*?)</{re.escape(name)}>", block, re.DOTALL)
    return match[1].strip() if match else ""


def _draft_of(row: Row) -> Draft:
    return Draft(row.question, row.references[0] if row.references else "", dict(row.slots))


def _as_block(draft: Draft, names: Sequence[str]) -> str:
    texts = {**draft.slots, "question": draft.question, "answer": draft.answer}
    return "\n".join(f"{name}: {texts[name]}" for name in names if texts.get(name))
