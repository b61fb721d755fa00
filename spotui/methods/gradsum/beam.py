"""GRAD-SUM's loop (Austin and Chartock, arXiv 2407.12865, five modules).

No code was ever released: what the paper leaves open, the parameters mark as ours. Ours, too: the parents are
scored along with their edits, on the same few rows, and the best of the beam is scored on all rows in every
round, so that the run can end at any time with a best prompt that is one.
"""

from collections.abc import Sequence

from spotui.engine import Candidate, Engine, RowOutcome, RowSet, Scored, ScoredRound, together
from spotui.events import BeamChosen, BeamMember
from spotui.methods.gradsum.parameters import Parameters
from spotui.methods.gradsum.summary import Summarizer
from spotui.methods.prompt_texts import fenced, rules


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
            if all(one.mark in (1, None) for outcome in outcomes for one in outcome):
                turn.explain("no train row is below full score, so there is nothing to learn from")
                break
            await learn(engine, turn, parameters, beam, outcomes, train, learned)
            parents = [(one, learned[one.prompt]) for one in beam if learned[one.prompt]]
            edits = await edit(engine, turn, parameters, parents)
            scored = await turn.score([*beam, *edits], subset)
            beam = choose(engine, turn, parameters, scored)
            is_last = number == 1 + parameters.iterations
            finalists = await turn.score(beam if is_last else beam[:1], whole)
            await turn.keep(max(finalists, key=rank))
    else:
        return
    engine.end("perfect", "No train row is below full score, so there is nothing left to learn from.")


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
    engine: Engine, turn: ScoredRound, parameters: Parameters, parents: list[tuple[Candidate, str]]
) -> list[Candidate]:
    """New prompts, several from each parent."""
    asked = [one for one in parents for _ in range(parameters.candidates_per_parent)]
    change = " ".join(["Edit the prompt so that these failures no longer occur.", *rules(engine)])
    return await turn.propose_several(
        [
            engine.meta["gradsum_edit"].render(
                task=engine.task.description,
                current=fenced(parent.prompt),
                summary=fenced(summary),
                change=change,
            )
            for parent, summary in asked
        ],
        [parent for parent, _ in asked],
        temperature=parameters.optimizer_temperature,
    )


def choose(
    engine: Engine, turn: ScoredRound, parameters: Parameters, scored: list[Scored]
) -> list[Candidate]:
    """The beam of the next round: the best of parents and edits."""
    best = sorted(scored, key=rank, reverse=True)[: parameters.beam]
    members = [
        BeamMember(
            prompt=one.prompt,
            score=one.score.mean,
            low=one.score.interval.low,
            high=one.score.interval.high,
            rows=one.score.rows,
        )
        for one in best
    ]
    engine.tell(BeamChosen(round=turn.number, members=tuple(members)))
    return [one.candidate for one in best]


def rank(scored: Scored) -> tuple[float, int]:
    """Higher scores first, then shorter prompts; among equals the earlier one stays first."""
    return scored.score.mean, -len(scored.prompt)
