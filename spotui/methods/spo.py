"""SPO: Self-Supervised Prompt Optimization (Xiang et al., arXiv 2502.06855, Algorithm 1).

No labels: the only signal is a judge that compares the answers of two prompts. The paper forgets why a
candidate lost, and proposes one at a time: `feedback=none` and `width=1` are its algorithm.
"""

from typing import Annotated, Any, Final, Literal, NamedTuple

import msgspec

from spotui.domain.rows import braced
from spotui.domain.tags import quote_tags
from spotui.engine import Candidate, Engine, Trial, format_answers, format_references
from spotui.engine.meta_prompts import MetaPrompt
from spotui.lang import N_
from spotui.methods.method import Method
from spotui.methods.spo_lessons import lessons, loser_to_rework

MOST_CANDIDATES: Final = 8
"""As many as there are ideas to tell them apart by."""


class Parameters(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The parameters of SPO."""

    feedback: Annotated[
        Literal["reasons", "none"],
        msgspec.Meta(
            description=N_("what the optimizer learns of earlier rounds: losers and reasons, or nothing")
        ),
    ] = "reasons"
    rework_every: Annotated[
        Annotated[int, msgspec.Meta(ge=2, le=1000)] | None,
        msgspec.Meta(description=N_("every so many rounds, a loser is reworked in place of the best prompt")),
    ] = 3
    width: Annotated[
        int,
        msgspec.Meta(ge=1, le=MOST_CANDIDATES, description=N_("candidates a round, all asked for at once")),
    ] = 1


async def optimize(engine: Engine, parameters: Parameters) -> None:
    """Propose from the best, execute, compare, keep the winner, until the wanted rounds are done.

    Raises:
        Halted: The run ends before; the engine knows the best so far.
    """
    async with engine.round(1) as seed:
        await seed.execute(engine.seed)
        seed.settle("seed")

    for number in engine.rounds():
        async with engine.round(number) as turn:
            best, plans = engine.best, plan(engine, parameters, number)
            metas = [describe(engine, best, number, one.more) for one in plans]
            candidates = await turn.propose_rivals(metas, [one.parent for one in plans])
            turn.settle(await turn.compete(best, candidates))


class Plan(NamedTuple):
    """What one candidate is made from.

    Attributes:
        parent: The prompt that it starts from.
        more: What the optimizer reads on top of the paper's question.
    """

    parent: Candidate
    more: tuple[str, ...] = ()


def plan(engine: Engine, parameters: Parameters, number: int) -> list[Plan]:
    """The plans of a round: what was learned, an idea for each of several, and now and then a loser."""
    best, ideas = engine.best.candidate, ideas_of(engine, parameters.width, number)
    if parameters.feedback == "none":
        return [Plan(best, idea) for idea in ideas]
    history, meta = engine.history, engine.meta
    learned = lessons(history, best.round, engine.task.language)
    more = (meta["spo_lessons"].render(attempts=learned),) if learned else ()
    plans = [Plan(best, (*more, *idea)) for idea in ideas]
    every = None if engine.task.parts else parameters.rework_every  # each round changes another part
    is_due = every is not None and (number - 1) % every == 0
    if is_due and (loser := loser_to_rework(history)) is not None:
        again = meta["spo_rework"].render(attempt=loser.name_in(engine.task.language))
        plans[-1] = Plan(Candidate(round=loser.round, prompt=loser.prompt), (*more, again))
    return plans


def ideas_of(engine: Engine, width: int, number: int) -> list[tuple[str, ...]]:
    """An idea for each of several candidates, another one in every round but for the first; none for one."""
    if width == 1:
        return [()]
    free, *others = engine.meta["spo_ideas"].render().splitlines()
    ideas = [free, *(others[(number * (width - 1) + one) % len(others)] for one in range(width - 1))]
    rivals, join = engine.meta["spo_rivals"], engine.task.join
    return [
        (rivals.render(idea=mine, others=join(*(one for one in ideas if one != mine))),) for mine in ideas
    ]


def describe(engine: Engine, best: Trial, number: int, more: tuple[str, ...] = ()) -> str:
    """The optimizer's question: what is wanted, the best prompt, and what it brought (section 3.2)."""
    task, best, part = engine.task, best.answered, engine.task.part(number)
    limits = []
    if task.word_limit:
        limits.append(task.say("The prompt may have at most {word_limit} words.", word_limit=task.word_limit))
    if task.slots:
        limits.append(
            task.say(
                "The prompt must hold {braced} exactly as written: each is a slot that is filled "
                "with a part of every question. Add no other slot.",
                braced=braced(sorted(task.slots)),
            )
        )
    limits += task.beside(part, best.candidate.prompt)
    return engine.meta["spo_propose"].render(
        requirements=task.aim,
        prompt=quote_tags(task.shown_prompt(part.of(best.candidate.prompt)), ("best_prompt",)),
        answers=format_answers(best.answers, best.questions, task.language),
        references=format_references(best.questions, shown=task.reference_answers, language=task.language),
        limit="\n\n".join(filter(None, [*more, task.join(*limits)])),
    )


PROPOSE = MetaPrompt.beside(
    __file__,
    "spo_propose",
    requirements=N_("the template's requirements"),
    prompt=N_("the best prompt so far"),
    answers=N_("the answers that it brought"),
    references=N_("reference answers, or nothing"),
    limit=N_("what was learned in earlier rounds, the word limit and the slots of the prompt, or nothing"),
)
LESSONS = MetaPrompt.beside(
    __file__, "spo_lessons", attempts=N_("earlier prompts, how each compared, and the judge's reasons")
)
REWORK = MetaPrompt.beside(__file__, "spo_rework", attempt=N_("the round of the loser"))
RIVALS = MetaPrompt.beside(
    __file__, "spo_rivals", idea=N_("the idea of this candidate"), others=N_("the ideas of the others")
)
IDEAS = MetaPrompt.beside(__file__, "spo_ideas")

PAPER: Final[dict[str, Any]] = {"feedback": "none", "rework_every": None, "width": 1}
"""The paper's algorithm."""

SPO = Method(
    optimize=optimize,
    summary=N_("Compares the answers of two prompts by a judge, without labels."),
    source="Xiang et al., arXiv 2502.06855",
    parameters=Parameters,
    meta_prompts=(PROPOSE, LESSONS, REWORK, RIVALS, IDEAS),
    width="width",
    paper=PAPER,
    former={6: PAPER},
)
