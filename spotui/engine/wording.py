"""The judge's question about two trials, in either order: blind, with the answers as material."""

from spotui.engine.task import Task, Trial, format_answers, format_references, row_of
from spotui.judging.ballots import Order
from spotui.meta_prompts import MetaPrompt
from spotui.settings.run_settings import Unit

Texts = dict[Order, str]


class Wording:
    """Puts two trials into a meta-prompt.

    Args:
        task: What the answers are for.
        meta: The meta-prompt.
    """

    def __init__(self, task: Task, meta: MetaPrompt) -> None:
        self._task = task
        self._meta = meta

    def of(self, best: Trial, candidate: Trial, unit: Unit) -> list[Texts]:
        """What to ask: one question about the set, or one for each row."""
        return [self.of_set(best, candidate)] if unit == "set" else self.of_rows(best, candidate)

    def of_rows(self, best: Trial, candidate: Trial) -> list[Texts]:
        """A question for each row alone."""
        return [
            self.of_set(row_of(best, index), row_of(candidate, index)) for index in range(len(best.answers))
        ]

    def of_set(self, best: Trial, candidate: Trial) -> Texts:
        """One question about all rows."""
        old, new = (
            format_answers(best.answers, best.questions),
            format_answers(candidate.answers, candidate.questions),
        )
        shared = {
            "requirements": self._task.aim,
            "references": format_references(candidate.questions, shown=self._task.reference_answers),
        }
        return {
            "AB": self._meta.render(answers_a=old, answers_b=new, **shared),
            "BA": self._meta.render(answers_a=new, answers_b=old, **shared),
        }
