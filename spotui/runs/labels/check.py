"""Checks a judge against labels, and lets the optimizer improve its criteria on one half of them."""

import random
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from hashlib import blake2b
from typing import Final

import msgspec

from spotui.domain.errors import SpotuiError
from spotui.domain.events import Event
from spotui.domain.messages import user
from spotui.domain.records import CallKey
from spotui.domain.statistics import Comparison, compare
from spotui.domain.tags import quote_tags
from spotui.engine.context import Context
from spotui.engine.marking import Scale
from spotui.engine.propose import fold
from spotui.engine.task import FENCES
from spotui.lang import _
from spotui.llm.budget import Budget
from spotui.llm.connections import Connections
from spotui.llm.connector import Connector
from spotui.llm.limits import Halted
from spotui.llm.spending import Spending
from spotui.runs.judge_check import endpoints_of
from spotui.runs.labels.judged import LabelJudge, Verdicts
from spotui.runs.prepare import Prepared
from spotui.runs.score import open_context
from spotui.runs.task import criteria_for
from spotui.settings import locations
from spotui.templates.data.labels_file import Label
from spotui.templates.sections import metric_of
from spotui.workspace.judge_checks import calls_folder

PROPOSALS: Final = 3
"""Criteria that the optimizer writes, one after another."""

FEWEST: Final = 20
"""Labels that tuning takes at least: with half of them, a difference can just be shown."""

_SHOWN: Final = 8
"""Disagreements that the optimizer reads."""

_LONGEST: Final = 1200
"""Characters of a text among them."""

_PARTS: Final = ("analyse", "modification", "criteria")
_FENCES: Final = (*FENCES, "criteria", "disagreements")
_PROVED: Final = 2 + PROPOSALS
"""What the calls of the proof are filed under."""

_HOW: Final = {
    True: "It compares two answers to the same question and says which one is better, or that neither is.",
    False: "It grades one answer: it passes or it fails.",
}


class Tuned(msgspec.Struct, frozen=True):
    """What tuning found.

    Attributes:
        criteria: The best criteria; those of the template when none is better.
        modification: What was changed, in the optimizer's words.
        learned: Labels that the optimizer worked with.
        learned_before: Those on which the judge agreed with people by the template's criteria.
        learned_after: Those on which it agrees by the best criteria.
        old: The judge by the template's criteria, on the other half.
        new: The judge by the best criteria, on the other half; the same as `old` when none is better.
        paired: Both on the other half, label by label.
        proposals: Criteria that the optimizer wrote.
    """

    criteria: str
    modification: str
    learned: int
    learned_before: int
    learned_after: int
    old: Verdicts
    new: Verdicts
    paired: Comparison
    proposals: int

    @property
    def has_changed(self) -> bool:
        """Whether other criteria are better on the half that they were made from."""
        return self.criteria != self.old.criteria

    @property
    def is_proven(self) -> bool:
        """Whether they are better on the other half, beyond chance."""
        return self.has_changed and self.paired.is_settled and self.paired.difference > 0


class LabelCheck(msgspec.Struct, frozen=True):
    """What a check against labels found.

    Attributes:
        verdicts: The judge by the template's criteria, on all labels.
        tuned: What tuning found, if it was asked for.
        spending: What it cost this time.
    """

    verdicts: Verdicts
    tuned: Tuned | None
    spending: Spending


def criteria_key(prepared: Prepared, labels: Sequence[Label]) -> str:
    """The key of a template that holds what the judge decides by."""
    if labels[0].second is None:
        return "criteria" if prepared.template.criteria else "requirements"
    return "requirements" if prepared.template.requirements else "criteria"


async def check_labels(
    prepared: Prepared,
    connector: Connector,
    labels: Sequence[Label],
    emit: Callable[[Event], None],
    *,
    tunes: bool = False,
) -> LabelCheck:
    """Let the judge decide what people decided; answers that were compared are compared in both orders.

    Args:
        prepared: What was prepared for it.
        connector: Knows the models.
        labels: What people decided, all of one form.
        emit: Called with every event.
        tunes: Whether the optimizer improves the criteria.

    Raises:
        SpotuiError: There are too few labels to tune, a call failed for good, or the budget is spent; calls
            until then are kept.
        OSError: A folder cannot be made.
    """
    if tunes and len(labels) < FEWEST:
        raise SpotuiError(
            _("There are {labels} labels, and tuning takes {fewest}.", labels=len(labels), fewest=FEWEST),
            _("Label more answers, or leave --tune out."),
        )
    connector.check_budget()
    async with _opened(prepared, connector, labels, emit) as (context, budget):
        try:
            judge = LabelJudge(context, prepared.settings, labels, _scale(prepared, labels))
            verdicts = await judge.judge(_criteria(prepared, labels), 1)
            tuned = await _tune(context, judge, verdicts, prepared.settings.seed) if tunes else None
        except Halted as halt:
            raise SpotuiError(
                _("The judge could not be checked: {cause}", cause=halt.cause),
                _("What was asked until then is kept: checking again goes on from there."),
            ) from None
        return LabelCheck(verdicts, tuned, budget.spending)


