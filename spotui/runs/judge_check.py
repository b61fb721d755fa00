"""Answers with a known worth: copies that are damaged in ways that any judge should see."""

import random
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final, Literal, get_args

import msgspec

from spotui.domain.errors import SpotuiError
from spotui.domain.events import Event
from spotui.domain.records import AnswerRecord
from spotui.engine import Candidate, Task, Trial
from spotui.engine.asking import Asker
from spotui.engine.context import Context, Decisions
from spotui.engine.execute import Executor
from spotui.engine.meta_prompts import MetaPrompts
from spotui.engine.task import RowVotes
from spotui.judging.reliability import Panel, casts, interval
from spotui.llm.budget import Budget, Spending
from spotui.llm.connections import Connections
from spotui.llm.door import Door
from spotui.llm.limits import Gate, Halted
from spotui.llm.retry import Retry
from spotui.runs.score import open_kept
from spotui.runs.session import make_judge
from spotui.settings.run_settings import RunSettings

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
        kinds: For each kind of damage.
        skipped: Kinds that would have changed nothing in these answers.
        panel: Flips and agreement.
        spending: What it cost.
    """

    kinds: dict[Damage, Tally]
    skipped: tuple[Damage, ...]
    panel: Panel
    spending: Spending

    @property
    def total(self) -> Tally:
        """All kinds together."""
        return Tally(
            *(sum(getattr(one, name) for one in self.kinds.values()) for name in Tally.__struct_fields__)
        )

    @property
    def is_fit(self) -> bool:
        """Whether it is right more often than chance would have it, and shows no fault."""
        found = self.total.accuracy_interval
        return found is not None and found[0] > CHANCE and not self.panel.faults


async def calibrate(
    task: Task,
    settings: RunSettings,
    meta: MetaPrompts,
    connections: Connections,
    emit: Callable[[Event], None],
    folder: Path,
) -> Calibration:
    """Let the executor answer with the seed prompt, and the judge compare that with damaged copies.

    Every question is judged in both orders for every kind of damage. What was asked in an earlier check is
    not asked again.

    Args:
        task: The prompt and its questions.
        settings: Roles, judge and budget of the run that is planned.
        meta: The meta-prompts.
        connections: The models.
        emit: Told of every call.
        folder: Where calls are kept; made when it is missing.

    Raises:
        SpotuiError: A call failed for good, the budget is spent, or a question got no answer; what was
            asked until then is kept. Or another process checks there.
        OSError: The folder cannot be made.
    """
    with open_kept(folder) as journal:
        gate = Gate()
        door = Door(
            connections=connections,
            ledger=journal,
            budget=Budget(settings.budget),
            gate=gate,
            retry=Retry(settings.retry),
            emit=emit,
            on_trouble="halt",
        )
        context = Context(task, meta, Asker(door, settings.roles), gate, Decisions(), emit)
        try:
            async with door.keeping_time():
                return await _calibrate(context, settings, door)
        except Halted as halt:
            raise SpotuiError(
                f"The judge could not be checked: {halt.cause}",
                "What was asked until then is kept: checking again goes on from there.",
            ) from None


async def _calibrate(context: Context, settings: RunSettings, door: Door) -> Calibration:
    task, judge = context.task, make_judge(context, settings)
    whole = await Executor(context).execute(Candidate(round=1, prompt=task.prompt), task.questions)
    if not isinstance(whole, Trial):
        raise SpotuiError(f"Question {whole.number} got no answer to judge. {whole.why}", whole.hint)
    if not (whole := whole.answered).answers:
        raise SpotuiError("Every question was refused, so there is no answer to judge.")
    answers = [one.answer for one in whole.answers]
    kinds: dict[Damage, Tally] = {}
    skipped: list[Damage] = []
    panel = Panel()
    for number, kind in enumerate(DAMAGES, 2):
        copies = damaged(answers, kind, settings.seed)
        if copies is None:
            skipped.append(kind)
            continue
        rows = await judge.compare_rows(whole, _with(whole, number, copies))
        kinds[kind] = _tally(rows)
        for row in rows:
            panel = panel.after(casts(row.votes))
    return Calibration(kinds, tuple(skipped), panel, door.budget.spending)


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
