"""GRAD-SUM (Austin and Chartock, arXiv 2407.12865)."""

from collections.abc import Sequence
from functools import partial
from itertools import count
from typing import Annotated

import msgspec
from msgspec import Meta

from spotui.domain.declared import Block, Column, Note
from spotui.domain.events import BlockItem
from spotui.engine import Candidate, Engine, RowOutcome, RowSet, Scored, ScoredRound, together
from spotui.engine.meta_prompts import MetaPrompt
from spotui.lang import N_, _
from spotui.methods.method import (
    Calls,
    Method,
    PromptPosition,
    QaLabels,
    Races,
    fenced,
    rules,
    shown,
    shown_input,
    shown_references,
)


class Parameters(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The parameters of GRAD-SUM; the defaults are the paper's, or ours where it is silent."""

    iterations: Annotated[int, Meta(ge=1, le=10_000, description=N_("rounds after the seed's"))] = 10
    beam: Annotated[int, Meta(ge=1, le=100, description=N_("prompts kept for the next round"))] = 3
    train_rows: Annotated[
        int, Meta(ge=1, le=10_000, description=N_("train rows from which gradients are written"))
    ] = 30
    candidates_per_parent: Annotated[
        int, Meta(ge=1, le=100, description=N_("edits of each prompt of the beam (not in the paper)"))
    ] = 4
    subset_rows: Annotated[
        int,
        Meta(
            ge=1,
            le=10_000,
            description=N_("eval rows that choose the beam, always the same (not in the paper)"),
        ),
    ] = 20
    gradients_at_once: Annotated[
        int,
        Meta(
            ge=500, le=10_000_000, description=N_("characters of gradients in one summary (not in the paper)")
        ),
    ] = 8000
    optimizer_temperature: Annotated[
        float,
        Meta(ge=0, le=2, description=N_("the optimizer's temperature when it edits (not in the paper)")),
    ] = 1.0
    prompt_position: PromptPosition = "before_question"
    qa_labels: QaLabels = False


def calls(parameters: Parameters, train_rows: int, eval_rows: int) -> Calls:
    """About how many calls a run makes, without the test at the end: half of the train rows fail, say."""
    train = min(train_rows, parameters.train_rows)
    subset = min(eval_rows, parameters.subset_rows)
    parents = 1 + (parameters.iterations - 1) * parameters.beam
    per_parent = parameters.candidates_per_parent
    edits = parents * per_parent
    races = (
        Races(1, per_parent, parameters.beam, subset),
        Races(parameters.iterations - 1, parameters.beam * per_parent, parameters.beam, subset),
    )
    return Calls(
        proposals=edits,
        notes=parents * (train // 2 + 1),
        answers=eval_rows * (1 + parameters.iterations) + parents * train + edits * subset,
        steps=parameters.iterations,
        races=races,
    )


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
        self._turn.note("summary", text, index=self._member, prompt=self._prompt)
        return text

    async def _gradient(self, rows: RowSet, outcome: RowOutcome) -> str:
        """What to change in the prompt for the sake of one row."""
        row, task = rows.row(outcome.position), self._engine.task
        reason = shown(outcome.note) or task.say("It is not what was expected.")
        if row.references:
            expected = shown_references(self._engine, row)
            reason = task.join(reason, task.say("Expected: {references}", references=expected))
        text = self._engine.meta["gradsum_gradient"].render(
            task=task.description,
            prompt=fenced(self._prompt),
            input=shown_input(row),
            response=shown(outcome.answer),
            criteria=fenced(task.criteria),
            reason=reason,
        )
        index = self._member * rows.size + outcome.position
        gradient = await self._turn.ask("evaluator", "gradient", text, index=index, part="change")
        self._turn.note("gradient", gradient, index=index, prompt=self._prompt)
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
        merged = await self._turn.ask("evaluator", "summarize", text, index=index, part="summary")
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


async def optimize(engine: Engine, parameters: Parameters) -> None:
    """Generate, evaluate, write gradients, sum them up, edit, and keep a beam of the best.

    Raises:
        Halted: The run ends before; the engine knows the best so far.
    """
    seed, whole = engine.task.seed, engine.rows.eval
    train = engine.rows.train.draw(parameters.train_rows, seed=f"{seed}/gradients")
    subset = whole.draw(parameters.subset_rows, seed=f"{seed}/subset")
    async with engine.round(1) as turn:
        (first,) = await turn.score([engine.seed], whole)
        await turn.keep(first)
    beam = [first.candidate]
    learned: dict[str, str] = {}

    for number in engine.rounds():
        async with engine.round(number) as turn:
            outcomes = await together([turn.outcomes(one.prompt, train) for one in beam])
            failures = sum(one.mark not in (1, None) for outcome in outcomes for one in outcome)
            turn.fill("failures", failures)
            if not failures:
                turn.explain("no train row is below full score, so there is nothing to learn from")
                break
            await learn(engine, turn, parameters, beam, outcomes, train, learned)
            parents = [(one, learned[one.prompt]) for one in beam if learned[one.prompt]]
            change = partial(edit, engine, turn, parameters, parents)
            wanted = len(parents) * parameters.candidates_per_parent
            scored = await turn.race([*beam, *await change(0, wanted)], subset, keep=parameters.beam)
            scored = await turn.race_more(scored, subset, change, keep=parameters.beam, asked=wanted)
            beam = choose(turn, parameters, [one for one in scored if one.is_whole])
            is_last = number == 1 + parameters.iterations
            finalists = await turn.score(beam if is_last else beam[:1], whole)
            await turn.keep(max(finalists, key=rank))
    else:
        return
    engine.end("perfect", _("No train row is below full score, so there is nothing left to learn from."))


async def learn(
    engine: Engine,
    turn: ScoredRound,
    parameters: Parameters,
    beam: Sequence[Candidate],
    outcomes: Sequence[Sequence[RowOutcome]],
    train: RowSet,
    learned: dict[str, str],
) -> None:
    """Note what has to change in each prompt of the beam; nothing for one that no train row fails.

    What was learned of a prompt in an earlier round holds as long as it is in the beam: it answers the same.
    """
    new = [at for at, one in enumerate(beam) if one.prompt not in learned]
    summaries = await together(
        [
            Summarizer(engine, turn, at, beam[at].prompt, parameters.gradients_at_once).summary(
                train, outcomes[at]
            )
            for at in new
        ]
    )
    learned.update({beam[at].prompt: text for at, text in zip(new, summaries, strict=True)})


async def edit(
    engine: Engine,
    turn: ScoredRound,
    parameters: Parameters,
    parents: Sequence[tuple[Candidate, str]],
    first: int,
    wanted: int,
) -> list[Candidate]:
    """New prompts, several from each parent.

    Args:
        engine: The run.
        turn: The round.
        parameters: Edits of each parent, and their temperature.
        parents: The prompts to edit, each with what has to change.
        first: How many edits the round has asked for before.
        wanted: How many to ask for.
    """
    each = parameters.candidates_per_parent
    asked = [parents[number // each % len(parents)] for number in range(first, first + wanted)]
    task = engine.task
    change = [task.say("Edit the prompt so that these failures no longer occur."), *rules(engine)]
    part = engine.task.part(turn.number)
    return await turn.propose_several(
        [
            engine.meta["gradsum_edit"].render(
                task=task.description,
                current=fenced(part.of(parent.prompt)),
                summary=fenced(summary),
                change=task.join(*change, *task.beside(part, parent.prompt)),
            )
            for parent, summary in asked
        ],
        [parent for parent, _ in asked],
        temperature=parameters.optimizer_temperature,
        first=first,
    )


def choose(turn: ScoredRound, parameters: Parameters, scored: list[Scored]) -> list[Candidate]:
    """The beam of the next round: the best of parents and edits."""
    best = sorted(scored, key=rank, reverse=True)[: parameters.beam]
    turn.show(
        "beam",
        [
            BlockItem(
                one.prompt,
                one.score.mean,
                one.score.interval.low,
                one.score.interval.high,
                one.score.rows,
            )
            for one in best
        ],
    )
    return [one.candidate for one in best]


def rank(scored: Scored) -> tuple[float, int]:
    """Higher scores first, then shorter prompts; among equals the earlier one stays first."""
    return scored.value, -len(scored.prompt)


_TASK = N_("what the run is for")

GRADIENT = MetaPrompt.beside(
    __file__,
    "gradsum_gradient",
    task=_TASK,
    prompt=N_("the prompt"),
    input=N_("the row's input"),
    response=N_("the answer to it"),
    criteria=N_("the criteria"),
    reason=N_("why the answer falls short"),
)
SUMMARIZE = MetaPrompt.beside(
    __file__, "gradsum_summarize", task=_TASK, gradients=N_("the gradients of several rows")
)
EDIT = MetaPrompt.beside(
    __file__,
    "gradsum_edit",
    task=_TASK,
    current=N_("the prompt to edit"),
    summary=N_("the summary of its gradients"),
    change=N_("what to do, the word limit and the slots of the prompt"),
)

GRADSUM = Method(
    optimize=optimize,
    summary=N_("Says for every failure what to change, sums that up, and edits a beam of prompts by it."),
    source="Austin and Chartock, arXiv 2407.12865",
    parameters=Parameters,
    scores=True,
    rounds=lambda parameters, _: 1 + parameters.iterations,
    calls=calls,
    length="iterations",
    edits=lambda _: True,
    meta_prompts=(GRADIENT, SUMMARIZE, EDIT),
    notes=(Note("gradient"), Note("summary", "summarize", "summaries")),
    columns=(Column("failures", N_("train rows below full score, all prompts of the beam together")),),
    blocks=(Block("beam", N_("prompts for the next round")),),
)
