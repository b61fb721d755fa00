"""What a run in Python shows: the lines of `Printer`, and on a terminal its progress below them."""

import sys
from types import TracebackType
from typing import Self

from spotui.api.printing import Printer
from spotui.domain.events import Event
from spotui.domain.figures import count, duration, usd
from spotui.lang import _, ngettext
from spotui.view.picture import Picture

_REDRAWS_PER_SECOND = 4


class Progress:
    """Shows a run while it is entered; where standard output is no terminal, it prints lines only."""

    def __init__(self) -> None:
        self._printer = Printer()
        self._picture = Picture()
        self._live = None
        if sys.stdout is not None and sys.stdout.isatty():
            from rich.console import Console
            from rich.live import Live
            from rich.text import Text

            self._live = Live(
                get_renderable=lambda: Text(self.line, style="dim", no_wrap=True, overflow="ellipsis"),
                console=Console(highlight=False, markup=False, emoji=False),
                refresh_per_second=_REDRAWS_PER_SECOND,
                transient=True,
            )

    def __enter__(self) -> Self:
        if self._live is not None:
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._live is not None:
            self._live.stop()

    def show(self, event: Event) -> None:
        """Print what an event says, if it is worth a line."""
        self._picture.apply(event)
        self._printer.show(event)

    @property
    def line(self) -> str:
        """How far the run is, what it has cost, and how long it will take."""
        picture = self._picture
        if picture.current is None:
            return ""
        parts = [_("round {number} of {rounds}", number=picture.current.number, rounds=picture.rounds_wanted)]
        if (spent := picture.spending) is not None:
            tokens = count(spent.prompt_tokens + spent.completion_tokens, estimated=spent.estimated)
            cost = usd(spent.cost_usd, spent.unpriced, estimated=spent.estimated)
            parts.append(
                ngettext(
                    "{n:,} call, {tokens} tokens, {cost}",
                    "{n:,} calls, {tokens} tokens, {cost}",
                    spent.calls,
                    tokens=tokens,
                    cost=cost,
                )
            )
        if (left := picture.seconds_left) is not None:
            parts.append(_("about {left} left", left=duration(left)))
        return "  ".join(parts)
