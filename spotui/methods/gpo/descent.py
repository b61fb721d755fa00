"""GPO's loop (Tang et al., arXiv 2402.17564, algorithm 1 and section 3) and its step sizes."""

import math
from collections.abc import Collection, Sequence
from functools import partial

from spotui.domain.events import PastShown
from spotui.engine import Candidate, Engine, Scored, ScoredRound, fold
from spotui.lang import _
from spotui.methods.gpo.asking import describe, failures, fault_finder, latest
from spotui.methods.gpo.parameters import Parameters, embeds, steps
from spotui.methods.gpo.trajectory import Trajectory, similarities


def edit_budget(parameters: Parameters, step: int, last: int) -> int | None:
    """Words that a step may change, its integer part, at least 1; None for no limit.

    Args:
        parameters: The schedule with its ends and its warm-up.
        step: From 1.
        last: How many steps the schedule is made for; steps beyond have the final budget.
    """
    high, low, warmup = parameters.edit_budget_initial, parameters.edit_budget_final, parameters.warmup_steps
    if parameters.edit_budget_schedule == "none":
        return None
    if step < warmup:
        return max(1, int(high * step / warmup))
    done = 1.0 if step >= last else (step - warmup) / (last - warmup)
    match parameters.edit_budget_schedule:
        case "constant":
            budget = float(high)
        case "linear":
            budget = high - (high - low) * done
        case "cosine":
            budget = low + (high - low) / 2 * (1 + math.cos(math.pi * done))
    # A hair above, as the cosine of a right angle is not quite 0 in floating point.
    return max(1, int(budget + 1e-9))


async def optimize(engine: Engine, parameters: Parameters) -> None:
    """Score the seed; then propose, score on all eval rows and go on from the best, step by step.

    Raises:
        Halted: The run ends before; the engine knows the best so far.
    """
    if parameters.only_evaluate and engine.task.edition > 1:
        await evaluate(engine)
        return
    rows = engine.rows.eval
    last = steps(parameters, len(engine.rows.train))
    trajectory = Trajectory(parameters, by_score=engine.task.edition == 1)
    summary = ""
    async with engine.round(1) as turn:
        (current,) = await turn.score([engine.seed], rows)
        await turn.keep(current)
    trajectory.add_prompt(current)
    been_current = {fold(current.prompt)}

    for number in engine.rounds():
        end_if_perfect(engine)
        step = number - 1
        async with engine.round(number) as turn:
            budget = edit_budget(parameters, step, last)
            reflection = await reflect(engine, turn, parameters, current, step)
            past = await trajectory.select(
                reflection if parameters.trajectory_content == "reflections" else current.prompt,
                partial(by_meaning, engine, turn) if embeds(parameters) else shared_words,
            )
            if parameters.trajectory == "summarization":
                summary = await summarize(
                    engine, turn, summary, latest(engine, parameters, current, reflection)
                )
            engine.tell(
                PastShown(round=number, current=current.candidate.round, past=tuple(past), edit_budget=budget)
            )
            meta = describe(engine, parameters, current, past, summary, reflection, budget, step)
            propose = partial(candidates, turn, parameters, meta, current, budget, been_current)
            count = parameters.candidates_per_step
            scored = await turn.race(await propose(0, count), rows, keep=1)
            scored = await turn.race_more(scored, rows, propose, keep=1, asked=count)
            trajectory.add_reflection(number, reflection, current)
            # What was dropped from the race has a score on some rows only: the optimizer compares scores of
            # all rows, as in the paper, so it is neither chosen nor remembered.
            fresh = [one for one in scored if one.is_whole and one.score.rows]
            if not fresh:
                continue
            current = max(fresh, key=lambda one: (one.value, -len(one.prompt)))
            been_current.add(fold(current.prompt))
            for one in [current, *(fresh if parameters.trajectory_losers else [])]:
                trajectory.add_prompt(one)
            await turn.keep(current)
    end_if_perfect(engine)


async def candidates(
    turn: ScoredRound,
    parameters: Parameters,
    meta: str,
    current: Scored,
    budget: int | None,
    been_current: Collection[str],
    first: int,
    count: int,
) -> list[Candidate]:
    """New prompts from one question, without those that have been current before.

    Args:
        turn: The step.
        parameters: Their temperature, and what is wrong with one.
        meta: The question.
        current: The prompt they start from.
        budget: Words that each may change.
        been_current: The prompts that have been current, folded.
        first: How many the step has asked for before.
        count: How many to ask for.
    """
    found = await turn.propose_several(
        [meta] * count,
        [current.candidate] * count,
        temperature=parameters.optimizer_temperature,
        check=fault_finder(parameters, budget),
        edit_budget=budget,
        first=first,
    )
    return [one for one in found if fold(one.prompt) not in been_current]


async def evaluate(engine: Engine) -> None:
    """Score the seed on the test rows, or on the eval rows where there are none."""
    rows = engine.rows.test if len(engine.rows.test) else engine.rows.eval
    async with engine.round(1) as turn:
        (seed,) = await turn.score([engine.seed], rows)
        await turn.keep(seed)


async def reflect(
    engine: Engine, turn: ScoredRound, parameters: Parameters, current: Scored, step: int
) -> str:
    """What the optimizer thinks of the rows of a train batch that the current prompt got wrong.

    The batch is asked only when there is a reflection to make of it; a row that errored is no failure.
    """
    if parameters.descent_direction == "performance":
        return ""
    batch = engine.rows.train.batch(step, parameters.batch_size, seed=f"{engine.task.seed}/batches")
    outcomes = await turn.outcomes(current.prompt, batch)
    wrong = [one for one in outcomes if one.mark is not None and one.mark < 1]
    if not wrong:
        return ""
    text = engine.meta["gpo_reflect"].render(
        task=engine.task.description, prompt=current.prompt, failures=failures(engine, batch, wrong)
    )
    reflection = await turn.ask("optimizer", "reflect", text, part="diagnosis")
    turn.note("reflection", reflection, prompt=current.prompt)
    return reflection


async def summarize(engine: Engine, turn: ScoredRound, summary: str, new: str) -> str:
    """The running summary, with the latest step in it."""
    if not new:
        return summary
    text = engine.meta["gpo_summarize"].render(
        task=engine.task.description, summary=summary or engine.task.say("Nothing yet."), latest=new
    )
    merged = await turn.ask("optimizer", "summarize", text, part="summary")
    turn.note("summary", merged)
    return merged


async def by_meaning(engine: Engine, turn: ScoredRound, query: str, texts: Sequence[str]) -> list[float]:
    """How much texts are alike, by the embedding model, which takes no empty text."""
    shown = engine.task.shown_prompt
    return await turn.similarities(shown(query), [shown(text) for text in texts])


async def shared_words(query: str, texts: Sequence[str]) -> list[float]:
    """How much texts are alike, by BM25."""
    return similarities(query, texts)


def end_if_perfect(engine: Engine) -> None:
    """End the run when no prompt can score higher.

    Raises:
        Halted: It ends.
    """
    if engine.leader is not None and engine.leader.score.mean == 1:
        engine.end("perfect", _("Every row that prompts are chosen by is answered right."))
