"""Another verdict for a run that has finished."""

import secrets
import time
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Static

from spotui.domain.commands import Override, Pause, Resume, Vote, encode_command
from spotui.domain.event_lines import decode_event
from spotui.domain.events import HeldOutFinished, RunStopped, VerdictOverridden
from spotui.domain.records import CallKey
from spotui.lang import _, join
from spotui.templates.read import parse_template
from spotui.templates.sections import requirements_of
from spotui.tui.answers_panel import AnswersPanel
from spotui.tui.child import attempt, listen
from spotui.tui.page import Bar
from spotui.tui.run.client import RunClient
from spotui.tui.run.following import TONES, RoundScreen, RunHeader
from spotui.tui.terminal import open_by
from spotui.view.answers import (
    Answers,
    BlindVote,
    Side,
    Standard,
    is_open,
    newest_with_answers,
    read_answers,
    what_became_of_it,
    what_it_was,
)
from spotui.view.traces import has_traces
from spotui.wire.process import RUN_ENDED
from spotui.workspace.journal_reader import read_traces
from spotui.workspace.projects import Project
from spotui.workspace.rows_file import read_rows_file
from spotui.workspace.snapshot import read_snapshot


async def override(widget: Widget, project: Project, client: RunClient, command: Override) -> None:
    """Take a finished run up, tell it the verdict, and let it finish again.

    What is in its journal costs nothing; only a duel on held-out questions for another best prompt is bought.

    Args:
        widget: On whose behalf; it shows what goes wrong.
        project: The project.
        client: What is known of its run.
        command: The verdict.
    """
    is_taken = False

    def take(line: bytes) -> None:
        nonlocal is_taken
        event = decode_event(line)
        is_taken = is_taken or (
            isinstance(event, VerdictOverridden)
            and (event.round, event.outcome) == (command.round, command.outcome)
        )
        if is_taken and isinstance(event, VerdictOverridden | HeldOutFinished | RunStopped):
            client.take(event)

    root = project.folder.parents[project.name.count("/")]
    words = ["resume", project.name, "--workspace", str(root), "--json"]
    told = await listen(words, take, encode_command(command))
    if told.code not in RUN_ENDED:
        widget.notify(told.fault, severity="error", markup=False)
    elif not is_taken:
        widget.notify(
            _("{project} has ended before it heard of it. Try it again.", project=project.name),
            severity="warning",
        )


def read_standard(project: Project) -> Standard:
    """Requirements, reference answers, and what else of the rows a prompt shows.

    There is nothing of it where SPO's reference made the project.

    Raises:
        SpotuiError: The copies of template and rows are damaged.
    """
    if not project.is_ours:
        return Standard()
    snapshot = read_snapshot(project.snapshot)
    template = parse_template(snapshot.template, snapshot.template_name)
    requirements = requirements_of(template).strip()
    rows = read_rows_file(project.rows)
    if rows is None:
        return Standard(
            requirements, tuple(template.qa[index].answer.strip() for index in snapshot.questions)
        )
    from spotui.runs.task import questions_of

    pool = questions_of(template, rows)
    asked = [pool[index] for index in snapshot.questions]
    return Standard(
        requirements, tuple(one.answer.strip() for one in asked), tuple(one.context for one in asked)
    )


