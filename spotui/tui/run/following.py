"""How a run is followed on a screen: how often, its first row, what came of it, and round by round."""

import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from rich.cells import cell_len
from textual.content import Content
from textual.message import Message
from textual.widget import Widget

from spotui.domain.events import RunOpened
from spotui.domain.figures import clock, count, duration, state_in_words, usd
from spotui.lang import _, ngettext, spaced
from spotui.tui.page import Bar, Page
from spotui.tui.run.client import RunClient
from spotui.view.picture import Picture, worth
from spotui.view.telling import batch_in_words
from spotui.workspace.projects import Project

_PER_SECOND = 4.0
_PER_SECOND_OVER_SSH = 2.0


def seconds_between_paints() -> float:
    """How long to wait before painting again, in seconds; longer where every byte goes over a network."""
    return 1 / (_PER_SECOND_OVER_SSH if os.environ.get("SSH_CONNECTION") else _PER_SECOND)


class PanelTold(Message):
    """What is in the frame of a panel has changed, because somebody moved its cursor."""


class RunPanel:
    """A panel of the Run screen that is filled with what is known of the run."""

    def show(self, picture: Picture) -> None:
        """Show what is known now; only what has changed is painted."""
        raise NotImplementedError


@dataclass
class RoundPointed(Message):
    """The cursor of a panel is on something of a round."""

    number: int


@dataclass
class RoundOpened(Message):
    """Somebody wants to see a round's answers, or the one to a question or row, from 0."""

    number: int
    question: int | None = None


_TONES = {
    "failed": "$text-error",
    "unmarked": "$text-error",
    "budget": "$text-warning",
    "stopped": "$text-warning",
    "waiting": "$text-warning",
}


_ROOM_FOR_RESULT: Final = 18
"""Rows of a screen from which on the result has some of them."""


class RunResult(Bar):
    """A few lines, which are there once a run has stopped; a low screen leaves them to the end of the log."""

    DEFAULT_CSS = "RunResult { max-height: 3; }"

    def show(self, picture: Picture) -> None:
        """Paint again, if the run has stopped or begun again."""
        self.say(_told(picture) if self.app.size.height >= _ROOM_FOR_RESULT else Content(""))


def _told(picture: Picture) -> Content:
    stopped = picture.stopped
    if stopped is None:
        return Content("")
    gain = "bold $text-success" if stopped.improved else "bold"
    cause = " ".join(stopped.cause.split())
    tone = _TONES.get(stopped.reason, "$text-muted")
    text = worth(picture, stopped)
    if cause in text:  # such as a spent budget, which also kept the prompt from being checked
        cause = ""
    whole = spaced(filter(None, (text, cause)))
    return Content(whole).stylize(gain, 0, len(text)).stylize(tone, len(whole) - len(cause), len(whole))


_GAP = "  "
_SHORTEST_CAUSE = 24


class RunHeader(Widget):
    """Name, method, round and state; tokens, money, time and calls in flight as far as there is room.

    Args:
        is_above_headline: Whether the headline below it says how much budget and time is left.
    """

    DEFAULT_CSS = """
    RunHeader { height: 1; padding: 0 1; background: $panel; color: $foreground; }
    """

    def __init__(self, *, is_above_headline: bool = False) -> None:
        super().__init__()
        self._is_above_headline = is_above_headline
        self._state = Content("")
        self._cause = ""
        self._taken: list[str] = []
        self._said = ""

    def say(self, text: str) -> None:
        """Show a text in place of the state, until it is empty."""
        self._said = " ".join(text.split())
        self.refresh()

    def show(self, project: str, picture: Picture, *, is_attached: bool) -> None:
        """Paint again, if anything that is shown has changed."""
        state, taken = _state(project, picture, is_attached=is_attached), self._taken_of(picture)
        is_told = picture.state in {"running", "ended"} or picture.cause.startswith(
            picture.state.capitalize()
        )
        cause = "" if is_told else " ".join(picture.cause.split())
        if (state, cause, taken) != (self._state, self._cause, self._taken):
            self._state, self._cause, self._taken = state, cause, taken
            self.refresh()

    def _taken_of(self, picture: Picture) -> list[str]:
        return _taken(picture, with_left=not self._is_above_headline)

    def render(self) -> Content:
        """Left how it stands, right what it takes."""
        width = self.content_size.width
        left = Content(self._said) if self._said else self._state
        if self._cause and not self._said:
            left = Content.assemble(left, f": {self._cause}")
        shown = list(self._taken)
        while (
            shown
            and min(left.cell_length, self._state.cell_length + _SHORTEST_CAUSE) + _length(shown) > width
        ):
            shown.pop()
        left = left.truncate(max(0, width - _length(shown)), ellipsis=True)
        right = _GAP.join(shown)
        return Content.assemble(left, " " * (width - left.cell_length - cell_len(right)), right)


