"""A method of another package: GEPA's reflective mutation with a gate, without its merging.

A lesson is drawn from a few train rows, one prompt is written by it, and only a prompt that does better on
these rows is scored on all eval rows.
"""

import asyncio
from typing import Annotated, Literal

import msgspec

from spotui.domain.events import NoteWritten
from spotui.engine import Engine, RowOutcome
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


class Parameters(msgspec.Struct, frozen=True, kw_only=True):
    steps: Annotated[int, msgspec.Meta(ge=1, le=100, description="rounds after the seed's")] = 2
    batch: Annotated[int, msgspec.Meta(ge=1, le=100, description="train rows for a lesson")] = 6
    fault: Annotated[
        Literal["none", "method", "group", "undeclared"], msgspec.Meta(description="how the method fails")
    ] = "none"


async def optimize(engine: Engine, parameters: Parameters) -> None:
    """Reflect on a batch, propose, and score what does better on the batch."""
    async with engine.round(1) as turn:
        (best,) = await turn.score([engine.seed], engine.rows.eval)
        await turn.keep(best)
    for number in engine.rounds():
        async with engine.round(number) as turn:
            rows = engine.rows.train.batch(number - 1, parameters.batch, seed=f"{engine.task.seed}/pareto")
            before = await turn.outcomes(best.prompt, rows)
            failures = "\n".join(one.answer for one in before if one.mark == 0)
            lesson = await turn.ask(
                "optimizer",
                "learn",
                engine.meta["pareto_learn"].render(prompt=best.prompt, failures=failures or "Nothing."),
            )
            engine.tell(NoteWritten(round=number, what="lesson", text=lesson, prompt=best.prompt))
            if number > 2:
                await fail(engine, parameters.fault)
            text = engine.meta["pareto_propose"].render(
                task=engine.task.description, prompt=best.prompt, lesson=lesson
            )
            for candidate in await turn.propose_several([text], [best.candidate]):
                if total(await turn.outcomes(candidate.prompt, rows)) <= total(before):
                    turn.explain("the new prompt does no better on the batch")
                    continue
                (best,) = await turn.score([candidate], engine.rows.eval)
                await turn.keep(best)


async def fail(engine: Engine, fault: str) -> None:
    """Fail as code of another package can."""
    match fault:
        case "method":
            raise ValueError("the front is\nempty")
        case "group":
            async with asyncio.TaskGroup() as group:
                group.create_task(fail(engine, "method"))
        case "undeclared":
            engine.meta["pareto_merge"].render()


def total(outcomes: list[RowOutcome]) -> float:
    """The sum of the marks."""
    return sum(one.mark or 0.0 for one in outcomes)


PARETO = Method(
    optimize=optimize,
    summary="Reflects on a batch, and scores what does better on it.",
    source="after Agrawal et al., arXiv 2507.19457",
    parameters=Parameters,
    scores=True,
    rounds=lambda parameters, _: 1 + parameters.steps,
    calls=lambda parameters, _, eval_rows: Calls(
        proposals=parameters.steps,
        notes=parameters.steps,
        answers=eval_rows * (1 + parameters.steps) + 2 * parameters.batch * parameters.steps,
        steps=parameters.steps,
    ),
    length="steps",
    meta_prompts=(PROPOSE, LEARN),
)
UNNAMED = Method(optimize=optimize, meta_prompts=("pareto_merge",))  # type: ignore[arg-type]