class AnswersScreen(RoundScreen):
    """Shows one round's answers; gives back which round was shown last, 0 for the newest.

    Args:
        project: The project.
        client: What is known of its run.
        selected: The round to show; 0 for the newest that has answers.
        question: The one to begin with, from 0; None for the first.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left_square_bracket", "step(-1)", "round before", id="answers.previous_round"),
        Binding("right_square_bracket", "step(1)", "round after", id="answers.next_round"),
        Binding("h", "compare", "vote blind", id="answers.vote"),
        Binding("l", "choose('left')", "left is better", id="answers.left"),
        Binding("r", "choose('right')", "right is better", id="answers.right"),
        Binding("e", "choose('tie')", "equal", id="answers.tie"),
        Binding("o", "override", "make it the verdict", id="answers.override"),
        Binding("v", "go_to_votes", "votes", id="answers.votes"),
        Binding("t", "traces", "whole traces", id="answers.traces"),
        Binding("space", "pause", "pause", id="answers.pause"),
        Binding("space", "resume", "resume", id="answers.resume"),
        Binding("escape", "back", "back", id="answers.back"),
    ]

    DEFAULT_CSS = """
    AnswersScreen {
        & #told { color: $text-warning; }
        & AnswersPanel { height: 1fr; padding: 0 1; }
    }
    """

    AUTO_FOCUS = "AnswersPanel"

    def __init__(
        self, project: Project, client: RunClient, selected: int = 0, question: int | None = None
    ) -> None:
        super().__init__(project, client, selected)
        self._question = question
        self._standard = Standard()
        self._is_swapped: bool | None = None
        self._votes: dict[int, BlindVote] = {}
        self._said = Content("")
        self._possible: tuple[bool | str, ...] = ()
        self._traces: dict[CallKey, list[str]] = {}
        self._traced: tuple[int, ...] = ()
        self._shows_whole_traces = self._reads_traces = False

    def parts(self) -> ComposeResult:
        """The run, the round, what became of a vote, the answers."""
        yield RunHeader()
        yield Static(id="round", markup=False)
        yield Bar(id="told")
        yield AnswersPanel()

    def on_mount(self) -> None:
        """Show what there is."""
        self.run_worker(self._read(), group="read")

    def fill(self) -> None:
        """Show the answers again."""
        self._said = Content("")
        self.tick()

    async def _read(self) -> None:
        standard = await attempt(self, read_standard, self._project)
        self._standard = standard or Standard()
        self.tick()
        if self._question is not None:
            self.call_after_refresh(self.query_one(AnswersPanel).go_to_question, self._question)

    @property
    def is_blind(self) -> bool:
        """Whether it is hidden whose answers are whose."""
        return self._is_swapped is not None

    @property
    def newest(self) -> int:
        """The newest round that has answers; 0 when there is none."""
        return newest_with_answers(self._client.picture)

    def _answers(self) -> Answers:
        client = self._client
        return read_answers(
            client.picture,
            self.shown,
            self._standard,
            now=time.time(),
            is_attached=client.is_attached,
            traces=self._traces,
            whole_traces=self._shows_whole_traces,
        )

    def _look_for_traces(self) -> None:
        """Read the traces of a program once more answers are there than when they were read last."""
        picture = self._client.picture
        if not has_traces(picture):
            return
        answered = tuple(len(one.answers) for one in picture.rounds.values())
        if answered != self._traced and not self._reads_traces:
            self._traced, self._reads_traces = answered, True
            self.run_worker(self._read_traces(), group="traces")

    async def _read_traces(self) -> None:
        found = await attempt(self, read_traces, self._project.journal, "execute")
        self._reads_traces = False
        if found and found != self._traces:
            self._traces = found
            self.tick()

    def action_traces(self) -> None:
        """Show all of every trace, or only where it begins."""
        self._shows_whole_traces = not self._shows_whole_traces
        self.tick()

    def on_screen_resume(self) -> None:
        """Nothing was painted while a question was asked above."""
        self._seen = -1

    def tick(self) -> None:
        """Show what is known now."""
        super().tick()
        self._look_for_traces()
        client = self._client
        answers = self._answers()
        told = self._told(answers)
        if self._is_swapped is not None:
            answers = answers.blind(is_swapped=self._is_swapped)
        with self.app.batch_update():
            self.query_one(RunHeader).show(self._project.name, client.picture, is_attached=client.is_attached)
            if (title := self._title(answers)) != self._said:
                self._said = title
                self.query_one("#round", Static).update(title)
            self.query_one("#told", Bar).say(told)
            self.query_one(AnswersPanel).show(answers)
        possible = (
            self.is_blind,
            client.is_attached,
            client.picture.state,
            self._can_override,
            bool(self._traces),
        )
        if possible != self._possible:
            self._possible = possible
            self.refresh_bindings()

    def _title(self, answers: Answers) -> Content:
        if not answers.round:
            return Content("")
        if self.is_blind:
            return Content.styled(_("Round {round}: left or right?", round=answers.round), "bold")
        if len(answers.names) == 2:
            title = _("Round {round} against {name}", round=answers.round, name=answers.names[0])
        else:
            title = _("Round {round}, the seed", round=answers.round)
        tone = TONES.get(answers.verdict.split(" ")[0], "$text-warning")
        return Content.assemble((title, "bold"), "   ", (answers.verdict, f"bold {tone}"))

    def _told(self, answers: Answers) -> Content:
        picture = self._client.picture
        if self.is_blind:
            text: str = _(
                "Which answers meet the requirements better? Whose they are and all votes are hidden."
            )
            if self._client.is_attached and is_open(picture, self.shown):
                text = join(text, _("The round has no verdict yet: your vote counts in it."))
            return Content(text)
        vote, one = self._votes.get(self.shown), picture.rounds.get(self.shown)
        if vote is None or one is None:
            return Content("")
        text = join(what_it_was(vote, *answers.names), what_became_of_it(vote, picture))
        if self._can_override:
            text = join(text, _("With o your choice becomes the verdict."))
        elif not vote.agrees(one) and not self._client.is_attached and not self._client.is_tour:
            text = join(text, _("To make your choice the verdict, go back and resume the run first."))
        return Content(text)

    @property
    def _can_override(self) -> bool:
        vote, one = self._votes.get(self.shown), self._client.picture.rounds.get(self.shown)
        if vote is None or one is None or self.is_blind:
            return False
        if one.outcome is None or vote.agrees(one):
            return False
        return self._client.is_attached or self._has_finished

    @property
    def _has_finished(self) -> bool:
        """Whether the run has done all it was to do; then resuming it asks nothing."""
        stopped = self._client.picture.stopped
        is_own = self._project.is_ours and not self._client.is_tour
        return is_own and stopped is not None and stopped.reason == "finished"

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:  # noqa: ARG002
        """The actions depend on whether somebody votes just now."""
        match action:
            case "choose":
                return self.is_blind
            case "step" | "compare":
                return not self.is_blind
            case "override":
                return self._can_override
            case "go_to_votes":
                return not self.is_blind
            case "traces":
                return bool(self._traces) and not self.is_blind
            case "pause":
                return self._client.is_attached and self._client.picture.state == "running"
            case "resume":
                return self._client.is_attached and self._client.picture.state == "paused"
            case _:
                return True

    def action_compare(self) -> None:
        """Hide whose answers are whose, in a hidden order, and ask which ones are better."""
        answers = self._answers()
        if not answers.can_be_compared:
            self.notify(answers.note or _("You can vote once both have answered every question."))
            return
        self._selected = self.shown
        self._is_swapped = bool(secrets.randbits(1))
        self.tick()

    def action_choose(self, side: Side) -> None:
        """Vote, send it where it can be counted, and show what it was."""
        if self._is_swapped is None:
            return
        vote = BlindVote(self.shown, side, self._is_swapped)
        if is_open(self._client.picture, vote.round):
            now = time.time()
            if self._client.send(Vote(vote.round, vote.choice)):
                vote = BlindVote(vote.round, side, self._is_swapped, sent_at=now)
        self._votes[vote.round] = vote
        self._is_swapped = None
        self.tick()

    def action_override(self) -> None:
        """Make the vote the verdict, once it is confirmed."""
        open_by(self, self._override(self._votes[self.shown]), group="override")

    async def _override(self, vote: BlindVote) -> None:
        from spotui.tui.dialogs import Choice, QuestionScreen

        text = _("It is marked as yours, and holds from the next round on.")
        if not self._client.is_attached:
            text = _(
                "It is marked as yours. The run has finished: if another prompt becomes the best by this, "
                "it is compared with the seed on the held-out questions, which takes calls to the models."
            )
        chosen = await self.app.push_screen_wait(
            QuestionScreen(
                _("Make round {round} a {verdict}?", round=vote.round, verdict=vote.verdict),
                (Choice("yes", "y", _("yes")), Choice("no", "n", _("no, leave the verdict as it is"))),
                text,
            )
        )
        if chosen != "yes":
            return
        self.run_worker(self._send(Override(vote.round, vote.verdict)), group="send")

    async def _send(self, command: Override) -> None:
        if not self._client.send(command):
            await override(self, self._project, self._client, command)
        self.tick()

    def action_go_to_votes(self) -> None:
        """Show what the judge said, or the answers again."""
        self.query_one(AnswersPanel).go_to_votes()

    def action_pause(self) -> None:
        """Hold the judge; calls in flight finish."""
        self._client.send(Pause())

    def action_resume(self) -> None:
        """Let the run go on."""
        self._client.send(Resume())

    def action_back(self) -> None:
        """Leave the vote, or the screen."""
        if self.is_blind:
            self._is_swapped = None
            self.tick()
        else:
            self.dismiss(self._selected)
