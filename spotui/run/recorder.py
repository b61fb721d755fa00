"""Keeping finished rounds: in the journal, and in SPO's files as their projection."""

import asyncio
from collections.abc import Callable
from typing import Final

import msgspec

from spotui.events import Event, Noticed
from spotui.run.past import Past
from spotui.workspace.history import apply_overrides
from spotui.workspace.journal import Journal, JournalError
from spotui.workspace.lines import AnswerRecord, OverrideLine, RoundLine
from spotui.workspace.projects import Project
from spotui.workspace.spo_files import project_rounds, write_rounds

_REST: Final = 9
"""SPO's files hold all rounds, so with thousands of them they take long. They are written again after they
rested nine times as long as that took; only rounds of a few milliseconds notice it."""


class Recorder:
    """Takes rounds as they end and writes them down without keeping the next round waiting.

    Args:
        project: Where SPO's files are.
        journal: Where rounds are kept.
        past: What the journal holds already.
        emit: Told when something cannot be written.
    """

    def __init__(
        self,
        project: Project,
        journal: Journal,
        past: Past,
        emit: Callable[[Event], None],
    ) -> None:
        self._project = project
        self._journal = journal
        self._rounds = dict(past.rounds)
        self._overrides = [line for line in past.decisions if isinstance(line, OverrideLine)]
        self._emit = emit
        self._waiting: asyncio.Queue[RoundLine | None] = asyncio.Queue()
        self._due: float | None = None
        self._free_at = 0.0
        self._worker = asyncio.create_task(self._work())

    def take(self, line: RoundLine) -> RoundLine:
        """Take a round that ended; returns it as the journal has it, if it was recorded before.

        One that SPO's own tool added stays as that tool wrote it.
        """
        known = self._rounds.get(line.round)
        if known is not None and (known.added or _same(known, line)):
            return known
        self._rounds[line.round] = line
        self._waiting.put_nowait(line)
        return line

    def override(self, line: OverrideLine) -> None:
        """Take a person's verdict into SPO's files."""
        self._overrides.append(line)

    async def finish(self) -> None:
        """Wait until everything is written, and bring SPO's files up to date."""
        self._waiting.put_nowait(None)
        await self._worker
        await self._project_files()

    def close(self) -> None:
        """Stop writing; what was not written yet is found again when the run is resumed."""
        self._worker.cancel()

    async def _work(self) -> None:
        while True:
            try:
                async with asyncio.timeout_at(self._due):
                    line = await self._waiting.get()
            except TimeoutError:
                await self._project_files()
                continue
            if line is None:
                return
            await self._write(line)
            self._due = self._due or max(self._free_at, asyncio.get_running_loop().time())

    async def _write(self, line: RoundLine) -> None:
        tokens = await asyncio.to_thread(_spo_tokens, line.answers) if line.answers else 0
        line = msgspec.structs.replace(line, tokens=tokens)
        self._rounds[line.round] = _for_spo(line)
        try:
            self._journal.append(line)
        except JournalError as error:
            self._emit(Noticed(text=f"{error} Round {line.round} is found again on resume.", level="error"))

    async def _project_files(self) -> None:
        clock = asyncio.get_running_loop().time
        self._due, began = None, clock()
        await self._bring_up_to_date()
        self._free_at = clock() + _REST * (clock() - began)

    async def _bring_up_to_date(self) -> None:
        rounds = project_rounds(apply_overrides(self._rounds.values(), self._overrides))
        try:
            await asyncio.to_thread(write_rounds, self._project.prompts, rounds)
        except OSError as error:
            text = (
                f"{self._project.prompts} cannot be written: {error.strerror}. The journal has every round."
            )
            self._emit(Noticed(text=text, level="error"))


def _spo_tokens(answers: tuple[AnswerRecord, ...]) -> int:
    from spotui.llm.tokens import spo_tokens

    return spo_tokens(msgspec.to_builtins(answers))


def _for_spo(line: RoundLine) -> RoundLine:
    """A round without what SPO's files do not hold: there may be thousands."""
    return RoundLine(
        at=line.at,
        round=line.round,
        outcome=line.outcome,
        prompt=line.prompt,
        answers=line.answers,
        tokens=line.tokens,
    )


def _same(one: RoundLine, other: RoundLine) -> bool:
    return (one.outcome, one.prompt, one.answers) == (other.outcome, other.prompt, other.answers)
