"""Answers with a known worth: copies that are damaged in ways that any judge should see."""

import random
import time
from collections.abc import Callable, Iterable, Sequence
from typing import Final, Literal, get_args

import msgspec

from spotui.domain.errors import SpotuiError
from spotui.domain.events import Event
from spotui.domain.records import AnswerRecord
from spotui.engine import Candidate, Trial
from spotui.engine.context import Context
from spotui.engine.execute import Executor
from spotui.engine.task import RowVotes
from spotui.judging.reliability import Panel, casts, interval
from spotui.lang import _
from spotui.llm.budget import Budget
from spotui.llm.connections import Connections
from spotui.llm.connector import Connector
from spotui.llm.limits import Halted
from spotui.llm.spending import Spending
from spotui.runs.prepare import Prepared
from spotui.runs.score import open_context
from spotui.runs.trust import refuse_outside_data
from spotui.runs.verbs import make_judge
from spotui.settings import locations
from spotui.settings.programs import program_of
from spotui.settings.table import RunSettings
from spotui.workspace.judge_checks import CheckedJudge, JudgeCheck, calls_folder, remember_check

Damage = Literal["truncated", "shuffled", "off_topic", "wrong_format"]
DAMAGES: Final[tuple[Damage, ...]] = get_args(Damage)


def damaged(answers: Sequence[str], kind: Damage, seed: int) -> list[str] | None:
    """The same answers, each damaged in one way.

    Args:
        answers: One a question.
        kind: `truncated` keeps the first third of the words; `shuffled` has all of them in another order;
            `off_topic` has the answer to the next question; `wrong_format` has one word a line, numbered.
        seed: What words are shuffled with.

    Returns:
        The copies, or None when one of them would be no different from its answer.
    """
    match kind:
        case "truncated":
            copies = [_truncated(answer) for answer in answers]
        case "shuffled":
            chance = random.Random(seed)  # noqa: S311 - reproducible on purpose
            copies = [_shuffled(answer, chance) for answer in answers]
        case "off_topic":
            copies = [*answers[1:], *answers[:1]]
        case "wrong_format":
            copies = [_listed(answer) for answer in answers]
    same = any(_plain(copy) == _plain(answer) for copy, answer in zip(copies, answers, strict=True))
    return None if same else copies


