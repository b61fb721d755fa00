"""How a prompt and a row become the messages that are sent to the executor."""

from collections.abc import Sequence

import msgspec

from spotui.domain.messages import Message, Position, transcript, user, with_one_system
from spotui.domain.rows import Row, fill, slot_names


class Layout(msgspec.Struct, frozen=True):
    """Where a prompt stands: GPO's four positions (arXiv 2402.17564, section 3.1), the system message, or
    fixed messages around it.

    A prompt that shows the question in its slot is sent alone, wherever it would stand otherwise.

    Attributes:
        position: In the system message, before the question, at its start, at its end, or where the answer
            begins. Where a row has earlier turns, the question is the last one.
        labels: Whether `Q:` and `A:` mark question and answer.
        demos: Solved rows that are shown in front of the question; as turns below a system message.
        around: Messages with the slots `{prompt}`, `{question}` and columns of the row; then the position
            has no meaning. Earlier turns of a row stand in front of the message that shows the question.
    """

    position: Position = "before_question"
    labels: bool = False
    demos: tuple[Row, ...] = ()
    around: tuple[Message, ...] = ()

    def messages(self, prompt: str, row: Row) -> tuple[Message, ...]:
        """The messages that ask a row with a prompt."""
        names = slot_names(prompt)
        filled = fill(prompt, row.values) if names else prompt
        alone = "question" in names or not row.question
        if self.around:
            found = self._filled(filled, row)
        elif self.position == "system" and not alone:
            found = self._below_system(filled, row)
        else:
            shown = "\n\n".join([*self._demos(), self._body(filled, row, alone=alone)])
            found = [*row.history, user(shown.strip())]
        return _with_files(with_one_system(found), row)

    def render(self, prompt: str, row: Row) -> str:
        """The same as one text: a single message's own, or a transcript."""
        found = self.messages(prompt, row)
        return found[0].content if len(found) == 1 else transcript(found)

    def _filled(self, prompt: str, row: Row) -> list[Message]:
        values = {**row.values, "prompt": prompt}
        found: list[Message] = []
        asks = next((one for one in self.around if "question" in slot_names(one.content)), self.around[-1])
        for one in self.around:
            if one is asks:
                found.extend(row.history)
            if text := fill(one.content, values).strip():
                found.append(Message(one.role, text))
        return found

    def _below_system(self, prompt: str, row: Row) -> list[Message]:
        found = [Message("system", text)] if (text := prompt.strip()) else []
        for demo in self.demos:
            found += [user(self._question(demo)), Message("assistant", _answer(demo))]
        return [*found, *row.history, user(self._question(row))]

    def _question(self, row: Row) -> str:
        return f"Q: {row.question}\nA:" if self.labels else row.question

    def _body(self, prompt: str, row: Row, *, alone: bool) -> str:
        if alone:
            return prompt
        question, between = (f"Q: {row.question}", "\n") if self.labels else (row.question, "\n\n")
        match self.position:
            case "question_start":
                parts = [f"Q: {f'{prompt}{between}' if prompt else ''}{row.question}", "A:"]
                if not self.labels:
                    parts[0] = f"{prompt}\n{row.question}"
            case "question_end":
                parts = [f"{question}{between}{prompt}", "A:"]
            case "answer_start":
                parts = [question, f"A: {prompt}"] if self.labels else [question, prompt]
                return between.join(parts)
            case _:
                parts = [f"{prompt}\n\n{question}", "A:"]
        return "\n".join(parts) if self.labels else parts[0]

    def _demos(self) -> Sequence[str]:
        if self.labels:
            return [f"Q: {row.question}\nA: {_answer(row)}" for row in self.demos]
        return [f"{row.question}\n\n{_answer(row)}" for row in self.demos]


def _with_files(messages: tuple[Message, ...], row: Row) -> tuple[Message, ...]:
    """The messages with a row's files in the last one of the user."""
    if not row.files:
        return messages
    last = max(at for at, one in enumerate(messages) if one.role == "user")
    asked = msgspec.structs.replace(messages[last], files=row.files)
    return (*messages[:last], asked, *messages[last + 1 :])


def _answer(row: Row) -> str:
    return row.references[0] if row.references else ""
