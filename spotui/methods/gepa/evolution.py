"""GEPA's loop: reflective mutation, a gate, a Pareto front (arXiv 2507.19457, algorithm 1)."""

from collections.abc import Sequence
from typing import NamedTuple

from spotui.engine import Candidate, Engine, RowOutcome, RowSet, ScoredRound, together
from spotui.engine.task import batches
from spotui.lang import _
from spotui.methods.gepa.front import Member, child, front_of, items, sample
from spotui.methods.gepa.merging import best_pair, contested, joined, sources
from spotui.methods.gepa.parameters import Parameters
from spotui.methods.method import fenced, points, rules, shown, shown_input, shown_references


class Proposal(NamedTuple):
    """A new prompt that is wanted, and what it has to pass.

    Attributes:
        parents: What it is made from.
        text: The question to the optimizer.
        rows: The rows of the gate.
        marks: What its parents, the best of them, got on these rows.
    """

    parents: tuple[Member, ...]
    text: str
    rows: RowSet
    marks: tuple[float | None, ...]


async def optimize(engine: Engine, parameters: Parameters) -> None:
    """Improve prompts of the front by what they got wrong, and add to the pool what passes the gate.

    Raises:
        Halted: The run ends before; the engine knows the best so far.
    """
    async with engine.round(1) as turn:
        (seed,) = await turn.score([engine.seed], engine.rows.eval)
        await turn.keep(seed)
        pool = [child(1, 0, seed)]
        front = front_of(pool)
        show(turn, front, pool)
    perfect: set[str] = set()  # prompts that no train row fails
    merged: set[frozenset[str]] = set()
    for number in engine.rounds():
        if engine.leader is not None and engine.leader.score.mean == 1:
            engine.end("perfect", _("Every row that prompts are chosen by is answered right."))
        flawed = [one for one in front if one.name not in perfect]
        if not flawed:
            engine.end(
                "perfect",
                _(
                    "The best prompts answer every train row right, so there is nothing left to learn from. "
                    "Use more or harder train rows, or a method that needs no wrong ones, for example "
                    "fewshot."
                ),
            )
        async with engine.round(number) as turn:
            step = (number - 2) * parameters.width
            parents = [
                sample(flawed, seed=f"{engine.task.seed}/gepa/{step + index}")
                for index in range(parameters.width)
            ]
            studied = await together(
                [
                    mutation(engine, turn, parameters, one, step + index)
                    for index, one in enumerate(parents, 1)
                ]
            )
            perfect.update(one.name for one, found in zip(parents, studied, strict=True) if found is None)
            wanted = [one for one in studied if one is not None]
            pair = None
            if parameters.merge_every and (number - 1) % parameters.merge_every == 0:
                pair = best_pair(front, merged, pool)
            if pair is not None:
                merged.add(frozenset((pair[0].name, pair[1].name)))
                wanted.append(merge(engine, parameters, *pair))
            made = await propose(engine, turn, parameters, wanted, pool)
            passed = await together([passes(turn, one, of, parameters) for one, of in made])
            fit = [one for one, is_fit in zip(made, passed, strict=True) if is_fit]
            scored = await turn.challenge([one for one, _of in fit], engine.rows.eval)
            await turn.keep_best(scored)
            fresh = [(one, of) for one, (_candidate, of) in zip(scored, fit, strict=True) if one.is_whole]
            added = [child(number, at, one, of.parents) for at, (one, of) in enumerate(fresh)]
            pool += added
            front = front_of([*front, *added])
            show(turn, front, pool)
            if not wanted:
                turn.explain(_("the prompts that were drawn answer every train row right"))


async def mutation(
    engine: Engine, turn: ScoredRound, parameters: Parameters, parent: Member, step: int
) -> Proposal | None:
    """The question for a better prompt, by the next minibatch that the parent fails on; None without one."""
    train, size, seed = engine.rows.train, parameters.minibatch_rows, f"{engine.task.seed}/minibatches"
    for later in range(batches(len(train), size)):
        rows = train.batch(step + later, size, seed=seed)
        outcomes = await turn.outcomes(parent.prompt, rows)
        if any(one.mark is not None and one.mark < 1 for one in outcomes):
            break
    else:
        return None
    task, part = engine.task, engine.task.part(turn.number)
    lead = task.say("Write a better prompt for this task.")
    text = engine.meta["gepa_reflect"].render(
        task=task.description,
        current=fenced(task.shown_prompt(part.of(parent.prompt))),
        examples="\n\n".join(feedback(engine, rows, one) for one in outcomes if one.mark is not None),
        change=task.join(lead, *rules(engine), *task.beside(part, parent.prompt)),
    )
    return Proposal((parent,), text, rows, tuple(one.mark for one in outcomes))


