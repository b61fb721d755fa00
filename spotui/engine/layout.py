"""How a prompt and a row become one message: GPO's four positions (arXiv 2402.17564, section 3.1)."""

from collections.abc import Sequence
from typing import Final, Literal, get_args

import msgspec

from spotui.dataset import Row, fill, slot_names

Position = Literal["before_question", "question_start", "question_end", "answer_start"]
POSITIONS: Final[tuple[Position, ...]] = get_args(Position)


class Layout(msgspec.Struct, frozen=True):
    """Where a prompt stands.

    A prompt that shows the question in a slot of its own stands alone, wherever it would stand otherwise.

    Attributes:
        position: Before the question, at its start, at its end, or where the answer begins.
        labels: Whether `Q:` and `A:` mark question and answer.
        demos: Solved rows that are shown in front of the question.
    """

    position: Position = "before_question"
    labels: bool = False
    demos: tuple[Row, ...] = ()

    def render(self, prompt: str, row: Row) -> str:
        """The message that asks a row with a prompt."""
        names = slot_names(prompt)
        filled = fill(prompt, row.values) if names else prompt
        shown = "\n\n".join([*self._demos(), self._body(filled, row, alone="question" in names)])
        return shown.strip()

    def _body(self, prompt: str, row: Row, *, alone: bool) -> str:
        if alone or not row.question:
            return prompt
        question, between = (f"Q: {row.question}", "\n") if self.labels else (row.question, "\n\n")
        match self.position:
            case "before_question":
                parts = [f"{prompt}\n\n{question}", "A:"]
            case "question_start":
                parts = [f"Q: {f'{prompt}{between}' if prompt else ''}{row.question}", "A:"]
                if not self.labels:
                    parts[0] = f"{prompt}\n{row.question}"
            case "question_end":
                parts = [f"{question}{between}{prompt}", "A:"]
            case "answer_start":
                parts = [question, f"A: {prompt}"] if self.labels else [question, prompt]
                return between.join(parts)
        return "\n".join(parts) if self.labels else parts[0]

    def _demos(self) -> Sequence[str]:
        if self.labels:
            return [f"Q: {row.question}\nA: {_answer(row)}" for row in self.demos]
        return [f"{row.question}\n\n{_answer(row)}" for row in self.demos]


def _answer(row: Row) -> str:
    return row.references[0] if row.references else ""