def _length(parts: Sequence[str]) -> int:
    return sum(cell_len(_GAP + part) for part in parts)


def _state(project: str, picture: Picture, *, is_attached: bool) -> Content:
    parts: list[tuple[str, str] | str] = [(project, "bold $secondary")]
    if picture.opened is not None and picture.opened.method:
        parts.append(f"  {picture.opened.method.upper()}")
    if picture.current is not None:
        parts.append(
            _(
                "  round {number} of {rounds_wanted}",
                number=picture.current.number,
                rounds_wanted=picture.rounds_wanted,
            )
        )
    if picture.stopped is not None:
        tone = "$text-error" if picture.stopped.reason in {"failed", "unmarked"} else "$text-muted"
        parts.append((f"  {state_in_words(picture.stopped.reason)}", tone))
    elif not is_attached:
        # The words of `spotui list`; a run of SPO's own tool has no method of ours.
        is_ours = picture.opened is None or bool(picture.opened.method)
        parts.append((f"  {state_in_words('interrupted' if is_ours else 'foreign')}", "$text-muted"))
    else:
        tone = "$text-success" if picture.state == "running" else "$text-warning"
        parts.append((f"  {state_in_words(picture.state)}", tone))
    return Content.assemble(*parts)


def _taken(picture: Picture, *, with_left: bool) -> list[str]:
    """What the run took so far, the most wanted first; and what is left of time and calls."""
    spent = picture.spending
    if spent is None:
        return []
    is_counted = bool(picture.calls) and picture.state != "paused"
    since = max(0.0, time.time() - spent.at) if is_counted else 0.0
    tokens = count(spent.prompt_tokens + spent.completion_tokens, estimated=spent.estimated)
    parts = [
        _of(usd(spent.cost_usd, spent.unpriced, estimated=spent.estimated), picture, "usd", usd),
        _of(_("{tokens} tok", tokens=tokens), picture, "tokens", count),
        _of(clock(spent.seconds + since), picture, "minutes", _minutes),
    ]
    if with_left and (left := picture.seconds_left) is not None:
        parts.append(_("~{time} left", time=duration(left)))
    if with_left and picture.limits.get("calls"):
        parts.append(_of(ngettext("{n:,} call", "{n:,} calls", spent.calls), picture, "calls", str))
    parts[:0] = [batch_in_words(one) for one in picture.batches.values()]
    if picture.calls:
        parts.append(_("{calls} in flight", calls=len(picture.calls)))
    if picture.opened is not None and picture.opened.rows:
        parts.append(_rows(picture.opened))
    return parts


def _rows(opened: RunOpened) -> str:
    splits = " + ".join(f"{rows:,} {split}" for split, rows in opened.rows.items())
    rows = _("{splits} rows", splits=splits)
    return f"{rows}, {opened.metric}" if opened.metric else rows


def _of(spent: str, picture: Picture, limit: str, shown: Callable[[Any], str]) -> str:
    value = picture.limits.get(limit)
    return spent if value is None else _("{n} of {all}", n=spent, all=shown(value))


def _minutes(minutes: float) -> str:
    return clock(60 * minutes)


TONES: Final = {
    "seed": "$accent",
    "win": "$text-success",
    "lead": "$text-warning",
    "loss": "$text-muted",
    "tie": "$text-warning",
    "undecided": "$text-warning",
    "refused": "$text-muted",
    "void": "$text-error",
}
"""The colours of verdicts."""


class RoundScreen(Page[int]):
    """Follows a run, and goes from round to round; gives back which was shown last, 0 for the newest.

    A subclass composes a line `#round` for the round's title.

    Args:
        project: The project.
        client: What is known of its run.
        selected: The round to show; 0 for the newest.
    """

    DEFAULT_CSS = "RoundScreen > #round { height: 1; padding: 0 1; }"

    def __init__(self, project: Project, client: RunClient, selected: int = 0) -> None:
        super().__init__()
        self._project = project
        self._client = client
        self._selected = selected
        self._seen = -1

    @property
    def newest(self) -> int:
        """The newest round that can be shown; 0 when there is none."""
        raise NotImplementedError

    def tick(self) -> None:
        """Show what is known now."""
        self._seen = self._client.changes

    def on_mount(self) -> None:
        """Follow what comes."""
        self.set_interval(seconds_between_paints(), self._look)

    @property
    def shown(self) -> int:
        """The round that is shown; 0 when there is none."""
        return self._selected or self.newest

    def _look(self) -> None:
        if self.is_on_top and (self._client.changes != self._seen or self._client.picture.calls):
            self.tick()

    def action_step(self, by: int) -> None:
        """Show the round before or after."""
        rounds = sorted(self._client.picture.rounds)
        if rounds:
            number = min(max(self.shown + by, rounds[0]), rounds[-1])
            self._selected = 0 if number == self.newest else number
            self.tick()
