"""A method of another package: GEPA's reflective mutation and merging, with a gate and a Pareto front.

A lesson is drawn from a few train rows and one prompt is written by it, or two prompts of the front are
merged. Only a prompt that does better on these rows than the first it was made from is scored on all eval
rows.
"""

import asyncio
from collections.abc import Sequence
from typing import Annotated, Literal

import msgspec

from spotui.domain.declared import Block, Column, Note
from spotui.domain.events import BlockItem
from spotui.engine import Candidate, Engine, RowOutcome, RowSet, Scored, ScoredRound
from spotui.engine.meta_prompts import MetaPrompt
from spotui.methods.method import Calls, Method

PROPOSE = MetaPrompt.beside(
    __file__,
    "pareto_propose",
    task="what the run is for",
    prompt="the prompt to improve",
    lesson="what it lacks",
)
LEARN = MetaPrompt(
    "pareto_learn",
    "What a prompt got wrong:\n\n{prompt}\n\n<failures>\n{failures}\n</failures>\n\nWhat is lacking?",
    {"prompt": "the prompt", "failures": "answers to rows that it failed"},
)
MERGE = MetaPrompt(
    "pareto_combine",
    "Write one prompt of these two:\n\n<current_prompt>\n{one}\n\n{other}\n</current_prompt>\n\n"
    "Reply with an analyse tag, a modification tag and a prompt tag.",
    {"one": "a prompt of the front", "other": "another one"},
)

# fmt: off
Fault = Literal["none", "method", "group", "exit", "undeclared", "note", "column", "block", "check",
                "rounds", "calls", "embeds", "edits", "asks", "endless", "nobody"]
# fmt: on


class Parameters(msgspec.Struct, frozen=True, kw_only=True):
    steps: Annotated[int, msgspec.Meta(ge=1, le=100, description="rounds after the seed's")] = 2
    batch: Annotated[int, msgspec.Meta(ge=1, le=100, description="train rows for a lesson")] = 6
    merge_every: Annotated[int, msgspec.Meta(ge=2, le=100, description="rounds from merge to merge")] = 3
    fault: Annotated[Fault, msgspec.Meta(description="how the method fails")] = "none"


async def optimize(engine: Engine, parameters: Parameters) -> None:
    """Improve or merge prompts of the front, and score what does better on a batch."""
    async with engine.round(1) as turn:
        (seed,) = await turn.score([engine.seed], engine.rows.eval)
        await turn.keep(seed)
    pool = [seed]
    for number in engine.rounds():
        async with engine.round(number) as turn:
            front = front_of(pool)
            parents = [front[number % len(front)].candidate]
            if number % parameters.merge_every == 0 and len(front) > 1:
                parents.append(front[(number + 1) % len(front)].candidate)
            rows = engine.rows.train.batch(number - 1, parameters.batch, seed=f"{engine.task.seed}/pareto")
            before = await turn.outcomes(parents[0].prompt, rows)
            text = await describe(engine, turn, parents, before)
            if number > 2:
                await fail(engine, turn, parameters.fault)
            for candidate in await turn.propose_several(
                [text], [parents], check=broken if parameters.fault == "check" and number > 2 else fine
            ):
                if await beats(turn, candidate, rows, before):
                    (scored,) = await turn.score([candidate], engine.rows.eval)
                    await turn.keep(scored)
                    pool.append(scored)
                else:
                    turn.refuse(candidate, "it does no better on the batch")
            show(turn, pool)


async def describe(
    engine: Engine, turn: ScoredRound, parents: Sequence[Candidate], before: Sequence[RowOutcome]
) -> str:
    """The optimizer's question: to merge two prompts, or to improve one by a lesson."""
    if len(parents) > 1:
        one, other = parents
        return engine.meta["pareto_combine"].render(one=one.prompt, other=other.prompt)
    prompt = parents[0].prompt
    failures = "\n".join(one.answer for one in before if one.mark == 0) or "Nothing."
    lesson = await turn.ask(
        "optimizer", "learn", engine.meta["pareto_learn"].render(prompt=prompt, failures=failures)
    )
    turn.note("lesson", lesson, prompt=prompt)
    return engine.meta["pareto_propose"].render(task=engine.task.description, prompt=prompt, lesson=lesson)


