"""A run on a terminal: a table of rounds, what is being asked now, and what it costs, redrawn in place."""

import os
import sys
import time
from types import TracebackType
from typing import Self, TextIO, cast

import rich.text
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.style import Style
from rich.table import Table
from rich.text import Text

from spotui.cli.summary import TEXTS, fit, head, how_to_continue, is_copied, round_cells, summary
from spotui.cli.terminal import Lasting, behind, lose
from spotui.domain.events import Event
from spotui.domain.figures import clock, count, duration, usd
from spotui.domain.records import CallKey
from spotui.domain.text import guard, visible
from spotui.lang import _, ngettext
from spotui.settings.themes import Theme
from spotui.view.log import of_candidate, purpose_of
from spotui.view.picture import CallPicture, Picture
from spotui.view.telling import batch_in_words, line

_REDRAWS_PER_SECOND = 4
_REDRAWS_OVER_SSH = 2
_ROUNDS_SHOWN = 12
_CALLS_SHOWN = 10


class LiveDisplay:
    """Redraws a few times a second, less often over SSH.

    Args:
        project: The project's name.
        theme: The colours.
    """

    wants_deltas = True

    def __init__(self, project: str, theme: Theme) -> None:
        self._warning, self._error = _style(theme.warning), _style(theme.error)
        self._styles = {
            "seed": _style(theme.secondary),
            "win": _style(theme.success),
            "lead": self._warning,
            "loss": Style(dim=True),
            "tie": self._warning,
            "undecided": self._warning,
            "refused": Style(dim=True),
            "void": self._error,
        }
        self._accent = _style(theme.accent)
        self._project = project
        self._picture = Picture()
        guard(rich.text, "strip_control_codes", visible)
        self._terminal = behind(sys.stdout)
        screen = cast("TextIO", Lasting(self._terminal))
        self._console = Console(highlight=False, markup=False, emoji=False, file=screen)
        rate = _REDRAWS_OVER_SSH if os.environ.get("SSH_CONNECTION") else _REDRAWS_PER_SECOND
        self._live = Live(
            get_renderable=self._draw, console=self._console, refresh_per_second=rate, transient=True
        )
        self._gone = False

    def __enter__(self) -> Self:
        self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if not self._gone:
            self._live.stop()
            self._console.print(self._rounds())

    def show(self, event: Event) -> None:
        """Change the picture; what is worth keeping is printed above it."""
        self._picture.apply(event)
        if event in self._picture.notices and (text := line(event)) is not None:
            self.say(text)

    def say(self, text: str) -> None:
        """Print a line above the picture."""
        if not self._gone:
            self._console.print(Text(text, style=self._warning))

    def let_go(self) -> None:
        """The terminal is gone: draw nothing any more."""
        self._gone = True
        lose(self._terminal)
        self._live.stop()

    def farewell(self) -> None:
        """Print the summary."""
        if not self._gone:
            for text in summary(self._project, self._picture):
                self._console.print(Text(text), soft_wrap=is_copied(text))

    def _draw(self) -> RenderableType:
        parts: list[RenderableType] = [self._head(), self._rounds()]
        parts += [Text(f"  · {batch_in_words(one)}", style="dim") for one in self._picture.batches.values()]
        calls = list(self._picture.calls.items())
        parts += [self._call(key, call) for key, call in calls[:_CALLS_SHOWN]]
        if len(calls) > _CALLS_SHOWN:
            parts.append(
                Text(
                    ngettext(
                        "  · and {n:,} call more", "  · and {n:,} calls more", len(calls) - _CALLS_SHOWN
                    ),
                    style="dim",
                )
            )
        return Group(*parts)

    def _head(self) -> Text:
        picture = self._picture
        head = Text(picture.opened.project if picture.opened else self._project, style="bold")
        if picture.current is not None:
            head.append(
                _(
                    "  round {number} of {rounds_wanted}",
                    number=picture.current.number,
                    rounds_wanted=picture.rounds_wanted,
                ),
                style="not bold",
            )
        if picture.state != "running":
            head.append(f"  {picture.state}: {picture.cause}", style=self._warning)
            if picture.state == "paused" and self._project:
                head.append(f" Continue: {how_to_continue(self._project)}", style=self._warning)
        if (spent := picture.spending) is not None:
            tokens = count(spent.prompt_tokens + spent.completion_tokens, estimated=spent.estimated)
            cost = usd(spent.cost_usd, spent.unpriced, estimated=spent.estimated)
            said = ngettext(
                "{n:,} call, {tokens} tokens, {cost}",
                "{n:,} calls, {tokens} tokens, {cost}",
                spent.calls,
                tokens=tokens,
                cost=cost,
            )
            head.append(f"  {said}", style="not bold")
        if (left := picture.seconds_left) is not None and left >= 1:  # the final check may go on after it
            head.append(_("  about {left} left", left=duration(left)), style="not bold dim")
        return head

    def _rounds(self) -> Table:
        shown = sorted(self._picture.rounds.values(), key=lambda one: one.number)[-_ROUNDS_SHOWN:]
        opened = self._picture.opened
        columns = opened.columns if opened is not None else ()
        titles = head(columns, is_scored=opened is not None and bool(opened.rows))
        heads, *rows = fit([titles, *(round_cells(one, columns) for one in shown)], self._console.width)
        table = Table(box=None, pad_edge=False, expand=False, header_style="dim")
        for name, text in heads.items():
            table.add_column(text, no_wrap=True, justify="left" if name in TEXTS else "right")
        for one, row in zip(shown, rows, strict=True):
            styles = {"round": self._accent if one.number == self._picture.best else Style()}
            styles["verdict"] = self._styles.get(one.outcome or "", Style()) if one.end else Style(dim=True)
            table.add_row(*(Text(text, style=styles.get(name, Style())) for name, text in row.items()))
        return table

    def _call(self, key: CallKey, call: CallPicture) -> Text:
        now = time.time()
        notes = self._picture.opened.notes if self._picture.opened else ()
        verb = purpose_of(key.purpose, notes).under_way(key.index + 1)
        verb = verb if key.purpose == "playoff" else of_candidate(key.candidate, verb)
        if call.trouble and call.retry_at > now:
            return Text(
                _(
                    "  ! {verb}: {trouble} again in {retry_at}",
                    verb=verb,
                    trouble=call.trouble,
                    retry_at=duration(call.retry_at - now),
                ),
                style=self._error,
            )
        so_far = f", {count(call.characters)} characters" if call.characters else ""
        return Text(f"  · {verb}: {call.model}, {clock(max(0.0, now - call.since))}{so_far}", style="dim")


def _style(colour: str) -> Style:
    """A theme's colour as rich writes it."""
    return Style(color=colour.removeprefix("ansi_"))
