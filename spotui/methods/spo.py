"""SPO: Self-Supervised Prompt Optimization (Xiang et al., arXiv 2502.06855, Algorithm 1).

No labels: the only signal is a judge that compares the answers of two prompts.
"""

from spotui.domain.rows import braced
from spotui.domain.tags import quote_tags
from spotui.engine import Engine, Trial, format_answers, format_references
from spotui.engine.meta_prompts import MetaPrompt
from spotui.lang import N_, _
from spotui.methods.method import Method


async def optimize(engine: Engine) -> None:
    """Propose from the best, execute, compare, keep the winner, until the wanted rounds are done.

    Raises:
        Halted: The run ends before; the engine knows the best so far.
    """
    async with engine.round(1) as seed:
        await seed.execute(engine.seed)
        seed.settle("seed")

    for number in engine.rounds():
        async with engine.round(number) as turn:
            best = engine.best
            candidate = await turn.propose(describe(engine, best, number), parent=best)
            if candidate is None:
                continue
            trial = await turn.execute(candidate)
            if trial is None:
                continue
            duel = await turn.judge(best, trial)
            turn.settle(duel.outcome)


def describe(engine: Engine, best: Trial, number: int) -> str:
    """The optimizer's question: what is wanted, the best prompt, and what it brought (section 3.2)."""
    task, best, part = engine.task, best.answered, engine.task.part(number)
    limits = (
        [_("The prompt may have at most {word_limit} words.", word_limit=task.word_limit)]
        if task.word_limit
        else []
    )
    if task.slots:
        limits.append(
            _(
                "The prompt must hold {braced} exactly as written: each is a slot that is filled "
                "with a part of every question. Add no other slot.",
                braced=braced(sorted(task.slots)),
            )
        )
    return engine.meta["spo_propose"].render(
        requirements=task.aim,
        prompt=quote_tags(task.shown_prompt(part.of(best.candidate.prompt)), ("best_prompt",)),
        answers=format_answers(best.answers, best.questions),
        references=format_references(best.questions, shown=task.reference_answers),
        limit=" ".join([*limits, *part.beside(best.candidate.prompt)]),
    )


PROPOSE = MetaPrompt.beside(
    __file__,
    "spo_propose",
    requirements=N_("the template's requirements"),
    prompt=N_("the best prompt so far"),
    answers=N_("the answers that it brought"),
    references=N_("reference answers, or nothing"),
    limit=N_("the word limit and the slots of the prompt, or nothing"),
)

SPO = Method(
    optimize=lambda engine, _: optimize(engine),
    summary=N_("Compares the answers of two prompts by a judge, without labels."),
    source="Xiang et al., arXiv 2502.06855",
    meta_prompts=(PROPOSE,),
)
