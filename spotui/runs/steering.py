"""Carrying out what people tell a running run."""

from collections.abc import Callable
from typing import Final, Literal

import msgspec

from spotui.domain.commands import (
    AnyCommand,
    Edit,
    Hint,
    Override,
    Pause,
    Resume,
    SetBudget,
    SetConcurrency,
    SetRounds,
    Stop,
    Vote,
)
from spotui.domain.errors import SpotuiError
from spotui.domain.events import CommandRefused, Event, HintGiven, LimitsChanged, VerdictOverridden
from spotui.domain.records import EditLine, HintLine, LimitsLine, OverrideLine, VoteLine
from spotui.engine.context import Decisions
from spotui.engine.engine import Engine
from spotui.lang import _
from spotui.llm.door import Door
from spotui.runs.recorder import Recorder, change_limits
from spotui.settings.table import RunSettings, check_limits
from spotui.settings.values import InvalidSettingError
from spotui.workspace.journal import Journal

MOST_HINT_CHARACTERS: Final = 1000


class _RefusedError(SpotuiError):
    """A command that cannot be carried out now."""


class Commands:
    """The commands of one open run. Decisions and limits are journalled before they take effect.

    Args:
        engine: The run's engine.
        door: Its door, with gate and budget.
        decisions: What people decided.
        recorder: Told of overridden verdicts.
        journal: Where decisions are kept.
        settings: The run's settings.
        takes_hints: Whether its method asks the optimizer by the engine's verb, which a hint can be added to.
        emit: Told what happened.
    """

    def __init__(
        self,
        *,
        engine: Engine,
        door: Door,
        decisions: Decisions,
        recorder: Recorder,
        journal: Journal,
        settings: RunSettings,
        takes_hints: bool,
        emit: Callable[[Event], None],
    ) -> None:
        self._engine = engine
        self._door = door
        self._decisions = decisions
        self._recorder = recorder
        self._journal = journal
        self._settings = settings
        self._takes_hints = takes_hints
        self._emit = emit

    def carry_out(self, command: AnyCommand) -> None:
        """Do it, or say why not; a refused command changes nothing."""
        try:
            self._do(command)
        except SpotuiError as error:
            name = str(command.__struct_config__.tag)
            self._emit(CommandRefused(command=name, why=str(error)))

    def _do(self, command: AnyCommand) -> None:
        match command:
            case Pause(at="now"):
                self._door.gate.pause(_("Paused by the user."))
            case Pause():
                self._decisions.pause_at_candidate = True
            case Resume():
                self._door.gate.resume()
            case Stop():
                self._door.gate.halt("stopped", _("Stopped by the user."))
            case SetBudget():
                given = msgspec.structs.asdict(command)
                self._change({key: value for key, value in given.items() if value is not msgspec.UNSET})
            case SetConcurrency():
                self._change({"concurrency": command.calls})
            case SetRounds():
                self._set_rounds(command.rounds)
            case Vote():
                self._vote(command)
            case Edit():
                self._edit(command)
            case Override():
                self._override(command)
            case Hint():
                self._hint(command)

    def _change(self, changes: dict[str, float | int | None]) -> None:
        try:
            check_limits(changes)
        except InvalidSettingError as error:
            raise _RefusedError(str(error)) from None
        settings = change_limits(self._settings, changes)
        self._door.budget.check(settings.budget)
        self._journal.append(LimitsLine(changes=changes))
        self._settings = settings
        self._door.budget.change(self._settings.budget)
        self._engine.rounds_wanted = self._settings.max_rounds
        if self._settings.concurrency is not None:
            self._door.connections.set_concurrency(self._settings.concurrency)
        self._emit(LimitsChanged(changes=changes))

    def _set_rounds(self, rounds: int) -> None:
        begun = max(1, self._engine.newest)
        if rounds < begun:
            raise _RefusedError(
                _("rounds must be at least {begun}: so many have begun already.", begun=begun)
            )
        self._change({"rounds": rounds})

    def _vote(self, vote: Vote) -> None:
        if self._engine.compares_several(vote.round):
            raise _RefusedError(
                _("Round {round} compares several candidates at once.", round=vote.round),
                _("Give the round a verdict when it has ended."),
            )
        if not self._decisions.in_duel(vote.round):
            raise _RefusedError(
                _("Round {round} is not being judged now.", round=vote.round),
                _("A verdict that was given can be overridden."),
            )
        questions = len(self._engine.task.questions)
        if vote.question is not None and not 0 <= vote.question < questions:
            raise _RefusedError(
                _(
                    "There is no question {question}; they count from 0 to {last}.",
                    question=vote.question,
                    last=questions - 1,
                )
            )
        line = VoteLine(
            round=vote.round, choice=self._side(vote), question=vote.question, outranks=vote.outranks
        )
        self._journal.append(line)
        self._decisions.take(line)

    def _side(self, vote: Vote) -> Literal["win", "loss", "tie"]:
        """The choice from the candidate's side."""
        if vote.choice in {"left", "right"}:
            candidate = "left" if self._decisions.left_in(vote.round) == "candidate" else "right"
            return "win" if vote.choice == candidate else "loss"
        return "win" if vote.choice == "win" else "loss" if vote.choice == "loss" else "tie"

    def _edit(self, edit: Edit) -> None:
        if not edit.prompt.strip():
            raise _RefusedError(_("The prompt is empty."))
        if fault := self._engine.task.parts_fault(edit.prompt):
            raise _RefusedError(fault)
        first = self._engine.first_editable
        if edit.round < first:
            raise _RefusedError(
                _("Round {round} has been executed already.", round=edit.round),
                _("The next round that can be edited is {first}.", first=first),
            )
        line = EditLine(round=edit.round, prompt=edit.prompt)
        self._journal.append(line)
        self._decisions.take(line)

    def _hint(self, hint: Hint) -> None:
        """Keep a hint; proposals that were asked for already are as they were."""
        if not self._takes_hints:
            raise _RefusedError(_("The method of this run asks no optimizer that could read a hint."))
        text = " ".join(hint.text.split())
        if len(text) > MOST_HINT_CHARACTERS:
            raise _RefusedError(
                _(
                    "The hint has {characters:,} characters; {most:,} are allowed.",
                    characters=len(text),
                    most=MOST_HINT_CHARACTERS,
                ),
                _("Put it into the requirements of the template, and start a new run."),
            )
        line = HintLine(text=text, before_round=max(2, self._engine.newest + 1))
        if not text and not self._decisions.hint_for(line.before_round):
            raise _RefusedError(_("The hint is empty, and there is none to end."))
        self._journal.append(line)
        self._decisions.take(line)
        self._emit(HintGiven(text=text, before_round=line.before_round))

    def _override(self, override: Override) -> None:
        if not self._engine.is_settled(override.round):
            raise _RefusedError(
                _("Round {round} has no verdict that could be overridden.", round=override.round)
            )
        line = OverrideLine(
            round=override.round, outcome=override.outcome, before_round=self._engine.newest + 1
        )
        self._journal.append(line)
        self._decisions.take(line)
        self._recorder.override(line)
        if self._engine.has_gone_through(line.round):  # otherwise the engine tells it where that round ends
            self._emit(
                VerdictOverridden(round=line.round, outcome=line.outcome, before_round=line.before_round)
            )
