"""How a migration is prepared for each model, and what it is expected to take before anything is bought."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal

import msgspec

from spotui.domain.errors import SpotuiError
from spotui.domain.text import estimate_tokens
from spotui.engine.task import Question
from spotui.lang import _
from spotui.llm.spending import Amounts
from spotui.runs.estimate import Estimate, Share, estimate
from spotui.runs.expected_calls import (
    ANSWER_TO_REFERENCE,
    ANSWER_TOKENS,
    LEAST_ANSWER_TOKENS,
    MARK_FRAME,
    MARK_TOKENS,
    VOTE_FRAME,
    VOTE_TOKENS,
    VOTES_A_ROW,
    Paces,
    model_seconds,
)
from spotui.runs.migrate.answers import Asked, questions_asked
from spotui.runs.prepare import Prepared, is_marked
from spotui.runs.race import entrant
from spotui.runs.task import is_judged
from spotui.settings.resolve import Flags
from spotui.settings.table import Role, is_program

if TYPE_CHECKING:
    from spotui.runs.launch import Launcher

_BY_ROWS: Final = "gpo"
"""The method for templates with marks that name none, as SPO only compares answers."""

_PROMPTS: Final = 2
"""Prompts that are tried on each new model: the one in use and a new one."""


class MigrationPlan:
    """A migration as it was asked for.

    Args:
        launcher: What everything is prepared with.
        path: The template's file.
        flags: The settings that were typed, without the executor's model.
        old: The old model.
        models: The new ones.
        method: Another method than the template's, or None.
        parameters: Its parameters.
        prompt: The prompt in use, where it is another one than the template's.
        optimizes_itself: Whether each new model looks for its prompt itself, as no other is named for that.

    Raises:
        SpotuiError: Template, settings, method or rows cannot be used.

    Attributes:
        old: The old model.
        models: The new ones.
        by: Whether answers are marked row by row, or compared by a judge.
        test: What the old model is asked with.
        asked: All that a model is asked with the prompt in use.
    """

    def __init__(
        self,
        launcher: "Launcher",
        path: Path,
        flags: Flags,
        old: str,
        models: Sequence[str],
        *,
        method: str | None,
        parameters: Mapping[str, Any],
        prompt: str | None,
        optimizes_itself: bool = False,
    ) -> None:
        self._optimizes_itself = optimizes_itself
        self.old = old
        self.models = tuple(models)
        self._launcher = launcher
        self._path = path
        self._flags = flags
        self._method = method
        self._parameters = parameters
        self._prompt = prompt
        template = launcher.prepare(path, self._of(old), purpose="judge-check").template
        self.by: Literal["rows", "duels"] = "rows" if is_marked(template) else "duels"
        if self.by == "rows" and method is None and template.method is None:
            self._method = _BY_ROWS
        self.test = self.measuring(old)
        if is_program(self.test.settings.roles.executor.model):
            raise SpotuiError(
                _("The executor is a program, so a model cannot take the place of another one."),
                _("Leave --exec-command and --exec-url out, here and in the template."),
            )
        if self.by == "rows" and not self.test.sizes.get("test"):
            raise SpotuiError(
                _("{path} has no test rows.", path=path.name),
                _("A migration is decided on unseen rows. Add some, or a `split` below `data`."),
            )
        self.asked = self.questions(self.test.template.prompt)
        if not self.asked:
            raise SpotuiError(
                _("{path} has no questions, so there is nothing to compare.", path=path.name),
                _("Add some below `qa`."),
            )

    def _of(self, model: str) -> Flags:
        more = {"opt_model": model} if self._optimizes_itself else {}
        return Flags(**{**self._flags, **more, "exec_model": model})

    @property
    def is_judged(self) -> bool:
        """Whether the evaluator is asked anything."""
        if self.by == "duels" or is_judged(self.test.template):
            return True
        return any("evaluator" in self.run(model).settings.asked for model in self.models)

    def measuring(self, model: str) -> Prepared:
        """What a model is asked and compared with."""
        return self._launcher.prepare(
            self._path,
            self._of(model),
            method=self._method,
            parameters=self._parameters,
            purpose="score" if self.by == "rows" else "judge-check",
            prompt=self._prompt,
        )

    def run(self, model: str) -> Prepared:
        """What looks for a new prompt for a model; the migration measures what it finds."""
        return entrant(
            self._launcher.prepare(
                self._path,
                self._of(model),
                method=self._method,
                parameters=self._parameters,
                prompt=self._prompt,
            )
        )

    def questions(self, prompt: str) -> list[Asked]:
        """All that a model is asked with a prompt."""
        return questions_asked(self.test, prompt, by_rows=self.by == "rows")

    def expected(self, missing: Sequence[Asked], paces: Paces) -> Estimate:
        """What the whole migration would take at most; no model is asked.

        Args:
            missing: Questions that the archive lacks.
            paces: The speed of models.

        Raises:
            SettingsError: The endpoint of a model is unknown.
        """
        parts = [self._of_answers(self.test, missing, paces, compared=False)] if missing else []
        for model in self.models:
            run = self.run(model)
            found = estimate(run, self._launcher.connector(run.settings), paces)
            measured = self.of_one_prompt(model, paces)
            parts += [measured] * _PROMPTS + ([found] if found is not None else [])
        return _added(parts)

    def of_one_prompt(self, model: str, paces: Paces | None = None) -> Estimate:
        """What it takes to measure one prompt on a model."""
        return self._of_answers(self.measuring(model), self.asked, paces or {}, compared=True)

    def _of_answers(
        self,
        prepared: Prepared,
        asked: Sequence[Asked],
        paces: Paces,
        *,
        compared: bool,
    ) -> Estimate:
        """The answers to some questions and, where they are compared, the votes or marks on them."""
        settings, connector = prepared.settings, self._launcher.connector(prepared.settings)
        turns = sum(1 + len(one.row.turns) for one in asked)
        read = sum(estimate_tokens(message.content) for one in asked for message in one.messages)
        answer = _answer_tokens([one.question for one in asked if one.question is not None])
        rows = len(asked)
        jobs: list[tuple[Role, str, int, int, int]] = [
            ("executor", settings.roles.executor.model, turns, read * max(1, turns // rows), answer)
        ]
        if compared and self.by == "duels":
            votes = VOTES_A_ROW * rows
            shown = votes * (VOTE_FRAME + 2 * answer + read // rows)
            jobs += [("evaluator", judge, votes, shown, VOTE_TOKENS) for judge in settings.panel]
        elif self.by == "rows" and is_judged(prepared.template):
            shown = rows * (MARK_FRAME + answer + read // rows)
            jobs.append(("evaluator", settings.roles.evaluator.model, rows, shown, MARK_TOKENS))
        shares, seconds = [], 0.0
        for role, model, calls, sent, reply in jobs:
            price = connector.price_of(model)
            cost = None if price is None else price.cost(sent, calls * reply)
            shares.append(Share(role, model, calls, sent, calls * reply, cost))
            seconds += model_seconds(model, connector, paces, reply, calls)
        return Estimate(tuple(shares), seconds)


def amounts_of(expected: Estimate) -> Amounts:
    """What an estimate comes to; a price that is unknown counts as none."""
    return Amounts(expected.calls, expected.tokens, sum(one.usd or 0.0 for one in expected.shares))


def _answer_tokens(questions: Sequence[Question]) -> int:
    """How long an answer is likely to be: as the reference answers suggest, where every question has one."""
    lengths = [estimate_tokens(one.answer) for one in questions]
    if lengths and all(lengths):
        return max(LEAST_ANSWER_TOKENS, ANSWER_TO_REFERENCE * sum(lengths) // len(lengths))
    return ANSWER_TOKENS


def _added(parts: Sequence[Estimate]) -> Estimate:
    """Several estimates as one; they wait for each other."""
    shares: dict[tuple[str, str], Share] = {}
    for one in (share for part in parts for share in part.shares):
        before = shares.get((one.role, one.model))
        shares[one.role, one.model] = one if before is None else _both(before, one)
    warnings = dict.fromkeys(text for part in parts for text in part.warnings)
    return Estimate(
        tuple(shares.values()),
        sum(part.seconds for part in parts),
        tuple(warnings),
        saved=sum(part.saved for part in parts),
    )


def _both(first: Share, second: Share) -> Share:
    return msgspec.structs.replace(
        first,
        calls=first.calls + second.calls,
        prompt_tokens=first.prompt_tokens + second.prompt_tokens,
        completion_tokens=first.completion_tokens + second.completion_tokens,
        usd=None if first.usd is None or second.usd is None else first.usd + second.usd,
        other_usd=None,
    )
