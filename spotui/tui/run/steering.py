"""Telling a run what a person wants of it."""

import asyncio
import contextlib
import shlex
import time
from typing import TYPE_CHECKING, ClassVar

import msgspec
from textual.app import App
from textual.binding import Binding, BindingType

from spotui.domain.commands import (
    Command,
    Edit,
    Hint,
    Override,
    Pause,
    Resume,
    SetBudget,
    SetConcurrency,
    SetRounds,
    Stop,
)
from spotui.domain.errors import SpotuiError
from spotui.domain.figures import verdict
from spotui.lang import _
from spotui.tui.dialogs import Choice, QuestionScreen, confirmed
from spotui.tui.page import Page
from spotui.tui.run.client import RunClient
from spotui.tui.terminal import open_by
from spotui.view.picture import RoundPicture
from spotui.workspace.projects import Project

if TYPE_CHECKING:
    from collections.abc import Mapping

    from spotui.tui.run.asking import Limit


_MORE_ROUNDS = 10
_STOP_SECONDS = 10.0


class SteeringScreen(Page[None]):
    """A screen of one run, with the keys that steer it, whether a process works on it or not.

    Args:
        project: The project.
        client: The way to its process.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("space", "pause", "pause", id="run.pause"),
        Binding("space", "resume", "resume", id="run.resume"),
        Binding("space", "go_on", "resume", id="run.go_on"),
        Binding("s", "stop", "stop", id="run.stop"),
        Binding("x", "export", "export", id="run.export"),
        Binding("n", "edit_next", "edit next candidate", id="run.edit_next"),
        Binding("h", "hint", "hint to the optimizer", id="run.hint"),
        Binding("o", "override", "override", id="run.override"),
        Binding("l", "limits", "limits", id="run.limits"),
        Binding("b", "branch", "branch", id="run.branch"),
    ]

    def __init__(self, project: Project, client: RunClient) -> None:
        super().__init__()
        self._project = project
        self._client = client
        self._edits_next = False
        self._starts = False
        self._told_at = time.time()

    @property
    def chosen_round(self) -> int:
        """The round that the keys are about."""
        raise NotImplementedError

    def say(self, text: str) -> None:
        """Show what a process says that is about to work on the run; an empty text once it does."""
        raise NotImplementedError

    @property
    def is_working(self) -> bool:
        """Whether a process works on the run."""
        return self._client.is_attached

    @property
    def project_name(self) -> str:
        """What the project is called."""
        return self._project.name

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:  # noqa: ARG002
        """One key pauses, resumes and goes on, whichever there is to do."""
        is_attached, state = self._client.is_attached, self._client.picture.state
        match action:
            case "pause":
                return is_attached and state == "running"
            case "resume":
                return is_attached and state == "paused"
            case "go_on":
                return not is_attached and not self._starts and not self._client.is_tour
            case "stop" | "edit_next" | "override" | "hint":
                return is_attached and state != "stopping"
            case "export":
                return bool(self._client.picture.best)
            case "branch" | "limits":
                return not self._client.is_tour
            case _:
                return True

    def notice_state(self) -> None:
        """The run has another state: a candidate may wait for its editor, a command may have been refused."""
        self.refresh_bindings()
        refused = self._client.picture.refused
        if refused is not None and refused.at > self._told_at:
            self.notify(
                refused.why,
                title=_("Refused: {command}", command=refused.command),
                severity="warning",
                markup=False,
            )
            self._told_at = time.time()
        candidate = self._waiting_candidate
        if self._edits_next and candidate is not None and self._client.picture.state == "paused":
            self._edits_next = False
            open_by(self, self._edit(candidate), group="edit")

    def action_pause(self) -> None:
        """Send no new call; those in flight finish."""
        self._tell(Pause())

    def action_resume(self) -> None:
        """Go on after a pause; a call that failed is tried again."""
        self._tell(Resume())

    def action_stop(self) -> None:
        """Stop the run, once that is confirmed."""
        open_by(self, self._stop(), group="stop")

    async def _stop(self) -> None:
        text = _(
            "Calls in flight have a few seconds to finish. The best prompt is kept, and you can resume later."
        )
        if await confirmed(self, _("Stop {name}?", name=self._project.name), _("stop"), text) and self._tell(
            Stop()
        ):
            self.notify(_("Stopping: calls in flight have a few seconds to finish."))

    def action_go_on(self) -> None:
        """Take the run up where it ended, in a separate process."""
        if not self._project.is_ours:
            self.notify(
                _(
                    "Continue it with its template: spotui resume {project} --template FILE. Or press b "
                    "to branch from its best prompt.",
                    project=self._project.name,
                ),
                title=_("SPO's own tool wrote this workspace and kept no requirements"),
            )
            return
        picture = self._client.picture
        ended, stopped = sum(one.end is not None for one in picture.rounds.values()), picture.stopped
        if ended and ended >= picture.rounds_wanted:
            question = _("All {ended} rounds have ended. How many in all?", ended=ended)
            open_by(self, self._want_more(question, {"rounds": ended + _MORE_ROUNDS}), group="start")
        elif stopped is not None and stopped.reason == "budget":
            question = _("{cause} How much may it be in all?", cause=stopped.cause)
            open_by(self, self._want_more(question, {}), group="start")
        else:
            self.run_worker(self._start([]), group="start")

    async def _want_more(self, question: str, proposed: "Mapping[str, Limit]") -> None:
        from spotui.tui.run.asking import LimitsScreen

        screen = LimitsScreen(_("Resume"), self._client.picture.limits, proposed, question)
        changed = await self.app.push_screen_wait(screen)
        if changed:
            self.run_worker(self._start(_options(changed)), group="start")

    async def _start(self, options: list[str]) -> None:
        from spotui.tui.dialogs import not_trusted, trusts_project
        from spotui.tui.start_dialog import go_on

        self._starts = True
        self.refresh_bindings()
        self.say(_("starting…"))
        try:
            if not await trusts_project(self, self._project):
                raise not_trusted()
            await go_on(self._project, options, self.say)
        except SpotuiError as error:
            self.notify(error.hint, title=error.what, severity="error", markup=False)
        finally:
            self._starts = False
            self.say("")
            self.refresh_bindings()
        self._client.look()

    def action_limits(self) -> None:
        """Change rounds, budget and calls at once."""
        open_by(self, self._change_limits(), group="limits")

    async def _change_limits(self) -> None:
        from spotui.tui.run.asking import LimitsScreen

        text = "" if self.is_working else _("The run is not running; it resumes with these limits.")
        screen = LimitsScreen(
            _("Limits of {project}", project=self._project.name), self._client.picture.limits, text=text
        )
        changed = await self.app.push_screen_wait(screen)
        if not changed:
            return
        if not self.is_working:
            self.run_worker(self._start(_options(changed)), group="start")
            return
        for command in _commands(changed):
            self._tell(command)
        if changed.get("concurrency", 1) is None:
            self.notify(
                _("How many calls go out at once can be left open only while no process works on it.")
            )

    def action_edit_next(self) -> None:
        """Pause at the next candidate, and change it by hand."""
        candidate = self._waiting_candidate
        if candidate is not None and self._client.picture.state == "paused":
            open_by(self, self._edit(candidate), group="edit")
        elif self._tell(Pause(at="candidate")):
            self._edits_next = True
            self.notify(_("The run pauses once the next candidate is there, and shows it to you."))

    @property
    def _waiting_candidate(self) -> RoundPicture | None:
        """The newest round, where its candidate has not been executed yet."""
        one = self._client.picture.current
        if one is None or one.candidate is None or one.answers or one.end is not None:
            return None
        return one

    async def _edit(self, shown: RoundPicture) -> None:
        from spotui.tui.run.asking import CandidateScreen

        if shown.candidate is None:
            return
        screen = CandidateScreen(shown.number, shown.candidate.prompt, shown.candidate.modification)
        text = await self.app.push_screen_wait(screen)
        if text is None:
            self.notify(_("The candidate is as it was; the run is still paused."))
            return
        if text != shown.candidate.prompt:
            self._tell(Edit(round=shown.number, prompt=text))
        self._tell(Resume())

    def action_hint(self) -> None:
        """Tell the optimizer in a sentence what the next candidates should do."""
        open_by(self, self._hint(), group="hint")

    async def _hint(self) -> None:
        from spotui.tui.run.hint_screen import HintScreen

        text = await self.app.push_screen_wait(HintScreen(self._client.picture.hint))
        if text is not None and text != self._client.picture.hint and self._tell(Hint(text=text)):
            self.notify(
                _("The optimizer reads your hint from the next round on.")
                if text
                else _("The optimizer gets no hint from the next round on.")
            )

    def action_override(self) -> None:
        """Give the selected round another verdict."""
        one = self._client.picture.rounds.get(self.chosen_round)
        if one is None or one.end is None or one.number == 1:
            self.notify(_("Select a round that has ended, other than the seed, with [ and ]."))
            return
        open_by(self, self._override(one), group="override")

    async def _override(self, shown: RoundPicture) -> None:
        from spotui.tui.dialogs import Choice, QuestionScreen

        values = {"number": shown.number, "outcome": verdict(shown.outcome or "", None)}
        question = (
            _("Round {number} is a {outcome} (yours). What is it?", **values)
            if shown.judged
            else _("Round {number} is a {outcome}. What is it?", **values)
        )
        screen = QuestionScreen(
            question,
            (Choice("win", "w", _("a win: its prompt is the best")), Choice("loss", "l", _("a loss"))),
            _("It counts from the next round on, and is marked as your verdict."),
        )
        match await self.app.push_screen_wait(screen):
            case "win":
                self._tell(Override(round=shown.number, outcome="win"))
            case "loss":
                self._tell(Override(round=shown.number, outcome="loss"))

    def action_branch(self) -> None:
        """Make another run that starts from the selected round."""
        open_by(self, self._branch(), group="branch")

    async def _branch(self) -> None:
        from spotui.tui.run.asking import branch

        new = await branch(self, self._project, self.chosen_round)
        if new is not None:
            self.show_project(new)

    def show_project(self, project: Project) -> None:
        """Show another run in place of this one."""
        raise NotImplementedError

    def action_export(self) -> None:
        """Take a prompt, a report or everything along."""
        open_by(self, self._export(), group="export")

    async def _export(self) -> None:
        from spotui.tui.export import export

        picture = self._client.picture
        chosen = self.chosen_round
        await export(self, self._project, picture, chosen if picture.prompt_of(chosen) else picture.best)

    async def stop_and_wait(self) -> None:
        """Stop the run, and stay until its process has heard it and is gone."""
        if not self._tell(Stop()):
            return
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._client.wait_gone(), _STOP_SECONDS)

    def _tell(self, command: Command) -> bool:
        if self._client.send(command):
            return True
        self.notify(_("The run is not running. Press space to resume it."), severity="warning")
        return False


def _options(changed: "Mapping[str, Limit]") -> list[str]:
    from spotui.settings.table import LIMITS, option, text_of

    return [f"{option(LIMITS[name].flags[0])}={text_of(value)}" for name, value in changed.items()]


def _commands(changed: "Mapping[str, Limit]") -> list[Command]:
    rest = dict(changed)
    commands: list[Command] = []
    if (rounds := rest.pop("rounds", None)) is not None:
        commands.append(SetRounds(rounds=int(rounds)))
    if (at_once := rest.pop("concurrency", None)) is not None:
        commands.append(SetConcurrency(calls=int(at_once)))
    if rest:
        commands.append(msgspec.convert(rest, SetBudget))
    return commands


async def may_leave(app: App[None]) -> bool:
    """Ask what is to become of a run that is shown and running; whether the app may end."""
    screens = (screen for screen in app.screen_stack if isinstance(screen, SteeringScreen))
    screen = next((screen for screen in screens if screen.is_working), None)
    if screen is None:
        return True
    text = _(
        "The run is a separate process. To return to it: spotui attach {quote}",
        quote=shlex.quote(screen.project_name),
    )
    choices = (
        Choice("leave", "l", _("leave; the run continues and keeps spending")),
        Choice("stop", "s", _("stop the run, keep the best prompt, and leave; you can resume it later")),
    )
    question = QuestionScreen(_("{project_name} is running", project_name=screen.project_name), choices, text)
    match await app.push_screen_wait(question):
        case "leave":
            return True
        case "stop":
            await screen.stop_and_wait()
            return True
    return False


def farewell(app: App[None]) -> str:
    """How to return to the runs that continue, a line each; empty when there are none."""
    from spotui.tui.home.projects_panel import ProjectsPanel

    screens = (screen for screen in app.screen_stack if isinstance(screen, SteeringScreen))
    shown = [screen.project_name for screen in screens if screen.is_working]
    listed = [
        name for screen in app.screen_stack for panel in screen.query(ProjectsPanel) for name in panel.running
    ]
    return "\n".join(
        _(
            "{name} is still running. To return to it: spotui attach {quote}",
            name=name,
            quote=shlex.quote(name),
        )
        for name in dict.fromkeys([*shown, *listed])
    )