def feedback(engine: Engine, rows: RowSet, outcome: RowOutcome) -> str:
    """What came of a row, with the metric's or the evaluator's words, as the optimizer reads it."""
    row, note = rows.row(outcome.position), outcome.note.strip()
    mark = "Mark: {points} of 100"
    if note and note != outcome.answer.strip():
        mark = "Mark: {points} of 100, given for: {note}"
    elif not note and not outcome.mark:
        mark = "Mark: {points} of 100: no answer in the form that is wanted could be read from it"
    return "\n".join(
        (
            engine.task.say("Input: {text}", text=shown_input(row)),
            engine.task.say("Answer of the model: {text}", text=shown(outcome.answer)),
            engine.task.say("Expected: {references}", references=shown_references(engine, row)),
            engine.task.say(mark, points=points(outcome.mark or 0.0), note=shown(note)),
        )
    )


def merge(engine: Engine, parameters: Parameters, first: Member, second: Member) -> Proposal:
    """The question for a prompt that does well where either of two does; its gate are rows they differ on."""
    positions = contested(first, second, parameters.minibatch_rows)
    rows = engine.rows.eval.at(positions)
    better = max((first, second), key=lambda each: sum(each.marks[position] for position in positions))
    text = engine.meta["gepa_merge"].render(
        task=engine.task.description,
        current=fenced(first.prompt),
        other=fenced(second.prompt),
        change=engine.task.join(
            engine.task.say("Write one prompt that does well wherever either of them does."), *rules(engine)
        ),
    )
    return Proposal(
        (first, second), text, rows, tuple(better.scored.marks[position] for position in positions)
    )


async def propose(
    engine: Engine,
    turn: ScoredRound,
    parameters: Parameters,
    wanted: Sequence[Proposal],
    pool: Sequence[Member],
) -> list[tuple[Candidate, Proposal]]:
    """The new prompts, each with what was wanted; a program is merged prompt by prompt, without a model."""
    joins = [one for one in wanted if len(one.parents) > 1 and engine.task.parts]
    asked = [one for one in wanted if one not in joins]
    if not wanted:
        return []
    made = await turn.propose_several(
        [one.text for one in asked],
        [[each.scored.candidate for each in one.parents] for one in asked],
        temperature=parameters.optimizer_temperature,
        made=[join(turn.number, *one.parents, pool=pool) for one in joins],
    )
    return [(one, [*asked, *joins][one.position]) for one in made]


def join(number: int, first: Member, second: Member, *, pool: Sequence[Member]) -> Candidate:
    """A program of two, which takes each prompt from the one that changed it."""
    prompt = joined(first, second, pool)
    rounds = (first.scored.candidate.round, second.scored.candidate.round)
    return Candidate(
        round=number,
        prompt=prompt,
        parent=rounds[0],
        other_parents=rounds[1:] if rounds[0] != rounds[1] else (),
        modification=sources(first, second, prompt),
    )


async def passes(turn: ScoredRound, candidate: Candidate, of: Proposal, parameters: Parameters) -> bool:
    """Whether a prompt passes the gate: on the same rows it is not clearly behind what it was made from."""
    if candidate.edited or parameters.gate_tolerance > len(of.rows):
        return True
    outcomes = await turn.outcomes(candidate.prompt, of.rows)
    pairs = [
        (before, one.mark)
        for before, one in zip(of.marks, outcomes, strict=True)
        if before is not None and one.mark is not None
    ]
    gained = sum(after - before for before, after in pairs)
    if not pairs or gained > -parameters.gate_tolerance:
        return True
    before, after = (sum(marks) / len(pairs) for marks in zip(*pairs, strict=True))
    turn.refuse(
        candidate,
        _(
            "on the {rows} rows of the gate it scores {after}, and the prompt it was made from {before}",
            rows=len(pairs),
            after=points(after),
            before=points(before),
        ),
    )
    return False


def show(turn: ScoredRound, front: Sequence[Member], pool: Sequence[Member]) -> None:
    """Show the front: its size, and each prompt with its parents and the rows that it leads."""
    turn.fill("front", f"{len(front)} of {len(pool)}")
    turn.show("front", items(front))