async def beats(turn: ScoredRound, candidate: Candidate, rows: RowSet, before: Sequence[RowOutcome]) -> bool:
    """Whether a candidate does better on the batch than its first parent."""
    return total(await turn.outcomes(candidate.prompt, rows)) > total(before)


def front_of(pool: Sequence[Scored]) -> list[Scored]:
    """The prompts that no other beats on some row."""
    return [one for one in pool if rows_led(one, pool)]


def rows_led(one: Scored, pool: Sequence[Scored]) -> int:
    """On how many rows no prompt does better than one of them."""
    best = [max(mark or 0.0 for mark in marks) for marks in zip(*(each.marks for each in pool), strict=True)]
    return sum(mark is not None and mark >= top for mark, top in zip(one.marks, best, strict=True))


def show(turn: ScoredRound, pool: Sequence[Scored]) -> None:
    """Show the front in the log and its size in the tables."""
    front = front_of(pool)
    turn.fill("front", len(front))
    turn.show(
        "front",
        [BlockItem(one.prompt, one.score.mean, facts={"rows led": rows_led(one, pool)}) for one in front],
    )


async def fail(engine: Engine, turn: ScoredRound, fault: Fault) -> None:
    """Fail as code of another package can."""
    match fault:
        case "method":
            raise ValueError("the front is\nempty")
        case "group":
            async with asyncio.TaskGroup() as group:
                group.create_task(fail(engine, turn, "method"))
        case "exit":
            raise SystemExit("no more")
        case "undeclared":
            engine.meta["pareto_merge"].render()
        case "note":
            turn.note("advice", "Carry.")
        case "column":
            turn.fill("lead", 1)
        case "block":
            turn.show("pool", [])
        case _:
            pass


def fine(prompt: str, parent: str) -> str:
    """Find nothing wrong with a prompt."""
    return ""


def broken(prompt: str, parent: str) -> str:
    """Fail to look at a prompt."""
    return dict[str, str]()["front"]


def total(outcomes: Sequence[RowOutcome]) -> float:
    """The sum of the marks."""
    return sum(one.mark or 0.0 for one in outcomes)


def rounds(parameters: Parameters, _: int) -> int:
    if parameters.fault == "endless":
        return -1
    return 1 + parameters.steps // (parameters.fault != "rounds")


def calls(parameters: Parameters, _: int, eval_rows: int) -> Calls:
    if parameters.fault == "calls":
        raise KeyError("rows")
    return Calls(
        proposals=parameters.steps,
        notes=parameters.steps,
        answers=eval_rows * (1 + parameters.steps) + 2 * parameters.batch * parameters.steps,
        steps=parameters.steps,
    )


def embeds(parameters: Parameters) -> bool:
    assert parameters.fault != "embeds", "nothing to embed"
    return False


def edits(parameters: Parameters) -> bool:
    if parameters.fault == "edits":
        raise SystemExit
    return True


def asks(parameters: Parameters) -> tuple[str, ...]:
    if parameters.fault == "asks":
        raise RuntimeError
    return ("optimizer", "nobody" if parameters.fault == "nobody" else "executor")


PARETO = Method(
    optimize=optimize,
    summary="Reflects on a batch, and scores what does better on it.",
    source="after Agrawal et al., arXiv 2507.19457",
    parameters=Parameters,
    scores=True,
    rounds=rounds,
    calls=calls,
    embeds=embeds,
    edits=edits,
    asks=asks,
    length="steps",
    meta_prompts=(PROPOSE, LEARN, MERGE),
    notes=(Note("lesson", "learn"),),
    columns=(Column("front", "prompts that no other beats on some eval row"),),
    blocks=(Block("front", "prompts that no other beats on some eval row"),),
)
UNNAMED = Method(optimize=optimize, meta_prompts=("pareto_merge",))  # type: ignore[arg-type]
