"""Probes whose answers a judge compares with the seed's."""

from collections.abc import Mapping, Sequence
from typing import Final

from spotui.domain.statistics import sign_test
from spotui.domain.tags import quote_tags
from spotui.domain.verdicts import Choice
from spotui.engine import Candidate, Trial, together
from spotui.engine.context import Context
from spotui.engine.execute import Executor, NoAnswer
from spotui.engine.task import answered_by_both, format_answers
from spotui.judging.reliability import win_rate
from spotui.lang import _
from spotui.llm.limits import Halted
from spotui.methods.method import FENCES
from spotui.runs.headroom.plan import (
    CANDIDATES,
    PROPOSALS,
    VOTES,
    Plan,
    other_questions,
    plan_duels,
    probes_of,
)
from spotui.runs.headroom.probes import NAMES, Probe
from spotui.runs.headroom.proposals import AGAIN, SEED, Proposals
from spotui.runs.prepare import Prepared
from spotui.runs.verbs import make_judge
from spotui.workspace.headroom_file import Headroom, Probed, Repeated

_ROUNDS: Final[Mapping[str, int]] = {
    name: number for number, name in enumerate((*NAMES, "proposal 1", "proposal 2"), AGAIN + 1)
}
_FEW: Final = 5
"""Fewer questions with a difference than this prove nothing, whichever way all of them go."""

_CHANCE: Final = 0.05


class DuelProbes:
    """Probes whose answers a judge compares with the seed's.

    Args:
        prepared: The template.
        context: What calls are made with.
    """

    def __init__(self, prepared: Prepared, context: Context) -> None:
        self._prepared = prepared
        self._context = context
        self._executor = Executor(context)
        self._judge = make_judge(context, prepared.settings)

    async def measure(self) -> Headroom:
        """Let the judge compare, then check the best probe question by question."""
        task = self._context.task
        probes, left_out = probes_of(self._prepared)
        plan = plan_duels(self._prepared, len(probes) + PROPOSALS)
        seed, again = await together([self._answers(task.prompt, number) for number in (SEED, AGAIN)])
        if seed is None or again is None:
            raise Halted("failed", _("A question gets no answer with the seed prompt."))
        self_duel = await self._judge.duel(*answered_by_both(seed, again))
        examples = quote_tags(format_answers(seed.answers, seed.questions, task.language), FENCES)
        probes += await Proposals(self._context).ask(examples, probes)
        found = dict(
            zip(
                (one.name for one in probes),
                await together([self._duel(seed, one) for one in probes]),
                strict=True,
            )
        )
        votes = {name: choices for name, (_trial, choices) in found.items()}
        order = sorted(probes, key=lambda one: -_lead(votes[one.name]))
        best = order[0] if order and _lead(votes[order[0].name]) > 0 else None
        rows = await self._check(seed, found[best.name][0], plan.rest) if best else []
        self_votes = [vote.choice for vote in self_duel.votes]
        return self._result(plan, order, best, votes, rows, self_votes, left_out)

    async def _answers(self, prompt: str, number: int) -> Trial | None:
        trial = await self._executor.execute(
            Candidate(round=number, prompt=prompt), self._context.task.questions
        )
        return None if isinstance(trial, NoAnswer) else trial

    async def _duel(self, seed: Trial, probe: Probe) -> tuple[Trial | None, list[Choice]]:
        trial = await self._answers(probe.prompt, _ROUNDS[probe.name])
        if trial is None:
            return None, []
        old, new = answered_by_both(seed, trial)
        if not new.answers:
            return trial, []
        duel = await self._judge.duel(old, new)
        return trial, [vote.choice for vote in duel.votes]

    async def _check(self, seed: Trial, trial: Trial | None, count: int) -> list[Choice]:
        """The verdict of every question, those that no probe was chosen by included."""
        if trial is None:
            return []
        others = other_questions(self._prepared)[:count]
        sides: list[Trial] = []
        for one in (seed, trial):
            more = await self._executor.execute(one.candidate, others, held_out=True)
            if isinstance(more, NoAnswer):
                return []
            questions = (*one.questions, *more.questions)
            sides.append(Trial(one.candidate, questions, (*one.answers, *more.answers)))
        old, new = answered_by_both(*sides)
        return [row.choice for row in await self._judge.compare_rows(old, new)] if new.answers else []

    def _result(
        self,
        plan: Plan,
        order: Sequence[Probe],
        best: Probe | None,
        votes: Mapping[str, Sequence[Choice]],
        rows: Sequence[Choice],
        self_votes: Sequence[Choice],
        left_out: tuple[str, ...],
    ) -> Headroom:
        wins, losses = rows.count("win"), rows.count("loss")
        is_sure = wins + losses >= _FEW
        if is_sure:
            found = wins > losses and sign_test(wins, losses) / 2 <= _CHANCE
        else:
            found = wins > 1 and losses == 0
        chosen = [one for one in self_votes if one in {"win", "loss"}]
        probed = [
            _of_votes(one, rows if one is best else votes[one.name], is_best=one is best) for one in order
        ]
        return Headroom(
            template=self._prepared.path.name,
            prompt=self._context.task.prompt,
            by="duels",
            found=found,
            is_sure=is_sure,
            score=None,
            score_interval=None,
            rows=len(rows),
            repeated=Repeated(
                rows=len(self_votes),
                changed=len(chosen),
                gain=(chosen.count("win") / len(chosen) - 0.5) if chosen else 0.0,
            ),
            floor=None,
            best=best.name if best else "",
            probes=tuple(probed),
            left_out=left_out,
            method="spo" if found else "",
            budget=self._suggested() if found else 0,
            planned=plan.calls,
        )

    def _suggested(self) -> int:
        """Calls for some rounds of SPO and its final check, in whole tens."""
        asked, pool = len(self._context.task.questions), len(other_questions(self._prepared))
        rounds = CANDIDATES * (asked + 1 + VOTES) + asked
        return -(-(rounds + 2 * pool + 2 * (asked + pool)) // 10) * 10


def _lead(choices: Sequence[Choice]) -> int:
    return choices.count("win") - choices.count("loss")


def _of_votes(probe: Probe, choices: Sequence[Choice], *, is_best: bool) -> Probed:
    rate = win_rate(choices)
    interval = (rate.interval[0] - 0.5, rate.interval[1] - 0.5) if rate is not None and is_best else None
    return Probed(
        name=probe.name,
        prompt=probe.prompt,
        change=probe.change,
        rows=len(choices),
        score=None,
        gain=0.0 if rate is None else rate.rate - 0.5,
        interval=interval,
        wins=choices.count("win"),
        losses=choices.count("loss"),
        ahead=_lead(choices) > 0,
    )
