"""The result of a run: its method's rounds, the check or test of the best prompt, and why it stopped."""

import traceback
from collections.abc import Callable, Sequence
from typing import NamedTuple

import msgspec

from spotui.domain.events import Event, FinalTest, Noticed
from spotui.domain.outcomes import check_finished, held_out_finished, test_finished
from spotui.domain.records import CheckedRow, CheckLine, FinalTestLine, HeldOutLine, Line
from spotui.domain.secret import Secret, redacted
from spotui.domain.verdicts import StopReason
from spotui.domain.version import VERSION
from spotui.engine.asking import first_error
from spotui.engine.engine import EARLY_ENDS, Engine
from spotui.judging.votes import pooled
from spotui.lang import _
from spotui.llm.limits import Halted
from spotui.methods.method import fault_in_words
from spotui.runs.prepare import Prepared
from spotui.runs.recorder import Earlier
from spotui.runs.reserve import Reserve
from spotui.settings import locations


class FinalCheck:
    """Holds the final check of one run, at most once.

    Args:
        engine: The run's engine.
        earlier: What earlier sessions left: what they found is not kept twice.
        is_wanted: Whether the run's settings ask for it.
        keep: Puts a line into the journal.
        emit: Told what was found, or why there was no check.

    Attributes:
        result: What was found, once it was.
    """

    def __init__(
        self,
        engine: Engine,
        earlier: Earlier,
        *,
        is_wanted: bool,
        keep: Callable[[Line], None],
        emit: Callable[[Event], None],
    ) -> None:
        self.result: CheckLine | None = None
        self._engine = engine
        self._earlier = earlier
        self._is_wanted = is_wanted
        self._keep = keep
        self._emit = emit

    @property
    def is_refuted(self) -> bool:
        """Whether the best prompt was found to be no better than the seed."""
        if self.result is None:
            return False
        is_as_good = self._engine.best_outcome == "seed"  # it was preferred to the seed, and need not win
        return self.result.outcome == "loss" or (self.result.outcome == "tie" and not is_as_good)

    async def hold(self) -> None:
        """Compare best and seed, if there is a best other than the seed.

        Raises:
            Halted: The run ends before.
        """
        if not self._is_wanted:
            return
        self._engine.conclude()
        if self._engine.best_candidate.round == 1:
            return
        found = await self._engine.final_check()
        if found.skipped:
            self.skip(found.skipped)
            return
        self.result = found
        held_out = [row for row in found.rows if row.held_out]
        before = self._earlier.check
        if before is None or not _same(before, found):
            self._keep_new(found, held_out)
        self._tell(found, held_out)

    def skip(self, why: str) -> None:
        """Say that there is no check, if one was wanted and there is something to check."""
        best = self._engine.best_candidate.round
        if not self._is_wanted or best == 1:
            return
        line = CheckLine(best=best, skipped=why)
        if self._earlier.check is None or not _same(self._earlier.check, line):
            self._keep(line)
        self._emit(check_finished(line))

    def _keep_new(self, check: CheckLine, held_out: list[CheckedRow]) -> None:
        self._keep(check)
        if held_out:
            self._keep(_held_out_line(check.best, held_out))

    def _tell(self, check: CheckLine, held_out: list[CheckedRow]) -> None:
        if held_out:
            self._emit(held_out_finished(_held_out_line(check.best, held_out)))
        self._emit(check_finished(check))


def _held_out_line(best: int, rows: list[CheckedRow]) -> HeldOutLine:
    return HeldOutLine(
        best=best,
        outcome=pooled([row.choice for row in rows]),
        questions=len(rows),
        votes=tuple(vote for row in rows for vote in row.votes),
    )


def _same(first: CheckLine, second: CheckLine) -> bool:
    """Whether two checks found the same, whenever that was."""
    return msgspec.structs.replace(first, at=second.at) == second


class Ending(NamedTuple):
    """How a run ended.

    Attributes:
        reason: Why, as a stop reason.
        cause: The same in a sentence.
        test: The test of the best prompt on unseen rows, if there was one.
    """

    reason: StopReason
    cause: str
    test: FinalTest | None = None


