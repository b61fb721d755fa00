"""Few-shot: demonstrations bootstrapped from train rows, and sets of them that race.

It is BootstrapFewShot with random search (Khattab et al., arXiv 2310.03714).
"""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from spotui.domain.declared import Column
from spotui.engine import Candidate, Engine, RowSet, ScoredRound
from spotui.engine.demonstrations import (
    Demonstration,
    demonstrating,
    draw_sets,
    labelled,
    solved,
    unsolved,
)
from spotui.lang import N_, _
from spotui.methods.method import Calls, Method, PromptPosition, QaLabels


class Parameters(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The parameters of few-shot; four rounds of four sets are the 16 sets that the reference tries."""

    iterations: Annotated[int, Meta(ge=1, le=10_000, description=N_("rounds after the seed's"))] = 4
    sets: Annotated[int, Meta(ge=1, le=100, description=N_("sets of demonstrations in each round"))] = 4
    demonstrations: Annotated[int, Meta(ge=1, le=100, description=N_("demonstrations in a set, at most"))] = 4
    answers: Annotated[
        Literal["own", "reference", "both"],
        Meta(
            description=N_(
                "answers that are shown: the model's own where they are right, the references, or the "
                "references where it has none"
            )
        ),
    ] = "own"
    train_rows: Annotated[
        int, Meta(ge=1, le=10_000, description=N_("train rows that are asked for right answers, at most"))
    ] = 30
    prompt_position: PromptPosition = "before_question"
    qa_labels: QaLabels = False


def calls(parameters: Parameters, train_rows: int, eval_rows: int) -> Calls:
    """How many calls a run makes at most, without the test at the end."""
    asked = 0 if parameters.answers == "reference" else min(train_rows, parameters.train_rows)
    sets = parameters.iterations * parameters.sets
    # Rows that are not solved are asked again in every round: half of them, say.
    again = (parameters.iterations - 1) * (asked // 2)
    answers = asked + again + eval_rows * (1 + sets)
    return Calls(proposals=0, notes=0, answers=answers, steps=parameters.iterations)


async def optimize(engine: Engine, parameters: Parameters) -> None:
    """Collect solved train rows, draw sets of them, and race each set against the best so far.

    Raises:
        Halted: The run ends before, or no train row is answered right.
    """
    seed = engine.task.seed
    train = engine.rows.train.draw(parameters.train_rows, seed=f"{seed}/fewshot")
    async with engine.round(1) as turn:
        (first,) = await turn.score([engine.seed], engine.rows.eval)
        await turn.keep(first)
    plain, own = first.candidate, dict[int, Demonstration]()
    tried: set[tuple[int, ...]] = set()
    starts = usable_starts(engine)
    for number in engine.rounds():
        if engine.leader is not None and engine.leader.score.mean == 1:
            engine.end("perfect", _("Every row that prompts are chosen by is answered right."))
        async with engine.round(number) as turn:
            if starts:
                made = [msgspec.structs.replace(one, round=number) for one in starts]
            else:
                pool = await collect(engine, turn, parameters, train, own)
                of_round = f"{seed}/fewshot/{number}"
                sets = draw_sets(pool, parameters.demonstrations, parameters.sets, tried, seed=of_round)
                language = engine.task.language
                made = [demonstrating(number, plain, one, engine.layout, language) for one in sets]
            if not made:
                turn.explain(_("every set of these demonstrations was tried"))
                continue
            candidates = await turn.propose_several([], [], made=made)
            await turn.keep_best(await turn.challenge(candidates, engine.rows.eval))
        if starts and engine.leader is not None:
            plain, starts = engine.leader.candidate, []


async def collect(
    engine: Engine,
    turn: ScoredRound,
    parameters: Parameters,
    train: RowSet,
    own: dict[int, Demonstration],
) -> list[Demonstration]:
    """What sets are drawn from: train rows with the model's right answers, or with their references.

    Rows that no prompt has answered right so far are asked with the best one.

    Args:
        engine: The run.
        turn: The round.
        parameters: Which answers are shown.
        train: The rows.
        own: Right answers of the model by position; new ones are added.

    Raises:
        Halted: There is no row to show.
    """
    if parameters.answers != "reference":
        left = train.at([position for position in train.positions if position not in own])
        best = engine.best_candidate.prompt
        found = solved(left, await turn.outcomes(best, left)) if len(left) else []
        own.update({one.position: one for one in found})
    pool = {one.position: one for one in labelled(train)} if parameters.answers != "own" else {}
    pool |= own
    turn.fill("solved", len(pool))
    if not pool:
        has_references = any(train.row(position).references for position in train.positions)
        engine.fail(unsolved(len(train), has_references=has_references))
    return [pool[position] for position in sorted(pool)]


def usable_starts(engine: Engine) -> list[Candidate]:
    """The prompts that the run was given to start from, as far as they have the slots of the seed prompt."""
    return [
        Candidate(round=2, prompt=one.prompt, parent=1, modification=one.modification)
        for one in engine.task.starts
        if not engine.task.slot_fault(one.prompt)
    ]


FEWSHOT = Method(
    optimize=optimize,
    summary=N_("Adds train rows that the model answered right to the prompt, and races sets of them."),
    source="Khattab et al., arXiv 2310.03714 (BootstrapFewShot with random search)",
    parameters=Parameters,
    scores=True,
    rounds=lambda parameters, _: 1 + parameters.iterations,
    calls=calls,
    length="iterations",
    asks=lambda _: ("executor",),
    columns=(Column("solved", N_("train rows that demonstrations are drawn from")),),
)