def _truncated(answer: str) -> str:
    parts, glue = _parts(answer)
    return glue.join(parts[: max(1, len(parts) // 3)])


def _shuffled(answer: str, chance: random.Random) -> str:
    parts, glue = _parts(answer)
    if len(set(parts)) < 2:
        return answer
    mixed = list(parts)
    while mixed == parts:
        chance.shuffle(mixed)
    return glue.join(mixed)


def _listed(answer: str) -> str:
    parts, _ = _parts(answer)
    return "\n".join(f"{number}. {part}" for number, part in enumerate(parts, 1))


def _parts(answer: str) -> tuple[list[str], str]:
    """Words; or characters, where there is one word alone, as in languages without spaces."""
    words = answer.split()
    return (words, " ") if len(words) > 1 else (list(answer.strip()), "")


def _plain(text: str) -> str:
    return " ".join(text.split())


CHANCE = 0.5
"""How often a judge is right that looks at nothing."""


class Tally(msgspec.Struct, frozen=True):
    """Votes on pairs with a known answer.

    Attributes:
        votes: How many.
        right: Those for the answer and against its damaged copy.
        wrong: Those for the copy; the rest chose neither.
        voids: Those in which no choice could be read, even when asked again.
        comparisons: Answers that were compared with a copy, all votes on it taken together.
        settled: Those decided for the answer.
        mistaken: Those decided for the copy; in the rest the judge did not decide.
    """

    votes: int = 0
    right: int = 0
    wrong: int = 0
    voids: int = 0
    comparisons: int = 0
    settled: int = 0
    mistaken: int = 0

    @property
    def accuracy(self) -> float | None:
        """The share of votes that are right."""
        return self.right / self.votes if self.votes else None

    @property
    def accuracy_interval(self) -> tuple[float, float] | None:
        """Its 95% interval."""
        return interval(self.right, self.votes) if self.votes else None


class Calibration(msgspec.Struct, frozen=True):
    """What a judge made of pairs with a known answer.

    Attributes:
        by_kind: For each kind of damage.
        skipped: Kinds that would have changed nothing in these answers.
        panel: Flips and agreement.
        spending: What it cost.
    """

    by_kind: dict[Damage, Tally]
    skipped: tuple[Damage, ...]
    panel: Panel
    spending: Spending

    @property
    def total(self) -> Tally:
        """All kinds together."""
        return Tally(
            *(sum(getattr(one, name) for one in self.by_kind.values()) for name in Tally.__struct_fields__)
        )

    @property
    def is_fit(self) -> bool:
        """Whether it is right more often than chance would have it, and shows no fault."""
        found = self.total.accuracy_interval
        return found is not None and found[0] > CHANCE and not self.panel.faults


def judge_of(settings: RunSettings, connector: Connector) -> CheckedJudge:
    """The judge of these settings, as checks of it are filed.

    Raises:
        SettingsError: The endpoint of one of its models is unknown.
    """
    return CheckedJudge(
        models=settings.panel,
        endpoints=endpoints_of(settings.panel, connector),
        judge=settings.judge,
        unit=settings.judge_unit,
        json=settings.judge_json,
    )


def endpoints_of(models: Iterable[str], connector: Connector) -> tuple[str, ...]:
    """The endpoint of each of these models; empty where its id names it."""
    return tuple(connector.route_to(model).endpoint.base_url or "" for model in models)


async def check_judge(prepared: Prepared, connector: Connector, emit: Callable[[Event], None]) -> Calibration:
    """Let the executor answer with the seed prompt, and the judge compare that with damaged copies.

    Every question is judged in both orders for every kind of damage. Calls of an earlier check are not bought
    again, and the result is kept for later runs with the same judge.

    Args:
        prepared: What was prepared for a judge-check.
        connector: Knows the models.
        emit: Called with every event.

    Raises:
        SpotuiError: A call failed for good, the budget is spent, or a question got no answer; the calls until
            then are kept. Or another process checks there.
        OSError: A folder cannot be made.
    """
    refuse_outside_data(prepared.template, prepared.path.parent)
    settings, folder = prepared.settings, locations.judge_checks_dir()
    judge, template = judge_of(settings, connector), prepared.path.stem
    asked = (*settings.panel, settings.roles.executor.model)
    program = program_of(settings.program)
    endpoints = (*endpoints_of(asked, connector), program.digest if program else "")
    calls = calls_folder(folder, template, endpoints)
    connector.check_budget()
    async with open_context(prepared, calls, Connections(connector.connect), emit) as (context, budget):
        try:
            found = await _calibrate(context, settings, budget)
        except Halted as halt:
            raise SpotuiError(
                _("The judge could not be checked: {cause}", cause=halt.cause),
                _("What was asked until then is kept: checking again goes on from there."),
            ) from None
    total, record = found.total, found.panel.together
    check = JudgeCheck(
        of=judge,
        template=template,
        at=time.time(),
        comparisons=total.comparisons,
        settled=total.settled,
        pairs=record.pairs,
        flips=record.flips,
        fit=found.is_fit,
    )
    remember_check(folder, check)
    return found


async def _calibrate(context: Context, settings: RunSettings, budget: Budget) -> Calibration:
    task, judge = context.task, make_judge(context, settings)
    whole = await Executor(context).execute(Candidate(round=1, prompt=task.prompt), task.questions)
    if not isinstance(whole, Trial):
        raise SpotuiError(
            _("Question {number} got no answer to judge. {why}", number=whole.number, why=whole.why),
            whole.hint,
        )
    if not (whole := whole.answered).answers:
        raise SpotuiError(_("Every question was refused, so there is no answer to judge."))
    answers = [one.answer for one in whole.answers]
    by_kind: dict[Damage, Tally] = {}
    skipped: list[Damage] = []
    panel = Panel()
    for number, kind in enumerate(DAMAGES, 2):
        copies = damaged(answers, kind, settings.seed)
        if copies is None:
            skipped.append(kind)
            continue
        rows = await judge.compare_rows(whole, _with(whole, number, copies))
        by_kind[kind] = _tally(rows)
        for row in rows:
            panel = panel.after(casts(row.votes))
    return Calibration(by_kind, tuple(skipped), panel, budget.spending)


def _with(whole: Trial, number: int, answers: Sequence[str]) -> Trial:
    """The same trial with other answers, as if a candidate had brought them."""
    records = tuple(
        AnswerRecord(one.question, answer) for one, answer in zip(whole.answers, answers, strict=True)
    )
    return Trial(
        Candidate(round=number, prompt=whole.candidate.prompt), whole.questions, records, whole.places
    )


def _tally(rows: Sequence[RowVotes]) -> Tally:
    choices = [vote.choice for row in rows for vote in row.votes]
    verdicts = [row.choice for row in rows]
    right, wrong, voids = (choices.count(choice) for choice in ("loss", "win", "void"))
    return Tally(
        votes=len(choices),
        right=right,
        wrong=wrong,
        voids=voids,
        comparisons=len(verdicts),
        settled=verdicts.count("loss"),
        mistaken=verdicts.count("win"),
    )