@asynccontextmanager
async def _opened(
    prepared: Prepared, connector: Connector, labels: Sequence[Label], emit: Callable[[Event], None]
) -> AsyncIterator[tuple[Context, Budget]]:
    """What the calls are made with; those about the same labels are kept together."""
    settings = prepared.settings
    asked = (*settings.panel, *filter(None, [settings.roles.optimizer.model]))
    texts = "\0".join(f"{one.row.asked}\0{one.first}\0{one.second}" for one in labels)
    mark = blake2b(texts.encode("utf-8", "replace"), digest_size=6).hexdigest()
    name = f"{prepared.path.stem}-labels-{mark}"
    folder = calls_folder(locations.judge_checks_dir(), name, endpoints_of(asked, connector))
    async with open_context(prepared, folder, Connections(connector.connect), emit) as opened:
        yield opened


def _criteria(prepared: Prepared, labels: Sequence[Label]) -> str:
    return criteria_for(prepared.template) if labels[0].second is None else prepared.task.aim


def _scale(prepared: Prepared, labels: Sequence[Label]) -> Scale:
    """As the template marks; where people gave marks between 0 and 1, so does the judge."""
    choice = metric_of(prepared.template)
    if any(one.mark not in (None, 0, 1) for one in labels):
        return "graded"
    scale: Scale = choice.options.get("scale", "binary") if choice and choice.name == "judge" else "binary"
    return scale


async def _tune(context: Context, judge: LabelJudge, verdicts: Verdicts, seed: int) -> Tuned:
    learn, prove = halves(verdicts, seed)
    best, modification = verdicts.at(learn), ""
    known, written = {fold(verdicts.criteria)}, 0
    for number in range(2, 2 + PROPOSALS):
        wrong = [one for one in best.judged if not one.decision.agrees]
        if not wrong:
            break
        found = await _propose(context, best, number, seed)
        if not found or fold(found["criteria"]) in known:
            continue
        written += 1
        known.add(fold(found["criteria"]))
        tried = await judge.judge(found["criteria"], number, learn)
        if tried.agreement.agreed > best.agreement.agreed:
            best, modification = tried, found.get("modification", "")
    old = verdicts.at(prove)
    new = old if best.criteria == verdicts.criteria else await judge.judge(best.criteria, _PROVED, prove)
    marks = [[float(one.agrees) for one in each.decisions] for each in (old, new)]
    return Tuned(
        criteria=best.criteria,
        modification=modification,
        learned=len(learn),
        learned_before=verdicts.at(learn).agreement.agreed,
        learned_after=best.agreement.agreed,
        old=old,
        new=new,
        paired=compare(marks[0], marks[1], seed=seed),
        proposals=written,
    )


def halves(verdicts: Verdicts, seed: int) -> tuple[list[int], list[int]]:
    """The positions of two halves of the labels, with about as many of each decision of people in both.

    Args:
        verdicts: The labels.
        seed: The same one makes the same halves.
    """
    order = list(range(len(verdicts.judged)))
    random.Random(f"{seed}/labels").shuffle(order)  # noqa: S311 - reproducible on purpose
    order.sort(key=lambda position: verdicts.judged[position].decision.people)
    return sorted(order[::2]), sorted(order[1::2])


async def _propose(context: Context, best: Verdicts, number: int, seed: int) -> dict[str, str]:
    """New criteria for the labels on which the judge disagrees; empty where the reply holds none."""
    wrong = [one for one in best.judged if not one.decision.agrees]
    shown = random.Random(f"{seed}/disagreements/{number}").sample(wrong, min(_SHOWN, len(wrong)))  # noqa: S311 - reproducible on purpose
    is_pair = shown[0].label.second is not None
    examples, say = [], context.task.say
    for index, one in enumerate(shown, 1):
        label, decision = one.label, one.decision
        answers = [("Answer: {text}", label.first)]
        if label.second is not None:
            answers = [("First answer: {text}", label.first), ("Second answer: {text}", label.second)]
        lines = [say("Case {n}", n=index), say("Question: {text}", text=_cut(label.row.asked))]
        lines += [say(name, text=_cut(text)) for name, text in answers]
        decided = {"people": say(decision.people), "judge": say(decision.judge)}
        lines.append(say("People: {people}. The judge: {judge}.", **decided))
        lines += [say("The judge's reason: {text}", text=_cut(one.reason))] if one.reason else []
        examples.append("\n".join(lines))
    meta = context.meta["judge_tune"].render(
        how=say(_HOW[is_pair]),
        criteria=quote_tags(best.criteria, _FENCES),
        examples=quote_tags("\n\n".join(examples), _FENCES),
    )
    request = context.asker.request("optimizer", [user(meta)])
    reply = await context.asker.ask(CallKey(number, "tune_judge"), request)
    found = context.asker.read(reply, *_PARTS, asked=meta)
    return found if found.get("criteria", "").strip() else {}


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"
