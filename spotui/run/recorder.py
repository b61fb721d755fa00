"""Keeping finished rounds: in the journal, and in SPO's files as their projection."""

import asyncio
from collections.abc import Callable

import msgspec

from spotui.events import Event, Noticed
from spotui.run.past import Past
from spotui.workspace.history import apply_overrides
from spotui.workspace.journal import Journal, JournalError
from spotui.workspace.lines import AnswerRecord, OverrideLine, RoundLine
from spotui.workspace.projects import Project
from spotui.workspace.spo_files import project_rounds, write_rounds


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
        self._worker = asyncio.create_task(self._work())

    def take(self, line: RoundLine) -> RoundLine:
        """Take a round that ended; returns it as the journal has it, if it was recorded before."""
        known = self._rounds.get(line.round)
        if known is not None and _same(known, line):
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
        while (line := await self._waiting.get()) is not None:
            await self._write(line)

    async def _write(self, line: RoundLine) -> None:
        tokens = await asyncio.to_thread(_spo_tokens, line.answers) if line.answers else 0
        line = msgspec.structs.replace(line, tokens=tokens)
        self._rounds[line.round] = line
        try:
            self._journal.append(line)
        except JournalError as error:
            self._emit(Noticed(text=f"{error} Round {line.round} is found again on resume.", level="error"))
        await self._project_files()

    async def _project_files(self) -> None:
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


def _same(one: RoundLine, other: RoundLine) -> bool:
    return (one.outcome, one.prompt, one.answers) == (other.outcome, other.prompt, other.answers)