async def optimize(
    prepared: Prepared,
    engine: Engine,
    check: FinalCheck,
    reserve: Reserve,
    earlier: Earlier,
    keep: Callable[[Line], None],
    emit: Callable[[Event], None],
) -> Ending:
    """Run the method until a stop reason, then find out what its best prompt is worth against the seed.

    Where the budget ends the rounds, the test has what was kept back of it.

    Args:
        prepared: The method and its parameters.
        engine: What the method works with.
        check: Compares best and seed by the judge, where nothing else does.
        reserve: Keeps back what the test takes.
        earlier: What earlier sessions left behind.
        keep: Writes a line into the journal.
        emit: Told what happens.

    """
    reserve.renew()
    try:
        reason, cause = await _go_rounds(prepared, engine)
    except Halted as halt:
        engine.conclude()
        if halt.reason != "budget" or not reserve.is_wanted or engine.best_candidate.round == 1:
            if halt.reason != "waiting":  # the check comes with what is waited for
                check.skip(halt.cause)
            return Ending(halt.reason, halt.cause)
        reason, cause = halt.reason, halt.cause
    reserve.release()
    test = None
    try:
        await check.hold()
        if prepared.final_test and not check.is_refuted:
            test = await _final_test(engine, earlier, keep, emit)
    except Halted as halt:
        if halt.reason == "waiting":
            return Ending(halt.reason, halt.cause)
        check.skip(halt.cause)
        if halt.reason != "budget":
            return Ending(halt.reason, halt.cause)
        text = _("The test of the best prompt did not fit into the budget: {cause}", cause=halt.cause)
        emit(Noticed(text=text, level="warning"))
    return Ending(reason, cause, test)


async def _go_rounds(prepared: Prepared, engine: Engine) -> tuple[StopReason, str]:
    reason, cause = await _of_method(prepared, engine)
    if prepared.settings.demonstrations is not None:
        from spotui.engine.demonstrations import try_demonstrations

        await try_demonstrations(engine, prepared.settings.demonstrations)
        if reason == "finished":
            return _finished(engine)
    return reason, cause


def _finished(engine: Engine) -> tuple[StopReason, str]:
    return "finished", _("All {ended} rounds are done.", ended=engine.ended)


async def _of_method(prepared: Prepared, engine: Engine) -> tuple[StopReason, str]:
    try:
        try:
            await prepared.method.optimize(engine, prepared.parameters)
        except SystemExit as error:  # code of another package ends its method, not this process
            fault = RuntimeError(_("it called sys.exit({code!r})", code=error.code))
            raise fault.with_traceback(error.__traceback__) from None
        except ExceptionGroup as errors:  # a method may have task groups of its own
            raise first_error(errors.subgroup(Halted) or errors) from None
    except Halted as halt:
        if halt.reason not in EARLY_ENDS:
            raise
        return halt.reason, halt.cause
    return engine.ending or _finished(engine)


async def _final_test(
    engine: Engine, earlier: Earlier, keep: Callable[[Line], None], emit: Callable[[Event], None]
) -> FinalTest | None:
    tested = await engine.final_test()
    if tested is None:
        return None
    seed, best = tested
    line = FinalTestLine(best=best.candidate.round, seed_marks=seed.marks, best_marks=best.marks)
    if earlier.test is None or (earlier.test.best, earlier.test.best_marks) != (line.best, line.best_marks):
        keep(line)
    found = test_finished(line, engine.task.seed)
    emit(found)
    return found


def cause_of(error: Exception, project: str, secrets: Sequence[Secret]) -> str:
    """The cause of a run that code of its method or metric ended; the traceback goes to the run's log.

    Args:
        error: The exception.
        project: The project's name.
        secrets: Keys that a message may hold; they are masked.
    """
    log = locations.run_log(project)
    # Without the values of variables, which may hold keys.
    text = redacted("".join(traceback.format_exception(error)), secrets)
    try:
        with locations.open_log(log, "ab") as file:
            file.write(f"spotui {VERSION}\n{text}".encode("utf-8", "replace"))
        where = _("The traceback is in {log}.", log=log)
    except OSError as fault:
        where = _(
            "The traceback could not be written to {log}: {strerror}.", log=log, strerror=fault.strerror
        )
    what = redacted(fault_in_words(error), secrets)
    return _(
        "The run failed with {what}. {where} Fix the cause, then resume the run.", what=what, where=where
    )
