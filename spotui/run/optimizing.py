"""A run's work from the first round to what its best prompt is worth."""

from collections.abc import Callable

import msgspec

from spotui.engine.engine import EARLY_ENDS, Engine
from spotui.events import Event, FinalTest
from spotui.llm.gate import Halted
from spotui.run.checking import FinalCheck
from spotui.run.past import Past
from spotui.run.work import Work
from spotui.statistics import compare, score
from spotui.workspace.lines import FinalTestLine, Line, StopReason


async def optimize(
    work: Work,
    engine: Engine,
    check: FinalCheck,
    past: Past,
    keep: Callable[[Line], None],
    emit: Callable[[Event], None],
) -> tuple[StopReason, str]:
    """Run the method until a stop reason, then find out what its best prompt is worth against the seed.

    Args:
        work: The method, what it is told, and what it works on.
        engine: What it works with.
        check: Compares best and seed by the judge, where nothing else does.
        past: What earlier sessions left behind.
        keep: Writes a line into the journal.
        emit: Told what happens.

    Returns:
        Why it ended, as a stop reason and as a sentence.
    """
    try:
        reason, cause = await _go_rounds(work, engine)
    except Halted as halt:
        check.skip(halt.cause)
        return halt.reason, halt.cause
    try:
        await check.hold()
        if work.final_test and not check.is_refuted:
            await _final_test(engine, past, keep, emit)
    except Halted as halt:
        check.skip(halt.cause)
        if halt.reason != "budget":
            return halt.reason, halt.cause
    return reason, cause


async def _go_rounds(work: Work, engine: Engine) -> tuple[StopReason, str]:
    try:
        await work.method.optimize(engine, work.parameters)
    except Halted as halt:
        if halt.reason not in EARLY_ENDS:
            raise
        return halt.reason, halt.cause
    return engine.ending or ("finished", f"All {engine.ended} rounds are done.")


async def _final_test(
    engine: Engine, past: Past, keep: Callable[[Line], None], emit: Callable[[Event], None]
) -> None:
    tested = await engine.final_test()
    if tested is None:
        return
    seed, best = tested
    line = FinalTestLine(best=best.candidate.round, seed_marks=seed.marks, best_marks=best.marks)
    if past.test is None or (past.test.best, past.test.best_marks) != (line.best, line.best_marks):
        keep(line)
    emit(final_test(line, engine.task.seed))


def final_test(line: FinalTestLine, seed: int) -> FinalTest:
    """What a test at the end says, with its intervals.

    Args:
        line: The marks of both prompts.
        seed: The run's.
    """
    old, new = score(line.seed_marks, seed=seed), score(line.best_marks, seed=seed)
    paired = compare(line.seed_marks, line.best_marks, seed=seed)
    return FinalTest(
        best=line.best,
        rows=len(line.best_marks),
        seed_score=old.mean,
        seed_interval=msgspec.structs.astuple(old.interval),
        best_score=new.mean,
        best_interval=msgspec.structs.astuple(new.interval),
        difference=paired.difference,
        difference_interval=msgspec.structs.astuple(paired.interval),
        wins=paired.wins,
        losses=paired.losses,
        ties=paired.ties,
        p=paired.p,
        left_out=paired.left_out,
    )
