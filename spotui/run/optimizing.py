"""A run's work from the first round to what its best prompt is worth."""

from collections.abc import Callable

from spotui.engine.engine import EARLY_ENDS, Engine
from spotui.events import Event
from spotui.events.telling import told_test
from spotui.llm.gate import Halted
from spotui.run.checking import FinalCheck
from spotui.run.past import Past
from spotui.run.work import Work
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
    emit(told_test(line, engine.task.seed))
